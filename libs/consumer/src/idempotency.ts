import { type DocumentClient, documentClient, PutCommand } from '@millrace/aws';
import { UnavailableError } from '@millrace/errors';
import { DEDUPLICATION_SECONDS, handledMarkId, type InboxKey } from '@millrace/events';
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyTable,
  idempotencyTableFromEnvironment,
} from '@millrace/idempotency';
import type { Context } from 'aws-lambda';

/** Writes down that a consumer has handled an event with all its steps. To write it down again changes nothing. */
export type RecordHandled = (key: InboxKey) => Promise<void>;

/**
 * Marks handled events in the idempotency table. Powertools marks single steps, and only the
 * handler knows how many there are. This mark tells operators that all of them are done.
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set.
 */
export function recordHandledInIdempotencyTable(
  tableName = idempotencyTableFromEnvironment(),
  { client = documentClient(), now = () => new Date() }: { client?: DocumentClient; now?: () => Date } = {},
): RecordHandled {
  return async ({ consumer, eventId }) => {
    const expiration = Math.floor(now().getTime() / 1000) + DEDUPLICATION_SECONDS;
    const Item = { id: handledMarkId(consumer, eventId), expiration };
    await client.send(new PutCommand({ TableName: tableName, Item }));
  };
}

/** Runs `effect` at most once for each key, as far as the idempotency table can tell. */
export type RunOnce = (key: string, context: Context, effect: () => Promise<void>) => Promise<void>;

/**
 * De-duplication for effects outside DynamoDB (a mail, a provider call), by Powertools idempotency.
 * A crash between the effect and its mark repeats the effect: hand the event id on as the provider's own key.
 *
 * While another delivery runs the effect, and for some minutes after a crash, it throws `IN_PROGRESS`, by which the record is
 * deferred.
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set.
 */
export function runOnceByIdempotencyTable(
  tableName = idempotencyTableFromEnvironment(),
  { now }: { now?: () => Date } = {},
): RunOnce {
  const table = new IdempotencyTable(tableName, {
    keyPrefix: 'consumer',
    expiresAfterSeconds: DEDUPLICATION_SECONDS,
    ...(now && { now }),
  });

  return async (key, context, effect) => {
    try {
      await table.run({ key, context }, effect);
    } catch (error) {
      if (error instanceof IdempotencyAlreadyInProgressError) {
        throw new UnavailableError('IN_PROGRESS', 'Another delivery of this event is being handled', { cause: error });
      }
      throw error;
    }
  };
}
