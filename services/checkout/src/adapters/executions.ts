import type { CheckoutProcess } from '../domain/checkout.ts';
import type { Executions } from '../domain/executions.ts';
import { durableExecutionsFromEnvironment } from './durable-executions.ts';
import { stateMachineExecutionsFromEnvironment } from './state-machine-executions.ts';

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
