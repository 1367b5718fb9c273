import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint } from '@millrace/http';
import { Checkouts } from '../adapters/checkouts.ts';
import { executionsFromEnvironment } from '../adapters/executions.ts';
import { checkoutView } from '../domain/checkout-view.ts';
import { checkoutNotFound, checkoutPath } from './checkout-path.ts';

const checkouts = new Checkouts(tableFromEnvironment());
const executions = executionsFromEnvironment();

/** `GET /checkouts/{checkoutId}`: where a checkout of the caller's is, and where it has been. */
export const handler = endpoint({ path: checkoutPath }, async ({ caller, path: { checkoutId } }) => {
  const checkout = await checkouts.find(checkoutId);
  if (checkout?.customerId !== caller.subject) throw checkoutNotFound();
  const execution = await executions[checkout.process].find(checkoutId);
  return { status: 200, body: checkoutView(checkoutId, checkout, execution) };
});
