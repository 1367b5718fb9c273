import { consume } from '@millrace/consumer';
import { variableFrom } from '@millrace/errors';
import { StartCheckout } from '../../events/index.ts';
import { executionsFromEnvironment } from '../adapters/executions.ts';
import { approvalPolicyFrom, isApprovalRequired } from '../domain/approval-policy.ts';

const executions = executionsFromEnvironment();
const policy = approvalPolicyFrom(variableFrom('MILLRACE_APPROVAL_ABOVE', 'amounts such as "EUR=100000"'));

/** Starts the state machine for a checkout. The execution's name keeps it from starting twice, so there is no inbox mark. */
export const handler = consume([StartCheckout], async ({ data: { order } }, { cause }) => {
  await executions.start({ order, cause, approvalRequired: isApprovalRequired(order.total, policy) });
});
