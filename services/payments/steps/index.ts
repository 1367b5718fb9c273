import { checkoutOrder } from '@millrace/orders/events';
import { type StepContract, StepRefusal } from '@millrace/steps';
import * as z from 'zod';

const input = z.object({ order: checkoutOrder });

/** Charges an order once. Refuses with PaymentFailed, and with PaymentEnded for an order that is not to be charged any more. */
export const processPaymentForCheckout = {
  name: 'payments.processPaymentForCheckout',
  input,
  output: z.object({ paymentId: z.string() }),
} as const satisfies StepContract;

/** Makes sure that an order costs nothing: refunds it, or prevents that it is charged. It is unavailable until that is certain. */
export const refundPaymentForCheckout = {
  name: 'payments.refundPaymentForCheckout',
  input,
} as const satisfies StepContract;

/** The provider refused the charge. */
export class PaymentFailed extends StepRefusal {
  constructor(reason: string) {
    super('PAYMENT_FAILED', `The payment was refused: ${reason}`);
  }
}

/** The payment of an order was undone, or is being undone. */
export class PaymentEnded extends StepRefusal {
  constructor(orderId: string) {
    super('PAYMENT_ENDED', `The payment of order ${orderId} has ended`);
  }
}
