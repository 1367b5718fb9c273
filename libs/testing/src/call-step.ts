import type { Context } from 'aws-lambda';
import { lambdaContext } from './lambda-events.ts';

/** A handler that the state machine of the checkout calls. */
export type StepHandler = (event: unknown, context: Context) => Promise<unknown>;

/**
 * Calls a step as a state of an order's execution does: again with the same state and order is another attempt.
 * @param input what the step takes beside the order
 * @returns the answer of the step
 * @example await callStep(confirmOrder, 'ConfirmOrder', order, { trackingNumber: 'MR1' });
 */
export function callStep(
  handler: StepHandler,
  state: string,
  order: { orderId: string },
  input: object = {},
): Promise<unknown> {
  const idempotencyKey = `${order.orderId}:${state}`;
  return handler({ idempotencyKey, cause: { correlationId: 'correlation-1' }, order, ...input }, lambdaContext());
}
