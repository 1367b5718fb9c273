import { relay } from '@millrace/event-store';

/** Emits fulfillment's events from the table's stream. */
export const handler = relay();
