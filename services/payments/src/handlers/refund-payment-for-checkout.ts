import { ignoringDuplicates, step } from '@millrace/steps';
import { refundPaymentForCheckout } from '../../steps/index.ts';
import { paymentsFromEnvironment } from '../adapters/payments.ts';

const payments = paymentsFromEnvironment();

/** Gives the money of an order back whose checkout is undone, or makes sure that none is taken. */
export const handler = step(refundPaymentForCheckout, async ({ order }, { cause, inbox }) => {
  await ignoringDuplicates(payments.cancel(order, cause, inbox));
});
