/** What a caller can tell of a step that has failed. */
export interface StepFailure {
  /** That of the error class; undefined if Lambda ended the step, for example at its timeout. */
  name: string | undefined;
  /** Without the name. */
  message: string;
}

/** Lambda's own messages, such as `RequestId: … Error: Runtime exited`, never begin with a bracket. */
const NAMED = /^\[([\w.]+)\] (.*)$/s;

/**
 * Puts the name of an error in front of its message: `[PaymentFailed] The payment was refused`. Not every orchestrator passes on the
 * error type of a function that it invokes (durable functions do not), but each passes on its message.
 * @returns the same error
 * @example throw named(new PaymentFailed('expired card'));
 */
export function named(error: unknown): unknown {
  // An error may be thrown twice, such as that of a promise that is kept.
  if (error instanceof Error && !NAMED.test(error.message)) error.message = `[${error.name}] ${error.message}`;
  return error;
}

/**
 * Reads the message of a step that has failed.
 * @example readStepFailure('[PaymentFailed] The payment was refused').name; // 'PaymentFailed'
 */
export function readStepFailure(errorMessage: string): StepFailure {
  const [, name, message = errorMessage] = NAMED.exec(errorMessage) ?? [];
  return { name, message };
}
