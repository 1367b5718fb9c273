import { PermanentError, TransientError } from '@millrace/errors';

/**
 * A step was not done, for a reason that belongs to the process. Extend it: the class name is the error name that an
 * orchestrator catches, so it has no suffix.
 * @example
 * class PaymentFailed extends StepRefusal {
 *   constructor(reason: string) {
 *     super('PAYMENT_FAILED', `The payment was refused: ${reason}`);
 *   }
 * }
 */
export abstract class StepRefusal extends PermanentError {}

/** The same input may succeed later. The one name of everything that an orchestrator should retry. */
export class StepUnavailable extends TransientError {
  constructor(step: string, cause: unknown) {
    super('STEP_UNAVAILABLE', `${step} cannot be done now: ${cause instanceof Error ? cause.name : 'unknown'}`, {
      cause,
    });
  }
}

/** The input does not fit the step's contract. It names fields, not values: errors end up in the history of executions. */
export class InvalidStepInput extends PermanentError {
  constructor(step: string, fields: readonly string[]) {
    super('INVALID_STEP_INPUT', `The input of ${step} is not valid: ${fields.join(', ')}`);
  }
}
