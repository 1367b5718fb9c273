import { type Kinesis, kinesis, PutRecordsCommand } from '@millrace/aws';
import { isUnavailable, TransientError, variableFrom } from '@millrace/errors';
import { type RetryOptions, retry } from '@millrace/retry';
import type { View } from '../../views/index.ts';

/** How often a record is sent. A browser that is told to repeat waits; one that waits for this answer keeps a function busy. */
const MAX_ATTEMPTS = 4;

class NotStoredError extends TransientError {}

/** The log of views: a stream that is partitioned by session, so that one shard has a session, and its consumer sees all of it. */
export class InteractionLog {
  readonly #client: Kinesis;
  readonly #streamName: string;
  readonly #options: RetryOptions;

  constructor(client: Kinesis, streamName: string, options: RetryOptions = {}) {
    this.#client = client;
    this.#streamName = streamName;
    this.#options = { maxAttempts: MAX_ATTEMPTS, ...options };
  }

  /**
   * Appends views. PutRecords stores some of its records and refuses others; those are sent again, and no others, in their order.
   * It promises no order even when it takes all of them, so a view carries its time and its place, which consumers sort by.
   * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
   *
   * A record whose answer was lost is sent twice: consumers know a view by its id.
   *
   * @param views 500 at most
   * @returns the views that the stream did not take
   * @throws what Kinesis throws, unless it is only busy or down
   * @example const unstored = await log.append(views);
   */
  async append(views: readonly View[]): Promise<readonly View[]> {
    let waiting = views;
    const attempt = async () => {
      waiting = await this.#put(waiting);
      if (waiting.length > 0) throw new NotStoredError('VIEWS_NOT_STORED', `${waiting.length} views were not stored`);
    };
    const isRetryable = (error: unknown) => error instanceof NotStoredError || isUnavailable(error);
    try {
      await retry(attempt, { ...this.#options, isRetryable });
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
    return waiting;
  }

  /** @returns those that were refused */
  async #put(views: readonly View[]): Promise<View[]> {
    const { Records = [] } = await this.#client.send(
      new PutRecordsCommand({
        StreamName: this.#streamName,
        Records: views.map((view) => ({ PartitionKey: view.sessionId, Data: Buffer.from(JSON.stringify(view)) })),
      }),
    );
    return views.filter((_, index) => Records[index]?.SequenceNumber === undefined);
  }
}

/** The log in the stream MILLRACE_INTERACTION_STREAM. @throws ConfigurationError when it is not set */
export function interactionLogFromEnvironment(): InteractionLog {
  return new InteractionLog(kinesis(), variableFrom('MILLRACE_INTERACTION_STREAM', 'the name of a Kinesis stream'));
}
