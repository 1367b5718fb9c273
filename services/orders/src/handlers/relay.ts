import { relay } from '@millrace/event-store';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '../../events/index.ts';

/** Emits the orders' own events from the table's stream, and their analytics variants. */
export const handler = relay([OrderCancelled, OrderConfirmed, OrderPlaced]);
