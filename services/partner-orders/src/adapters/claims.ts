import { ConditionalCheckFailedException, PutCommand } from '@millrace/aws';
import type { Table } from '@millrace/event-store';
import { isPastDeduplicationWindow } from '@millrace/events';
import { OrderNumberReusedError, OrderRepeatedLateError } from '../domain/errors.ts';

/** Which order has which of a partner's numbers. Numbers are never free again, so that a late repetition is recognised. */
export class Claims {
  readonly #table: Table;
  readonly #now: () => Date;

  constructor(table: Table, now: () => Date = () => new Date()) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Gives a number to an order, unless it has it. Of two that come at once with one number, one gets it.
   *
   * @param digest of the order
   * @throws OrderNumberReusedError if another order has it; OrderRepeatedLateError if this order has had it for longer than
   *   consumers remember what they have handled
   * @example await claims.claim('acme', { orderNumber: 'A-1', digest });
   */
  async claim(partner: string, { orderNumber, digest }: { orderNumber: string; digest: string }): Promise<void> {
    const now = this.#now();
    const put = new PutCommand({
      TableName: this.#table.name,
      Item: { pk: `PARTNER#${partner}`, sk: `ORDER#${orderNumber}`, digest, claimedAt: now.toISOString() },
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#table.client.send(put);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const { digest: known, claimedAt } = error.Item ?? {};
      if (known !== digest) throw new OrderNumberReusedError();
      if (isPastDeduplicationWindow(claimedAt, now)) throw new OrderRepeatedLateError();
    }
  }
}
