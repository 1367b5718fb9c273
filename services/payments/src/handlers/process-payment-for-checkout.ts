import { ignoringDuplicates, step } from '@millrace/steps';
import { PaymentEnded, PaymentFailed, processPaymentForCheckout } from '../../steps/index.ts';
import { paymentsFromEnvironment } from '../adapters/payments.ts';

const payments = paymentsFromEnvironment();

/** Charges an order in checkout. Answers from the payment, which is the same after a repeated call. */
export const handler = step(processPaymentForCheckout, async ({ order }, { cause, inbox }) => {
  await ignoringDuplicates(payments.charge(order, cause, inbox));
  const payment = await payments.find(order.orderId);
  if (payment?.status === 'CAPTURED' && payment.paymentId) return { paymentId: payment.paymentId };
  if (payment?.status === 'REFUSED') throw new PaymentFailed(payment.declineReason ?? 'declined');
  throw new PaymentEnded(order.orderId);
});
