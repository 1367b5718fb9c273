import type { Cause } from '@millrace/events';
import type { CheckoutOrder } from '@millrace/orders/events';
import type { Execution } from './checkout-view.ts';

/** What an execution is started with. */
export interface ExecutionInput {
  order: CheckoutOrder;
  cause: Cause;
  approvalRequired: boolean;
}

/** The executions that take checkouts through their steps. Each has the name of its checkout, so there is one for each. */
export interface Executions {
  /**
   * Starts the execution of a checkout, once.
   * @example await executions.start({ order, cause, approvalRequired: false });
   */
  start: (input: ExecutionInput) => Promise<void>;
  /** The execution of a checkout with the states it was in, or undefined when it has not started, or is forgotten. */
  find: (checkoutId: string) => Promise<Execution | undefined>;
  /**
   * Answers a state that waits for an approval.
   * @returns false when it does not wait any more
   * @example await executions.answerApproval(taskToken, true);
   */
  answerApproval: (taskToken: string, approved: boolean) => Promise<boolean>;
}
