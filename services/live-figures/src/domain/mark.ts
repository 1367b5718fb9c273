import { createHash } from 'node:crypto';
import type { Event } from '@millrace/events';

/** What an event is recognised by: 72 bits of its id. Of a million events beside each other no two share them. */
export function markOf({ metadata: { id } }: Pick<Event, 'metadata'>): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 12);
}
