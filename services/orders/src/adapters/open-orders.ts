import { QueryCommand } from '@millrace/aws';
import type { ConditionalWrite, Table } from '@millrace/event-store';
import type { Cause } from '@millrace/events';

/** An order that has not ended. */
export interface OpenOrder {
  orderId: string;
  /** ISO 8601 in UTC. */
  deadline: string;
  /** The cause of the event that ends it when its time is over. */
  cause: Cause;
}

/**
 * Partitions of the rows. Each takes 250 orders a second: of its 1,000 write units a second, an order takes two for its row and two for
 * the deletion, in transactions. A sweep reads each partition once.
 */
const SHARDS = 8;
/** Rows that a sweep takes of a partition at once. */
const PAGE = 100;

/**
 * The orders that have not ended, by their deadlines. A row comes with the order's first event and goes with the one that
 * ends it, in the same transactions: it can neither be missing nor be left over.
 */
export class OpenOrders {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The write that adds an order, for the transaction that places it. */
  addition({ orderId, deadline, cause }: OpenOrder): ConditionalWrite {
    return {
      write: {
        Put: { TableName: this.#table.name, Item: { ...keyOf({ orderId, deadline }), orderId, deadline, cause } },
      },
    };
  }

  /** The write that takes an order out, for the transaction that ends it. */
  removal(order: Pick<OpenOrder, 'orderId' | 'deadline'>): ConditionalWrite {
    return { write: { Delete: { TableName: this.#table.name, Key: keyOf(order) } } };
  }

  /**
   * The orders whose deadline was before a time, page by page, those of a partition by their deadlines. An order that ends
   * meanwhile may still be among them.
   * @example for await (const orders of openOrders.overdue(new Date())) console.log(orders.length);
   */
  async *overdue(before: Date): AsyncGenerator<OpenOrder[]> {
    for (let shard = 0; shard < SHARDS; shard += 1) {
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await this.#table.client.send(
          new QueryCommand({
            TableName: this.#table.name,
            KeyConditionExpression: 'pk = :pk AND sk < :before',
            ExpressionAttributeValues: { ':pk': partitionOf(shard), ':before': before.toISOString() },
            Limit: PAGE,
            ExclusiveStartKey,
          }),
        );
        yield Items.map(({ orderId, deadline, cause }) => ({ orderId, deadline, cause }));
        ExclusiveStartKey = LastEvaluatedKey;
      } while (ExclusiveStartKey);
    }
  }
}

function keyOf({ orderId, deadline }: Pick<OpenOrder, 'orderId' | 'deadline'>): { pk: string; sk: string } {
  return { pk: partitionOf(shardOf(orderId)), sk: `${deadline}#${orderId}` };
}

function partitionOf(shard: number): string {
  return `OPEN-ORDERS#${shard}`;
}

/** Ids are random, so any part of them spreads. */
function shardOf(orderId: string): number {
  let sum = 0;
  for (const character of orderId) sum += character.charCodeAt(0);
  return sum % SHARDS;
}
