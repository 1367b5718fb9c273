import { PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import { defineProjection } from '../projection.ts';

/** Money that was taken and given back, in minor units of each currency. */
export const revenue = defineProjection('revenue', [PaymentProcessed.analytics, PaymentRefunded.analytics], (event) => {
  if (event.detailType === 'PaymentProcessed.v1') {
    const { amount, currency } = event.data.total;
    return { [`paid.${currency}`]: amount };
  }
  const { amount, currency } = event.data.amount;
  return { [`refunded.${currency}`]: amount };
});
