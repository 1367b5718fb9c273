import { consume } from '@millrace/consumer';
import { variableFrom } from '@millrace/errors';
import { tableFromEnvironment } from '@millrace/event-store';
import { StartCheckout } from '../../events/index.ts';
import { Checkouts, checkoutProcessFromEnvironment } from '../adapters/checkouts.ts';
import { executionsFromEnvironment } from '../adapters/executions.ts';
import { approvalPolicyFrom, isApprovalRequired } from '../domain/approval-policy.ts';

const checkouts = new Checkouts(tableFromEnvironment());
const executions = executionsFromEnvironment();
/** For a command from an archive, which is older than any row. */
const chosen = checkoutProcessFromEnvironment();
const policy = approvalPolicyFrom(variableFrom('MILLRACE_APPROVAL_ABOVE', 'amounts such as "EUR=100000"'));

/**
 * Starts the execution of a checkout, by the process that its stage had chosen when it was requested: a command that comes twice finds the
 * same one. The execution's name keeps it from starting twice, so there is no inbox mark.
 */
export const handler = consume([StartCheckout], async ({ data: { order } }, { cause }) => {
  const { process = chosen } = (await checkouts.find(order.orderId)) ?? {};
  await executions[process].start({ order, cause, approvalRequired: isApprovalRequired(order.total, policy) });
});
