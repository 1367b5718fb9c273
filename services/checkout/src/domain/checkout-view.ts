import type { Checkout } from './checkout.ts';

/** A state that an execution was in. Times are ISO 8601. */
export interface VisitedState {
  state: string;
  enteredAt: string;
  /** Absent while it is in it. */
  leftAt?: string;
}

/** What a checkout has ended with. */
export interface ExecutionOutput {
  outcome: 'CONFIRMED' | 'CANCELLED';
  reason?: string;
  trackingNumber?: string;
}

/** As Step Functions or Lambda tells of it. */
export interface Execution {
  /**
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
   * https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecution.html
   */
  status: string;
  output?: ExecutionOutput;
  states: VisitedState[];
}

/**
 * STOPPED: a step could not be done or undone, and an operator has to resume the checkout.
 */
export type CheckoutStatus = 'REQUESTED' | 'RUNNING' | 'AWAITING_APPROVAL' | 'CONFIRMED' | 'CANCELLED' | 'STOPPED';

/** What `GET /checkouts/{checkoutId}` answers. */
export interface CheckoutView {
  checkoutId: string;
  /** That of the checkout; `GET /orders/{orderId}` has it once it is placed. */
  orderId: string;
  status: CheckoutStatus;
  requestedAt: string;
  /** The state it is in, or was in last. */
  state?: string;
  /** Why it was cancelled. */
  reason?: string;
  history: VisitedState[];
}

/**
 * A checkout as its customer sees it.
 * @param execution undefined when it has not started
 * @example checkoutView(checkoutId, checkout, await executions.find(checkoutId)).status; // 'RUNNING'
 */
export function checkoutView(checkoutId: string, { requestedAt }: Checkout, execution?: Execution): CheckoutView {
  const { output, states: history = [] } = execution ?? {};
  const state = history.at(-1)?.state;
  return {
    ...{ checkoutId, orderId: checkoutId, status: statusOf(execution, state), requestedAt },
    ...(state !== undefined && { state }),
    ...(output?.reason !== undefined && { reason: output.reason }),
    history,
  };
}

function statusOf(execution: Execution | undefined, state: string | undefined): CheckoutStatus {
  if (!execution) return 'REQUESTED';
  switch (execution.status) {
    case 'SUCCEEDED':
      return execution.output?.outcome ?? 'CONFIRMED';
    case 'RUNNING':
    case 'PENDING_REDRIVE':
      return state === 'RequestApproval' ? 'AWAITING_APPROVAL' : 'RUNNING';
    default:
      return 'STOPPED';
  }
}
