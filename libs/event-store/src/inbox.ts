import { type DocumentClient, paginateQuery } from '@millrace/aws';
import { DuplicateEventError } from '@millrace/errors';
import { DEDUPLICATION_SECONDS, type EmittableEvent, type InboxKey } from '@millrace/events';
import type { ConditionalWrite } from './commit.ts';
import { outboxAttribute } from './outbox.ts';

/** The key of the mark that a consumer has handled an event. */
export function inboxKey({ consumer, eventId }: InboxKey): { pk: string; sk: string } {
  return { pk: `INBOX#${consumer}#${eventId}`, sk: 'INBOX' };
}

/**
 * The write that marks an event as handled by a consumer. In the transaction of the effect it makes the effect happen
 * exactly once: a second delivery fails with DuplicateEventError and changes nothing.
 *
 * @param emit what follows from the event, for the relay: it is kept as long as the mark, and needs no row of its own
 * @throws EventTooLargeError when that fits neither into an item nor onto the bus
 */
export function inboxMark(
  tableName: string,
  { consumer, eventId }: InboxKey,
  now: Date,
  emit?: EmittableEvent,
): ConditionalWrite {
  const key = inboxKey({ consumer, eventId });
  return {
    write: {
      Put: {
        TableName: tableName,
        Item: {
          ...key,
          ...(emit && { outbox: outboxAttribute(emit, key.pk) }),
          ttl: Math.floor(now.getTime() / 1000) + DEDUPLICATION_SECONDS,
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    },
    onConditionFailed: (options) => new DuplicateEventError(consumer, eventId, options),
  };
}

/**
 * Whether an event caused one of a stream: by that it was handled, and needs no mark, see `marksByCause` of an aggregate.
 * @example await hasEffectIn(client, 'orders', `ORDER#${orderId}`, stockReserved.metadata.id);
 */
export async function hasEffectIn(
  client: DocumentClient,
  tableName: string,
  streamId: string,
  eventId: string,
): Promise<boolean> {
  const pages = paginateQuery(client, {
    TableName: tableName,
    KeyConditionExpression: 'pk = :stream AND begins_with(sk, :event)',
    FilterExpression: 'causationId = :cause',
    ProjectionExpression: 'pk',
    ExpressionAttributeValues: { ':stream': streamId, ':event': 'EVENT#', ':cause': eventId },
    ConsistentRead: true,
  });
  for await (const { Items = [] } of pages) if (Items.length > 0) return true;
  return false;
}
