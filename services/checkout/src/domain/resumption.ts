import type { ExecutionInput } from '../adapters/executions.ts';
import type { Cancellation, SagaState } from './saga.ts';

/** What the next execution of a checkout needs to go on at the step that has failed: the ErrorData of the one that has stopped. */
export interface Resumption {
  /** The first of its states to do. */
  at: SagaState;
  /** On the way back. */
  cancellation?: Cancellation;
  /** Behind the last step that can be undone. */
  trackingNumber?: string;
}

/** What a durable execution of a checkout is started with. */
export interface DurableInput extends ExecutionInput {
  /** Of one that an operator starts in place of one that has stopped. */
  resume?: Partial<Resumption> & { /** Executions before it. */ count: number };
}

/**
 * The execution that goes on with a checkout in place of one that has stopped. Lambda cannot resume a durable execution.
 *
 * @param input of the execution that has stopped
 * @param errorData of its error; without it, as when an operator has stopped it or its time was over, the next one begins with the first
 *   step again: the steps that are done answer as they did
 * @example nextExecution(JSON.parse(InputPayload), Error?.ErrorData).name; // '0b9f6c1e-5a43-4c0e-9a51-6f4d4c1c2a11-1'
 */
export function nextExecution(input: DurableInput, errorData?: string): { name: string; input: DurableInput } {
  const { resume: earlier, ...request } = input;
  const count = (earlier?.count ?? 0) + 1;
  const progress = errorData === undefined ? {} : (JSON.parse(errorData) as Resumption);
  return { name: `${request.order.orderId}-${count}`, input: { ...request, resume: { ...progress, count } } };
}
