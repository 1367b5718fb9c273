import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { TransientError } from '@millrace/errors';
import { DEDUPLICATION_SECONDS } from '@millrace/events';
import type { Context } from 'aws-lambda';
import { ConfigurationError } from './settings.ts';

/** Runs `effect` at most once for each key, as far as the idempotency table can tell. */
export type RunOnce = (key: string, context: Context, effect: () => Promise<void>) => Promise<void>;

/**
 * De-duplication for effects outside DynamoDB (a mail, a provider call), by Powertools idempotency.
 * https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/
 * A crash between the effect and its mark repeats the effect: hand the event id on as the provider's own key.
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set.
 */
export function runOnceByIdempotencyTable(tableName = process.env.MILLRACE_IDEMPOTENCY_TABLE): RunOnce {
  if (!tableName)
    throw new ConfigurationError('MILLRACE_IDEMPOTENCY_TABLE', "the name of the service's idempotency table");
  const config = new IdempotencyConfig({
    eventKeyJmesPath: 'key',
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: DEDUPLICATION_SECONDS,
  });
  const once = makeIdempotent(
    async ({ effect }: { key: string; effect: () => Promise<void> }) => {
      await effect();
      return true;
    },
    { persistenceStore: new DynamoDBPersistenceLayer({ tableName }), config, keyPrefix: 'consumer' },
  );

  return async (key, context, effect) => {
    config.registerLambdaContext(context);
    try {
      await once({ key, effect });
    } catch (error) {
      if (error instanceof IdempotencyAlreadyInProgressError) {
        throw new TransientError('IN_PROGRESS', 'Another delivery of this event is being handled', { cause: error });
      }
      throw error;
    }
  };
}
