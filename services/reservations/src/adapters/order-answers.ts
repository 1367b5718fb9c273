import { GetCommand } from '@millrace/aws';
import { UnavailableError } from '@millrace/errors';
import type { ConditionalWrite, Table } from '@millrace/event-store';
import { DEDUPLICATION_SECONDS } from '@millrace/events';

/**
 * What an order was answered that names a slot. FORESTALLED: it was cancelled before it was answered, so that a late OrderPlaced must not
 * take a slot for it.
 */
export type OrderAnswer = 'ASSIGNED' | 'REFUSED' | 'FORESTALLED';

/** Another event has led to an answer for the order first. */
export class OrderAnsweredError extends UnavailableError {
  constructor(options?: ErrorOptions) {
    super('ORDER_ANSWERED', 'Another event has answered the order first', options);
  }
}

/**
 * The answers to orders, a row for each. It is written once and never changed. It lives as long as a consumer takes an event about the order:
 * an older one is refused, and finds nothing to do.
 */
export class OrderAnswers {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** What an order was answered; undefined when there is no answer yet. */
  async find(orderId: string): Promise<OrderAnswer | undefined> {
    const get = new GetCommand({ TableName: this.#table.name, Key: keyOf(orderId), ConsistentRead: true });
    return (await this.#table.client.send(get)).Item?.answer;
  }

  /** The write of an answer, for the transaction of what it leads to. It fails with OrderAnsweredError when there is one already. */
  addition(orderId: string, answer: OrderAnswer, now: Date): ConditionalWrite {
    const ttl = Math.floor(now.getTime() / 1000) + 2 * DEDUPLICATION_SECONDS;
    return {
      write: {
        Put: {
          TableName: this.#table.name,
          Item: { ...keyOf(orderId), answer, ttl },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      },
      onConditionFailed: (options) => new OrderAnsweredError(options),
    };
  }
}

function keyOf(orderId: string): { pk: string; sk: string } {
  return { pk: `ORDER-ANSWER#${orderId}`, sk: 'ANSWER' };
}
