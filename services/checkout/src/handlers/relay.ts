import { relay } from '@millrace/event-store';
import { CheckoutApprovalRequested, StartCheckout } from '../../events/index.ts';

/** Emits the checkouts' own events from the table's stream, and their analytics variants. */
export const handler = relay([CheckoutApprovalRequested, StartCheckout]);
