import { tableFromEnvironment } from '@millrace/event-store';
import { step } from '@millrace/steps';
import { requestApproval } from '../../steps/index.ts';
import { Approvals } from '../adapters/approvals.ts';

const approvals = new Approvals(tableFromEnvironment());

/** Puts on record that an order waits for its approval, and how to answer, and has the approvers told. */
export const handler = step(requestApproval, ({ order: { orderId, total }, taskToken, attempt }, { cause }) =>
  approvals.request(orderId, { taskToken, attempt, total }, cause),
);
