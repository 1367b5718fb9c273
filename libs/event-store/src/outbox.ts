import type { EmittableEvent, EventEntry } from '@millrace/events';
import type { ConditionalWrite } from './commit.ts';
import { EventTooLargeError } from './errors.ts';
import { assertEmittable } from './event-store.ts';
import { compressed, PACKED_BYTES_PER_ITEM, type Packed, shortened } from './payload.ts';

/**
 * A row is of no use once the relay has emitted it, and the stream forgets it after 24 hours. The table keeps it for
 * longer than a dead-letter queue keeps the relay's letter about it: it is the only copy of an event that was not emitted.
 */
export const OUTBOX_SECONDS = 30 * 24 * 60 * 60;

/**
 * What stands in an item's `outbox` attribute. `detail` is empty when it is packed and never absent: the relay's filter
 * looks for it, and a relay that does not know `packed` takes the row for unreadable instead of emitting it.
 */
export function outboxEntry({ entry }: EmittableEvent, packed?: Packed): EventEntry & { packed?: Packed } {
  return packed ? { ...entry, detail: '', packed } : entry;
}

/**
 * The write that stores an event for the relay, beside the state it tells of. A large one is stored compressed.
 * @param partitionKey the aggregate's `pk`: the stream keeps the order of a partition's writes.
 * @throws EventTooLargeError when it fits neither into an item nor onto the bus.
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
          outbox: outboxAttribute(event, partitionKey),
          ttl: Math.floor(now.getTime() / 1000) + OUTBOX_SECONDS,
        },
      },
    },
  };
}

/**
 * The `outbox` attribute of a row beside plain state.
 * @throws EventTooLargeError when it fits neither into an item nor onto the bus.
 */
export function outboxAttribute(event: EmittableEvent, partitionKey: string): EventEntry & { packed?: Packed } {
  assertEmittable(event, partitionKey);
  const zstd = compressed(event.detail);
  if (zstd && zstd.byteLength > PACKED_BYTES_PER_ITEM) {
    throw new EventTooLargeError(
      `${event.detailType} of ${partitionKey} has ${zstd.byteLength} bytes, compressed, and a row takes ${PACKED_BYTES_PER_ITEM}`,
    );
  }
  return outboxEntry(event, zstd ? { zstd } : shortened(event.detail));
}
