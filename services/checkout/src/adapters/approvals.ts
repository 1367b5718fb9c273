import { ConditionalCheckFailedException, GetCommand, PutCommand, UpdateCommand } from '@millrace/aws';
import type { Table } from '@millrace/event-store';

/** Longer than any execution waits, so that an answer that comes too late can be told from one to a checkout without a request. */
const KEEP_SECONDS = 30 * 24 * 60 * 60;

/** A request for the approval of an order. */
export interface ApprovalRequest {
  /** Needed to give Step Functions the answer. */
  taskToken: string;
  /** The attempt of the task. Each has a token of its own, and Step Functions takes only the last one. */
  attempt: number;
  requestedAt: string;
  decision?: Decision & { decidedAt: string };
}

/** The answer of a person. */
export interface Decision {
  approved: boolean;
  /** The subject of the person's token. */
  decidedBy: string;
}

/** The approvals that checkouts of one table wait for. */
export class Approvals {
  readonly #table: Table;
  readonly #now: () => Date;

  constructor(table: Table, now: () => Date = () => new Date()) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * Puts a request on record, in place of that of an earlier attempt. One that comes late or twice changes nothing.
   * @example await approvals.request(orderId, { taskToken, attempt: 0 });
   */
  async request(
    orderId: string,
    { taskToken, attempt }: Pick<ApprovalRequest, 'taskToken' | 'attempt'>,
  ): Promise<void> {
    const now = this.#now();
    const ttl = Math.floor(now.getTime() / 1000) + KEEP_SECONDS;
    const request: ApprovalRequest = { taskToken, attempt, requestedAt: now.toISOString() };
    const put = new PutCommand({
      TableName: this.#table.name,
      Item: { ...keyOf(orderId), ...request, ttl },
      ConditionExpression: 'attribute_not_exists(pk) OR attempt < :attempt',
      ExpressionAttributeValues: { ':attempt': attempt },
    });
    try {
      await this.#table.client.send(put);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** The request of a checkout, or undefined when its approval was not asked for. */
  async find(orderId: string): Promise<ApprovalRequest | undefined> {
    const { Item } = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: keyOf(orderId), ConsistentRead: true }),
    );
    return Item && requestOf(Item);
  }

  /**
   * Puts the decision on record, unless there is one.
   * @returns the request with the decision that counts, and true for `wasDecided` if that was there before; undefined
   *   when the approval was not asked for
   * @example const request = await approvals.decide(orderId, { approved: true, decidedBy: caller.subject });
   */
  async decide(orderId: string, decision: Decision): Promise<(ApprovalRequest & { wasDecided: boolean }) | undefined> {
    const update = new UpdateCommand({
      TableName: this.#table.name,
      Key: keyOf(orderId),
      UpdateExpression: 'SET decision = :decision',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(decision)',
      ExpressionAttributeValues: { ':decision': { ...decision, decidedAt: this.#now().toISOString() } },
      // Not read afterwards: a later attempt may have asked again by then.
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      const { Attributes } = await this.#table.client.send(update);
      return { ...requestOf(Attributes), wasDecided: false };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return error.Item && { ...requestOf(error.Item), wasDecided: true };
    }
  }
}

function keyOf(orderId: string) {
  return { pk: `CHECKOUT#${orderId}`, sk: 'APPROVAL' };
}

function requestOf(item: Record<string, unknown> | undefined): ApprovalRequest {
  const { taskToken, attempt, requestedAt, decision } = item as unknown as ApprovalRequest;
  return { taskToken, attempt, requestedAt, ...(decision && { decision }) };
}
