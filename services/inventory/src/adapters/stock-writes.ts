import { ConcurrencyConflictError, type ConditionalWrite, type ItemKey } from '@millrace/event-store';
import type { StockChange, StockMovement } from '../domain/stock.ts';

/**
 * Takes what orders reserve of a SKU, as long as the decision holds for the stock that is there. It is arithmetic instead of
 * a new state, so that orders for one popular SKU do not have to wait for each other.
 */
export function takeStock(
  tableName: string,
  { sku, quantity, level, availableRange: { min, max } }: StockChange,
): ConditionalWrite {
  return {
    write: {
      Update: {
        TableName: tableName,
        Key: stockKey(sku),
        UpdateExpression: 'SET available = available - :quantity, reserved = reserved + :quantity ADD #version :one',
        ConditionExpression: `available ${max === undefined ? '>= :min' : 'BETWEEN :min AND :max'} AND lowStockThreshold = :threshold`,
        ExpressionAttributeNames: versionName,
        ExpressionAttributeValues: {
          ':quantity': quantity,
          ':min': min,
          ...(max === undefined ? {} : { ':max': max }),
          ':threshold': level.lowStockThreshold,
          ':one': 1,
        },
      },
    },
    onConditionFailed: (options) =>
      new ConcurrencyConflictError(`The stock of ${sku} was changed by another writer`, options),
  };
}

/** Moves pieces of a SKU, whatever its stock: it follows from reservations that are written in the same transaction. */
export function moveStock(
  tableName: string,
  { sku, available, reserved, shipped }: Required<StockMovement>,
): ConditionalWrite {
  return {
    write: {
      Update: {
        TableName: tableName,
        Key: stockKey(sku),
        UpdateExpression: 'ADD available :available, reserved :reserved, shipped :shipped, #version :one',
        ExpressionAttributeNames: versionName,
        ExpressionAttributeValues: {
          ':available': available,
          ':reserved': reserved,
          ':shipped': shipped,
          ':one': 1,
        },
      },
    },
  };
}

/** The row runner's: whoever has read the row and is about to replace it must notice. */
const versionName = { '#version': 'version' };

export function stockKey(sku: string): ItemKey {
  return { pk: `STOCK#${sku}`, sk: 'STOCK' };
}

export function reservationKey(orderId: string): ItemKey {
  return { pk: `RESERVATION#${orderId}`, sk: 'RESERVATION' };
}
