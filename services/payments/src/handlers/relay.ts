import { relay } from '@millrace/event-store';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '../../events/index.ts';

/** Emits the payments' events from the table's stream, and their analytics variants. */
export const handler = relay([PaymentFailed, PaymentProcessed, PaymentRefunded]);
