import { type DocumentClient, documentClient, UpdateCommand } from '@millrace/aws';
import { idempotencyTableFromEnvironment } from '@millrace/idempotency/table-name';
import { HttpError } from './problem.ts';

/** What one subject may do in one window of time. */
export interface Quota {
  /** Names what is counted, e.g. `orders`; it must never change. */
  name: string;
  windowSeconds: number;
  /** Calls of `take` within a window. */
  limit: number;
  /** Failures within a window after which `take` refuses everything until its end. Without it failures do not count. */
  maxFailures?: number;
}

/**
 * Counts what each subject does, for all containers of a service together: an item for each subject and window in the
 * service's idempotency table. `take` is one conditional write, so that two at once are never both the last one.
 *
 * It fails closed: without DynamoDB it throws what the client throws, which an endpoint answers with 503. What it protects
 * needs the same database, and a limit that opens under load is none.
 *
 * Windows begin at multiples of their length, so in the worst case a subject has the quota of two windows at once.
 * @example
 * const quota = new SubjectQuota(documentClient(), 'orders-idempotency', {
 *   ...{ name: 'orders', windowSeconds: 3600, limit: 30, maxFailures: 5 },
 * });
 * await quota.take(caller.subject); // 429 from the 31st order on
 */
export class SubjectQuota {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #quota: Quota;
  readonly #now: () => Date;

  /** @param tableName with the key `id` and the time to live `expiration`, as Powertools' idempotency has it */
  constructor(client: DocumentClient, tableName: string, quota: Quota, now: () => Date = () => new Date()) {
    this.#client = client;
    this.#tableName = tableName;
    this.#quota = quota;
    this.#now = now;
  }

  /**
   * Counts one use, unless the subject has used up the window.
   * @throws HttpError 429 `QUOTA_EXCEEDED` with the time until the next window
   */
  async take(subject: string): Promise<void> {
    const now = this.#now();
    const { limit, maxFailures } = this.#quota;
    const used = '(attribute_not_exists(#used) OR #used < :limit)';
    const failures = '(attribute_not_exists(#failures) OR size(#failures) < :maxFailures)';
    const countsFailures = maxFailures !== undefined;
    const counted = await this.#update(subject, now, {
      UpdateExpression: 'ADD #used :one SET expiration = :expiration',
      ConditionExpression: countsFailures ? `${used} AND ${failures}` : used,
      ExpressionAttributeNames: { '#used': 'used', ...(countsFailures && { '#failures': 'failures' }) },
      ExpressionAttributeValues: {
        ':one': 1,
        ':limit': limit,
        ...(countsFailures && { ':maxFailures': maxFailures }),
      },
    });
    if (counted) return;
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#endOf(now) - now.getTime() / 1000));
    const detail = 'You have used up what one caller may do in this time; the header Retry-After says when it ends';
    throw new HttpError(429, 'QUOTA_EXCEEDED', detail, [], { retryAfterSeconds });
  }

  /**
   * Counts a failure, once for each `key`, in the window in which it happened. To count it again changes nothing.
   * @param key of the failure, e.g. the order's id
   */
  async countFailure(subject: string, key: string, failedAt: Date): Promise<void> {
    const { maxFailures } = this.#quota;
    if (maxFailures === undefined) return;
    // Beyond the limit another one changes nothing, and the item must not grow for ever.
    await this.#update(subject, failedAt, {
      UpdateExpression: 'ADD #failures :key SET expiration = :expiration',
      ConditionExpression: 'attribute_not_exists(#failures) OR size(#failures) < :maxFailures',
      ExpressionAttributeNames: { '#failures': 'failures' },
      ExpressionAttributeValues: { ':key': new Set([key]), ':maxFailures': maxFailures },
    });
  }

  /** @returns whether the condition held */
  async #update(
    subject: string,
    at: Date,
    { ExpressionAttributeValues, ...update }: Partial<UpdateCommand['input']>,
  ): Promise<boolean> {
    const { name, windowSeconds } = this.#quota;
    const end = this.#endOf(at);
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#tableName,
          Key: { id: `quota#${name}#${end - windowSeconds}#${subject}` },
          ...update,
          ExpressionAttributeValues: { ...ExpressionAttributeValues, ':expiration': end },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  /** When the window of a moment ends, in epoch seconds. */
  #endOf(at: Date): number {
    const { windowSeconds } = this.#quota;
    return (Math.floor(at.getTime() / 1000 / windowSeconds) + 1) * windowSeconds;
  }
}

/**
 * The counter in the service's idempotency table.
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set; Error when a limit is not a whole number above 0
 */
export function subjectQuotaFromEnvironment(quota: Quota, tableName = idempotencyTableFromEnvironment()): SubjectQuota {
  const { limit: uses, maxFailures = uses } = quota;
  for (const limit of [uses, maxFailures]) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new Error(`The limits of the quota ${quota.name} must be whole numbers above 0, not ${limit}`);
    }
  }
  return new SubjectQuota(documentClient(), tableName, quota);
}
