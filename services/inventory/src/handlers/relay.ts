import { relay } from '@millrace/event-store';

/** Emits inventory's events from the table's stream. */
export const handler = relay();
