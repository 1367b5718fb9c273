import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint, HttpError } from '@millrace/http';
import { Approvals } from '../adapters/approvals.ts';
import { Checkouts } from '../adapters/checkouts.ts';
import { executionsFromEnvironment } from '../adapters/executions.ts';
import { approvalRequest } from '../domain/approval-request.ts';
import { checkoutNotFound, checkoutPath } from './checkout-path.ts';

const table = tableFromEnvironment();
const checkouts = new Checkouts(table);
const approvals = new Approvals(table);
const executions = executionsFromEnvironment();

/**
 * `POST /checkouts/{checkoutId}/approval`: lets an order go on, or refuses it. The decision is on record before the execution is told, so
 * the same request again makes good what was interrupted, and another one cannot change it.
 */
export const handler = endpoint({ path: checkoutPath, body: approvalRequest }, async (request) => {
  const { caller, path, body, correlationId, traceparent } = request;
  const { checkoutId } = path;
  const { approved } = body;
  const checkout = await checkouts.find(checkoutId);
  if (!checkout) throw checkoutNotFound();
  if (checkout.customerId === caller.subject) {
    throw new HttpError(403, 'OWN_CHECKOUT', 'Another person has to approve your order');
  }
  const decision = { approved, decidedBy: caller.subject };
  const approval = await approvals.decide(checkoutId, decision, { correlationId, traceparent });
  if (!approval) {
    throw new HttpError(409, 'APPROVAL_NOT_AWAITED', 'The checkout does not wait for an approval');
  }
  if (approval.decision?.approved !== approved) {
    const detail = `The order was ${approval.decision?.approved ? 'approved' : 'refused'} before`;
    throw new HttpError(409, 'APPROVAL_DECIDED', detail);
  }
  const isWaiting = await executions[checkout.process].answerApproval(approval.taskToken, approved);
  // Without a wait an earlier request has ended it, or there was no time left for this one.
  if (!isWaiting && !approval.wasDecided) {
    throw new HttpError(409, 'APPROVAL_TOO_LATE', 'The checkout did not wait any longer for an approval');
  }
  return { status: 202, headers: { location: `/checkouts/${checkoutId}` }, body: { checkoutId, approved } };
});
