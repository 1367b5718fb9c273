import type { EmittableEvent } from '@millrace/events';
import type { ConditionalWrite } from './commit.ts';

/**
 * A row is of no use once the relay has emitted it, and the stream forgets it after 24 hours. The table keeps it for
 * longer than a dead-letter queue keeps the relay's letter about it: it is the only copy of an event that was not emitted.
 */
const OUTBOX_SECONDS = 30 * 24 * 60 * 60;

/**
 * The write that stores an event for the relay, beside the state it tells of.
 * @param partitionKey the aggregate's `pk`: the stream keeps the order of a partition's writes.
 */
export function outboxRow(tableName: string, partitionKey: string, event: EmittableEvent, now: Date): ConditionalWrite {
  const { id } = (event.event as { metadata: { id: string } }).metadata;
  return {
    write: {
      Put: {
        TableName: tableName,
        Item: {
          pk: partitionKey,
          sk: `OUTBOX#${id}`,
          outbox: event.entry,
          ttl: Math.floor(now.getTime() / 1000) + OUTBOX_SECONDS,
        },
      },
    },
  };
}
