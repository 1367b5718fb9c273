import { randomUUID } from 'node:crypto';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  type NativeAttributeValue,
} from '@aws-sdk/lib-dynamodb';
import type { InboxKey } from '@millrace/consumer';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  documentClient,
  inboxMark,
  outboxRow,
  retryOnConflict,
  type TransactWrite,
} from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { StockRanLow, StockReleased, StockReservationFailed, StockReserved } from '../../events/index.ts';
import { decideRelease, type Reservation, type ReservationStatus } from '../domain/reservation.ts';
import { decideReservation, isLow, type Line, type StockChange, type StockLevel } from '../domain/stock.ts';

/** What an event inherits from the request or event behind it. */
export interface Cause {
  correlationId: string;
  causationId?: string;
  traceparent: string;
}

/** Reservations are the first and, when they are given back, the second event about an order from this service. */
const RESERVED_SEQUENCE = 1;
const RELEASED_SEQUENCE = 2;

/**
 * Stock and reservations of one table. Every change is one transaction: stock, reservation, events and the mark of the
 * event behind it. Each write states the condition it was decided on; whoever loses a race decides again.
 */
export class Warehouse {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    now: () => Date = () => new Date(),
    newId: () => string = randomUUID,
  ) {
    this.#client = client;
    this.#tableName = tableName;
    this.#now = now;
    this.#newId = newId;
  }

  /** The stock of a SKU, or undefined when it was never set. */
  async stock(sku: string): Promise<StockLevel | undefined> {
    const [item] = await this.#read([stockKey(sku)]);
    return item && levelOf(item);
  }

  /** Sets what is available of a SKU, and its threshold. What orders hold stays held. */
  async setStock(
    sku: string,
    { available, lowStockThreshold }: Pick<StockLevel, 'available' | 'lowStockThreshold'>,
    cause: Cause,
  ): Promise<StockLevel> {
    return retryOnConflict(async () => {
      const before = await this.stock(sku);
      const after = { available, reserved: before?.reserved ?? 0, lowStockThreshold };
      const put: TransactWrite = {
        Put: {
          TableName: this.#tableName,
          Item: { ...stockKey(sku), sku, ...after },
          ...(before
            ? {
                ConditionExpression:
                  'available = :available AND reserved = :reserved AND lowStockThreshold = :lowStockThreshold',
                ExpressionAttributeValues: {
                  ':available': before.available,
                  ':reserved': before.reserved,
                  ':lowStockThreshold': before.lowStockThreshold,
                },
              }
            : { ConditionExpression: 'attribute_not_exists(pk)' }),
        },
      };
      const writes = [conditional(put, `The stock of ${sku}`)];
      if (isLow(after) && !(before && isLow(before))) writes.push(this.#ranLow(sku, after, cause));
      await commit(this.#client, writes);
      return after;
    });
  }

  /**
   * Reserves every line of an order, or none, and tells which. Nothing happens when the order has a reservation or has
   * ended already.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async reserve(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId } = order;
    await retryOnConflict(async () => {
      const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
      const items = await this.#read([reservationKey(orderId), ...lines.map(({ sku }) => stockKey(sku))]);
      if (items.some(({ pk }) => pk === reservationKey(orderId).pk)) return;
      const decision = decideReservation(lines, new Map(items.map((item) => [item.sku, levelOf(item)])));
      const context = this.#context(orderId, RESERVED_SEQUENCE, cause);
      if (decision.type === 'refuse') {
        const refused = StockReservationFailed.create({ orderId, shortages: decision.shortages }, context);
        await this.#commit(orderId, inbox, [this.#open(orderId, 'REFUSED', lines)], refused);
        return;
      }
      const reserved = StockReserved.create(order, context);
      const writes = decision.changes.flatMap((change) => this.#take(change, cause));
      await this.#commit(orderId, inbox, [this.#open(orderId, 'RESERVED', lines), ...writes], reserved);
    });
  }

  /**
   * Gives back what an ended order holds, once. An order that holds nothing yet never will.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async release(orderId: string, cause: Cause, inbox: InboxKey): Promise<void> {
    await retryOnConflict(async () => {
      const [item] = await this.#read([reservationKey(orderId)]);
      const reservation: Reservation | undefined = item && { status: item.status, lines: item.lines };
      switch (decideRelease(reservation)) {
        case 'nothing':
          return;
        case 'remember':
          await this.#commit(orderId, inbox, [this.#open(orderId, 'CANCELLED', [])]);
          return;
        case 'release': {
          const lines = reservation?.lines ?? [];
          const released = StockReleased.create({ orderId, lines }, this.#context(orderId, RELEASED_SEQUENCE, cause));
          const writes = lines.map((line) => this.#giveBack(line));
          await this.#commit(orderId, inbox, [this.#close(orderId), ...writes], released);
        }
      }
    });
  }

  /** Reads up to 100 items, strongly consistent, in no order; what does not exist is left out. */
  async #read(keys: readonly { pk: string; sk: string }[]): Promise<Record<string, NativeAttributeValue>[]> {
    const items: Record<string, NativeAttributeValue>[] = [];
    let RequestItems: BatchGetCommandInput['RequestItems'] = {
      [this.#tableName]: { Keys: [...keys], ConsistentRead: true },
    };
    while (RequestItems && Object.keys(RequestItems).length > 0) {
      const answer: BatchGetCommandOutput = await this.#client.send(new BatchGetCommand({ RequestItems }));
      items.push(...(answer.Responses?.[this.#tableName] ?? []));
      RequestItems = answer.UnprocessedKeys;
    }
    return items;
  }

  async #commit(orderId: string, inbox: InboxKey, writes: readonly ConditionalWrite[], event?: EmittableEvent) {
    const now = this.#now();
    const outbox = event ? [outboxRow(this.#tableName, reservationKey(orderId).pk, event, now)] : [];
    await commit(this.#client, [...writes, ...outbox, inboxMark(this.#tableName, inbox, now)]);
  }

  #context(subject: string, sequence: number | undefined, cause: Cause) {
    return { id: this.#newId(), time: this.#now(), subject, sequence, ...cause };
  }

  #open(orderId: string, status: ReservationStatus, lines: Line[]): ConditionalWrite {
    const put: TransactWrite = {
      Put: {
        TableName: this.#tableName,
        Item: { ...reservationKey(orderId), status, lines },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    };
    return conditional(put, `The reservation of order ${orderId}`);
  }

  #close(orderId: string): ConditionalWrite {
    const update: TransactWrite = {
      Update: {
        TableName: this.#tableName,
        Key: reservationKey(orderId),
        UpdateExpression: 'SET #status = :released',
        ConditionExpression: '#status = :reserved',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':released': 'RELEASED', ':reserved': 'RESERVED' },
      },
    };
    return conditional(update, `The reservation of order ${orderId}`);
  }

  #take({ sku, quantity, level, availableRange, ranLow }: StockChange, cause: Cause): ConditionalWrite[] {
    const { min, max } = availableRange;
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
    const write = conditional(update, `The stock of ${sku}`);
    if (!ranLow) return [write];
    const after = { ...level, available: level.available - quantity };
    return [write, this.#ranLow(sku, after, cause)];
  }

  #giveBack({ sku, quantity }: Line): ConditionalWrite {
    return {
      write: {
        Update: {
          TableName: this.#tableName,
          Key: stockKey(sku),
          UpdateExpression: 'SET available = available + :quantity, reserved = reserved - :quantity',
          ExpressionAttributeValues: { ':quantity': quantity },
        },
      },
    };
  }

  #ranLow(sku: string, { available, lowStockThreshold }: StockLevel, cause: Cause): ConditionalWrite {
    const event = StockRanLow.create({ sku, available, lowStockThreshold }, this.#context(sku, undefined, cause));
    return outboxRow(this.#tableName, stockKey(sku).pk, event, this.#now());
  }
}

/** The warehouse in the table MILLRACE_TABLE. @throws Error when it is not set. */
export function warehouseFromEnvironment(tableName = process.env.MILLRACE_TABLE): Warehouse {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  return new Warehouse(documentClient(), tableName);
}

function conditional(write: TransactWrite, what: string): ConditionalWrite {
  return {
    write,
    onConditionFailed: (options) => new ConcurrencyConflictError(`${what} was changed by another writer`, options),
  };
}

function levelOf({ available, reserved, lowStockThreshold }: Record<string, NativeAttributeValue>): StockLevel {
  return { available, reserved, lowStockThreshold };
}

function stockKey(sku: string) {
  return { pk: `STOCK#${sku}`, sk: 'STOCK' };
}

function reservationKey(orderId: string) {
  return { pk: `RESERVATION#${orderId}`, sk: 'RESERVATION' };
}
