import { consume } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { orderQuotaFromEnvironment } from '@millrace/orders/requests';
import { PaymentFailed } from '@millrace/payments/events';
import { Checkouts } from '../adapters/checkouts.ts';

const checkouts = new Checkouts(tableFromEnvironment());
const quota = orderQuotaFromEnvironment();

/**
 * Counts the failed payments of a customer's checkouts: after too many, the customer may not start another one for the rest of the hour.
 * Counting the same payment twice changes nothing. Orders that are not checkouts are ignored.
 */
export const handler = consume([PaymentFailed], async ({ data: { orderId }, metadata }) => {
  const checkout = await checkouts.find(orderId);
  if (checkout) await quota.countFailure(checkout.customerId, orderId, new Date(metadata.timestamp));
});
