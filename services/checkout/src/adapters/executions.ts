import type { Cause } from '@millrace/events';
import type { CheckoutOrder } from '@millrace/orders/events';
import type { CheckoutProcess } from '../domain/checkout.ts';
import type { Execution } from '../domain/checkout-view.ts';
import { durableExecutionsFromEnvironment } from './durable-executions.ts';
import { stateMachineExecutionsFromEnvironment } from './state-machine-executions.ts';

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

/**
 * The executions of both processes: a stage may have chosen another one since a checkout was requested.
 * @throws ConfigurationError when MILLRACE_STATE_MACHINE or MILLRACE_CHECKOUT_FUNCTION is not set
 * @example await executionsFromEnvironment()[checkout.process].find(checkoutId);
 */
export function executionsFromEnvironment(): Readonly<Record<CheckoutProcess, Executions>> {
  return {
    'state-machine': stateMachineExecutionsFromEnvironment(),
    'durable-function': durableExecutionsFromEnvironment(),
  };
}
