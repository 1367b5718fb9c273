import { documentClient, PutCommand } from '@millrace/aws';
import { UnavailableError } from '@millrace/errors';
import { DEDUPLICATION_SECONDS, handledMarkId } from '@millrace/events';
import { IdempotencyAlreadyInProgressError, IdempotencyTable } from '@millrace/idempotency';
import { idempotencyTableFromEnvironment } from '@millrace/idempotency/table-name';
import type { EffectMarks } from './effect-marks.ts';

/**
 * De-duplication for effects outside DynamoDB (a mail, a provider call), by Powertools idempotency, which only the functions
 * that import this have in their bundles.
 *
 * A crash between the effect and its mark repeats the effect: hand the event id on as the provider's own key. While another
 * delivery runs the effect, and for some minutes after a crash, it throws `IN_PROGRESS`, by which the record is deferred.
 *
 * Powertools marks single steps, and only the handler knows how many there are. A mark of its own tells operators that all of
 * them are done.
 *
 * @param options for tests to replace
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set
 * @example
 * export const handler = consume([OrderConfirmed], (event, { once }) => once('email', () => mailer.send(event)), {
 *   deduplication: idempotencyMarks(),
 * });
 */
export function idempotencyMarks({ now = () => new Date() }: { now?: () => Date } = {}): EffectMarks {
  const tableName = idempotencyTableFromEnvironment();
  const client = documentClient();
  const table = new IdempotencyTable(tableName, {
    keyPrefix: 'consumer',
    expiresAfterSeconds: DEDUPLICATION_SECONDS,
    client,
    now,
  });
  return {
    async runOnce(key, context, effect) {
      try {
        await table.run({ key, context }, effect);
      } catch (error) {
        if (error instanceof IdempotencyAlreadyInProgressError) {
          throw new UnavailableError('IN_PROGRESS', 'Another delivery of this event is being handled', {
            cause: error,
          });
        }
        throw error;
      }
    },
    async recordHandled({ consumer, eventId }) {
      const expiration = Math.floor(now().getTime() / 1000) + DEDUPLICATION_SECONDS;
      const Item = { id: handledMarkId(consumer, eventId), expiration };
      await client.send(new PutCommand({ TableName: tableName, Item }));
    },
  };
}
