import { type DurableContext, DurableOperationError, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { variableFrom } from '@millrace/errors';
import { shownIdentifier } from '@millrace/privacy';
import { logger } from '@millrace/telemetry';
import { DurableSteps, StepFailed } from '../adapters/durable-steps.ts';
import type { ExecutionOutput } from '../domain/checkout-view.ts';
import type { DurableInput, Resumption } from '../domain/resumption.ts';
import { type Cancellation, compensations, notificationOf, type SagaState, wayBackFrom } from '../domain/saga.ts';

const stage = variableFrom('MILLRACE_STAGE', 'the name of a stage');

/**
 * A step that must succeed has failed. The execution fails with the name of the step's error; its ErrorData is the Resumption.
 */
class CheckoutStopped extends DurableOperationError {
  readonly errorType: string;
  readonly at: SagaState;

  constructor({ name, message }: StepFailed, resumption: Resumption) {
    super(message, undefined, JSON.stringify(resumption));
    this.errorType = name;
    this.at = resumption.at;
  }
}

/**
 * Takes an order through its steps, or back: checkout.asl.json as a function. Lambda replays it from the start after each step that it
 * waits for, and each step that is done answers at once. So it decides by nothing but its input and the answers of steps.
 */
export async function checkout(input: DurableInput, context: DurableContext): Promise<ExecutionOutput> {
  const checkout_id = shownIdentifier(input.order.orderId);
  try {
    const output = await takeThroughSteps(input, context);
    // Only the last invocation comes to this line.
    logger.info('Checkout ended', { checkout_id, outcome: output.outcome });
    return output;
  } catch (error) {
    if (error instanceof CheckoutStopped) {
      logger.error('Checkout stopped', { checkout_id, state: error.at, error_type: error.errorType });
    }
    throw error;
  }
}

async function takeThroughSteps(input: DurableInput, context: DurableContext): Promise<ExecutionOutput> {
  const steps = new DurableSteps(context, stage, input);
  const { at = 'PlaceOrder', cancellation, trackingNumber } = input.resume ?? {};
  if (cancellation) return cancel(steps, cancellation, at);
  if (trackingNumber !== undefined) return confirm(steps, trackingNumber, at);
  await mustSucceed(steps, 'PlaceOrder', {});
  try {
    await steps.run('ReserveInventory');
    if (input.approvalRequired) await steps.awaitApproval((input.resume?.count ?? 0) * 1_000);
    await steps.run('LockOrder');
    await steps.run('ProcessPayment');
    return await confirm(steps, (await steps.run('CreateShipment')).trackingNumber);
  } catch (error) {
    const back = error instanceof StepFailed ? wayBackFrom(error.state, error.failure) : undefined;
    if (!back) throw error;
    // The execution before this one left nothing: it may have done any step, for example charged the order.
    return cancel(steps, back.cancellation, input.resume ? compensations[0] : back.undo[0]);
  }
}

/** From here on there is only forward. */
async function confirm(
  steps: DurableSteps,
  trackingNumber: string,
  at: SagaState = 'ConfirmOrder',
): Promise<ExecutionOutput> {
  for (const state of from(at, ['ConfirmOrder', 'SendConfirmation']))
    await mustSucceed(steps, state, { trackingNumber });
  return { outcome: 'CONFIRMED', trackingNumber };
}

async function cancel(
  steps: DurableSteps,
  cancellation: Cancellation,
  at: SagaState = 'CancelOrder',
): Promise<ExecutionOutput> {
  for (const state of from(at, [...compensations, notificationOf(cancellation)])) {
    await mustSucceed(steps, state, { cancellation });
  }
  return { outcome: 'CANCELLED', reason: cancellation.reason };
}

function from<State extends SagaState>(first: SagaState, states: readonly State[]): readonly State[] {
  return states.slice(states.indexOf(first as State));
}

/** Does a step, and stops the checkout there if it cannot be done. */
async function mustSucceed(steps: DurableSteps, state: SagaState, progress: Omit<Resumption, 'at'>): Promise<void> {
  try {
    await steps.run(state, progress);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    throw new CheckoutStopped(error, { at: state, ...progress });
  }
}

export const handler = withDurableExecution(checkout);
