import { UnavailableError } from '@millrace/errors';
import { DEDUPLICATION_SECONDS } from '@millrace/events';
import { IdempotencyAlreadyInProgressError, IdempotencyTable } from '@millrace/idempotency';
import type { Context } from 'aws-lambda';
import { ConfigurationError } from './settings.ts';

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
  tableName = process.env.MILLRACE_IDEMPOTENCY_TABLE,
  { now }: { now?: () => Date } = {},
): RunOnce {
  if (!tableName)
    throw new ConfigurationError('MILLRACE_IDEMPOTENCY_TABLE', "the name of the service's idempotency table");
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
