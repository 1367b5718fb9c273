import type { NativeAttributeValue } from '@aws-sdk/lib-dynamodb';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  type ItemKey,
  type TransactWrite,
} from '@millrace/event-store';
import type { Reservation, ReservationStatus } from '../domain/reservation.ts';
import type { Line, StockChange, StockLevel, StockMovement } from '../domain/stock.ts';

/** The writes that the warehouse's transactions are made of. Each states the condition it was decided on. */
export class StockWrites {
  readonly #tableName: string;

  constructor(tableName: string) {
    this.#tableName = tableName;
  }

  /** Sets what is available of a SKU, and its threshold, unless its stock has changed since it was read. */
  setStock(sku: string, before: StockLevel | undefined, after: StockLevel): ConditionalWrite {
    const update: TransactWrite = {
      Update: {
        TableName: this.#tableName,
        Key: stockKey(sku),
        UpdateExpression:
          'SET sku = :sku, available = :available, lowStockThreshold = :threshold, reserved = if_not_exists(reserved, :zero), shipped = if_not_exists(shipped, :zero)',
        // Pieces are shipped out of what is reserved, so what was shipped has not changed, either.
        ConditionExpression: before
          ? 'available = :availableBefore AND reserved = :reservedBefore AND lowStockThreshold = :thresholdBefore'
          : 'attribute_not_exists(pk)',
        ExpressionAttributeValues: {
          ':sku': sku,
          ':available': after.available,
          ':threshold': after.lowStockThreshold,
          ':zero': 0,
          ...(before && {
            ':availableBefore': before.available,
            ':reservedBefore': before.reserved,
            ':thresholdBefore': before.lowStockThreshold,
          }),
        },
      },
    };
    return conditional(update, `The stock of ${sku}`);
  }

  /** Takes what orders reserve of a SKU. */
  take({ sku, quantity, level, availableRange: { min, max } }: StockChange): ConditionalWrite {
    const update: TransactWrite = {
      Update: {
        TableName: this.#tableName,
        Key: stockKey(sku),
        UpdateExpression: 'SET available = available - :quantity, reserved = reserved + :quantity',
        ConditionExpression: `available ${max === undefined ? '>= :min' : 'BETWEEN :min AND :max'} AND lowStockThreshold = :threshold`,
        ExpressionAttributeValues: {
          ':quantity': quantity,
          ':min': min,
          ...(max === undefined ? {} : { ':max': max }),
          ':threshold': level.lowStockThreshold,
        },
      },
    };
    return conditional(update, `The stock of ${sku}`);
  }

  /** Moves pieces of a SKU, whatever its stock: it follows from reservations that are written in the same transaction. */
  move({ sku, available, reserved, shipped }: Required<StockMovement>): ConditionalWrite {
    return {
      write: {
        Update: {
          TableName: this.#tableName,
          Key: stockKey(sku),
          UpdateExpression: 'ADD available :available, reserved :reserved, shipped :shipped',
          ExpressionAttributeValues: { ':available': available, ':reserved': reserved, ':shipped': shipped },
        },
      },
    };
  }

  /** Stores the reservation of an order that has none. */
  open(orderId: string, status: ReservationStatus, lines: readonly Line[]): ConditionalWrite {
    const put: TransactWrite = {
      Put: {
        TableName: this.#tableName,
        Item: { ...reservationKey(orderId), status, lines },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    };
    return conditional(put, `The reservation of order ${orderId}`);
  }

  /** Changes the status of a reservation, unless it has changed since it was read. */
  change(orderId: string, before: ReservationStatus, after: ReservationStatus): ConditionalWrite {
    const update: TransactWrite = {
      Update: {
        TableName: this.#tableName,
        Key: reservationKey(orderId),
        UpdateExpression: 'SET #status = :after',
        ConditionExpression: '#status = :before',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':after': after, ':before': before },
      },
    };
    return conditional(update, `The reservation of order ${orderId}`);
  }
}

function conditional(write: TransactWrite, what: string): ConditionalWrite {
  return {
    write,
    onConditionFailed: (options) => new ConcurrencyConflictError(`${what} was changed by another writer`, options),
  };
}

type Attributes = Record<string, NativeAttributeValue>;

/** The stock in an item. One that was stored before shipments were followed has no `shipped`. */
export function levelOf({ available, reserved, shipped = 0, lowStockThreshold }: Attributes): StockLevel {
  return { available, reserved, shipped, lowStockThreshold };
}

/** The reservation in an item. */
export function reservationOf({ status, lines }: Attributes): Reservation {
  return { status, lines };
}

export function stockKey(sku: string): ItemKey {
  return { pk: `STOCK#${sku}`, sk: 'STOCK' };
}

export function reservationKey(orderId: string): ItemKey {
  return { pk: `RESERVATION#${orderId}`, sk: 'RESERVATION' };
}
