import { paginateQuery } from '@millrace/aws';
import type { ConditionalWrite, Table } from '@millrace/event-store';
import type { Cause } from '@millrace/events';

/** An aggregate that something ends at a time, unless it ends before. */
export interface Deadline {
  /** Of the aggregate. */
  id: string;
  /** ISO 8601 in UTC. */
  deadline: string;
  /** The cause of the event that ends it when its time is over. */
  cause: Cause;
}

/**
 * Partitions of the rows. Each takes 250 aggregates a second: of its 1,000 write units a second, one takes two for its row and two for
 * the deletion, in transactions. A sweep reads each partition once.
 */
const SHARDS = 8;
/** Rows that a sweep takes of a partition at once. */
const PAGE = 100;

/**
 * The aggregates that have not ended, by their deadlines. A row comes with the event that sets a deadline and goes with the one that
 * ends it, in the same transactions: it can neither be missing nor be left over.
 * @example
 * const deadlines = new Deadlines(table, { name: 'OPEN-ORDERS', idAttribute: 'orderId' });
 * await commit(table.client, [placeOrder, deadlines.addition({ id: orderId, deadline, cause })]);
 */
export class Deadlines {
  readonly #table: Table;
  readonly #name: string;
  readonly #idAttribute: string;

  /**
   * @param name the beginning of the partition keys; it must never change
   * @param idAttribute the attribute that holds the id; it must never change
   */
  constructor(table: Table, { name, idAttribute }: { name: string; idAttribute: string }) {
    this.#table = table;
    this.#name = name;
    this.#idAttribute = idAttribute;
  }

  /** The write that adds a deadline, for the transaction of the event that sets it. */
  addition({ id, deadline, cause }: Deadline): ConditionalWrite {
    const Item = { ...this.#keyOf({ id, deadline }), [this.#idAttribute]: id, deadline, cause };
    return { write: { Put: { TableName: this.#table.name, Item } } };
  }

  /** The write that takes a deadline out, for the transaction of the event that ends the aggregate. */
  removal(deadline: Pick<Deadline, 'id' | 'deadline'>): ConditionalWrite {
    return { write: { Delete: { TableName: this.#table.name, Key: this.#keyOf(deadline) } } };
  }

  /**
   * The deadlines before a time, page by page, those of a partition in order. An aggregate that ends meanwhile may still be
   * among them.
   * @example for await (const page of deadlines.overdue(new Date())) console.log(page.length);
   */
  async *overdue(before: Date): AsyncGenerator<Deadline[]> {
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const pages = paginateQuery(this.#table.client, {
        TableName: this.#table.name,
        KeyConditionExpression: 'pk = :pk AND sk < :before',
        ExpressionAttributeValues: { ':pk': this.#partitionOf(shard), ':before': before.toISOString() },
        Limit: PAGE,
      });
      for await (const { Items = [] } of pages) {
        yield Items.map(({ [this.#idAttribute]: id, deadline, cause }) => ({ id, deadline, cause }));
      }
    }
  }

  #keyOf({ id, deadline }: Pick<Deadline, 'id' | 'deadline'>): { pk: string; sk: string } {
    return { pk: this.#partitionOf(shardOf(id)), sk: `${deadline}#${id}` };
  }

  #partitionOf(shard: number): string {
    return `${this.#name}#${shard}`;
  }
}

/** Ids are random, so any part of them spreads. */
function shardOf(id: string): number {
  let sum = 0;
  for (const character of id) sum += character.charCodeAt(0);
  return sum % SHARDS;
}
