import {
  CallbackExternalError,
  CallbackTimeoutError,
  createRetryStrategy,
  type DurableContext,
  InvokeError,
  JitterStrategy,
  withRetry,
} from '@aws/durable-execution-sdk-js';
import { readStepFailure, type StepContract, type StepFailure } from '@millrace/steps';
import type * as z from 'zod';
import { APPROVAL_SECONDS } from '../domain/approval.ts';
import type { ExecutionInput } from '../domain/executions.ts';
import { type Retries, type SagaState, sagaSteps } from '../domain/saga.ts';

/** A step that has failed, after its retries. */
export class StepFailed extends Error {
  readonly state: SagaState;
  readonly failure: StepFailure;

  constructor(state: SagaState, failure: StepFailure) {
    super(`${state} has failed: ${failure.message}`);
    this.name = failure.name ?? 'StepFailed';
    this.state = state;
    this.failure = failure;
  }
}

type OutputOf<State extends SagaState> = (typeof sagaSteps)[State]['contract'] extends {
  output: infer Output extends z.ZodType;
}
  ? z.output<Output>
  : undefined;

/** Calls the functions of the steps for one durable execution. */
export class DurableSteps {
  readonly #context: DurableContext;
  readonly #stage: string;
  readonly #request: Pick<ExecutionInput, 'order' | 'cause'>;

  constructor(context: DurableContext, stage: string, { order, cause }: Pick<ExecutionInput, 'order' | 'cause'>) {
    this.#context = context;
    this.#stage = stage;
    this.#request = { order, cause };
  }

  /**
   * Does a step, with its retries. Its idempotency key is that of its checkout, not of the execution: when an operator starts another
   * execution, its steps find what is done.
   * @param own the step's own input, without the order; what its contract does not know is left out
   * @throws StepFailed
   * @example const { trackingNumber } = await steps.run('CreateShipment');
   */
  async run<State extends SagaState>(state: State, own: object = {}): Promise<OutputOf<State>> {
    const { contract, retries } = sagaSteps[state];
    const { order, cause } = this.#request;
    const { input: contractInput }: StepContract = contract;
    const input = { idempotencyKey: `${order.orderId}:${state}`, cause, ...contractInput.parse({ order, ...own }) };
    const call = (context: DurableContext) => context.invoke(state, functionNameOf(contract.name, this.#stage), input);
    // Without a context of its own, so that an InvokeError stays one.
    const options = { retryStrategy: retryStrategyOf(retries), wrapWithRunInChildContext: false };
    let output: unknown;
    try {
      output = await withRetry(this.#context, state, call, options);
    } catch (error) {
      if (!(error instanceof InvokeError)) throw error;
      throw new StepFailed(state, readStepFailure(error.message));
    }
    if (!('output' in contract)) return undefined as OutputOf<State>;
    const { data, error } = contract.output.safeParse(output);
    // It has been done, but it is unknown what: as after a bug.
    if (error) throw new StepFailed(state, { name: 'InvalidStepOutput', message: `${contract.name} answered wrongly` });
    return data as OutputOf<State>;
  }

  /**
   * Asks a person to approve the order, and waits for the answer without running.
   * @param attempt of several executions of the same checkout the last one's request counts
   * @throws StepFailed named ApprovalRefused, ApprovalTimedOut, or as the request failed
   */
  async awaitApproval(attempt: number): Promise<void> {
    const state = 'RequestApproval';
    // Not waitForCallback: what it does to ask is a step inside this function, and here it is a function like every other step.
    const [answer, taskToken] = await this.#context.createCallback(state, { timeout: { seconds: APPROVAL_SECONDS } });
    await this.run(state, { taskToken, attempt });
    try {
      await answer;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof CallbackTimeoutError) throw new StepFailed(state, { name: 'ApprovalTimedOut', message });
      if (error instanceof CallbackExternalError) throw new StepFailed(state, { name: 'ApprovalRefused', message });
      throw error;
    }
  }
}

/** The name that a deployment gives a step's function, e.g. `millrace-orders-dev-placeOrderForCheckout`. */
function functionNameOf(contractName: string, stage: string): string {
  const [service, own] = contractName.split('.');
  return `millrace-${service}-${stage}-${own}`;
}

function retryStrategyOf({ maximum, firstDelaySeconds, longestDelaySeconds }: Retries) {
  const strategy = createRetryStrategy({
    maxAttempts: maximum + 1,
    initialDelay: { seconds: firstDelaySeconds },
    maxDelay: { seconds: longestDelaySeconds },
    backoffRate: 2,
    jitter: JitterStrategy.FULL,
  });
  return (error: unknown, attempts: number) =>
    mayPass(error) ? strategy(error as Error, attempts) : { shouldRetry: false };
}

/** Without a name it is Lambda that has ended the step, for example at its timeout. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof InvokeError)) return false;
  const { name } = readStepFailure(error.message);
  return name === undefined || name === 'StepUnavailable';
}
