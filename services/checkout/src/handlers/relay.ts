import { relay } from '@millrace/event-store';

/** Emits the checkouts' own events from the table's stream. */
export const handler = relay();
