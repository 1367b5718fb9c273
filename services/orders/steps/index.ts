import { type StepContract, StepRefusal } from '@millrace/steps';
import * as z from 'zod';
import { cancellationReason, checkoutOrder } from '../events/index.ts';

/** Places an order that the checkout takes through its steps. */
export const placeOrderForCheckout = {
  name: 'orders.placeOrderForCheckout',
  input: z.object({ order: checkoutOrder }),
} as const satisfies StepContract;

/** Keeps the customer from cancelling an order that is about to be charged. Refuses with CancellationRequested. */
export const lockOrderForCheckout = {
  name: 'orders.lockOrderForCheckout',
  input: z.object({ order: checkoutOrder }),
} as const satisfies StepContract;

/** The customer has cancelled an order before it was charged. */
export class CancellationRequested extends StepRefusal {
  constructor() {
    super('CANCELLATION_REQUESTED', 'Cancelled at your request');
  }
}

/** Confirms an order whose checkout has shipped it. */
export const confirmOrderForCheckout = {
  name: 'orders.confirmOrderForCheckout',
  input: z.object({ order: checkoutOrder, trackingNumber: z.string().min(1) }),
} as const satisfies StepContract;

/** Cancels an order whose checkout is undone. */
export const cancelOrderForCheckout = {
  name: 'orders.cancelOrderForCheckout',
  input: z.object({
    order: checkoutOrder,
    cancellation: z.object({ reason: cancellationReason, detail: z.string().min(1) }),
  }),
} as const satisfies StepContract;
