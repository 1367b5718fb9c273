import { cancellationReason, checkoutOrder } from '@millrace/orders/events';
import type { StepContract } from '@millrace/steps';
import * as z from 'zod';

/** Tells the customer that the order will be delivered. */
export const sendConfirmationForCheckout = {
  name: 'notifications.sendConfirmationForCheckout',
  input: z.object({ order: checkoutOrder, trackingNumber: z.string().min(1) }),
} as const satisfies StepContract;

/** Tells the customer that the order will not be delivered, and why. */
export const notifyCancellationForCheckout = {
  name: 'notifications.notifyCancellationForCheckout',
  input: z.object({
    order: checkoutOrder,
    cancellation: z.object({ reason: cancellationReason, detail: z.string().min(1) }),
  }),
} as const satisfies StepContract;
