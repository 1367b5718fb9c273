import { relay } from '@millrace/event-store';

/** Emits the payments' events from the table's stream. */
export const handler = relay();
