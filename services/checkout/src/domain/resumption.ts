import type { ExecutionInput } from './executions.ts';
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
  /** Of one that an operator starts in place of one that has stopped, see `nextExecution`. */
  resume?: Partial<Resumption> & { count: number };
}
