import { errorNames, type Retrier, type StateFailure } from '@millrace/states-language';

/** Errors that end an execution: no retrier or catcher takes them. */
const terminal = new Set<string | undefined>([errorNames.runtime]);
/** Errors that States.ALL and States.TaskFailed do not include. */
const unlisted = new Set<string | undefined>([errorNames.runtime, errorNames.dataLimit]);
const timeouts = new Set<string | undefined>([errorNames.timeout, errorNames.heartbeatTimeout]);

/**
 * Whether `ErrorEquals` is about a failure.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation
 */
export function matchesError(
  errors: readonly string[],
  { error, alias }: Pick<StateFailure, 'error' | 'alias'>,
): boolean {
  if (terminal.has(error)) return false;
  return errors.some((name) => {
    if (name === errorNames.all) return !unlisted.has(error);
    if (name === errorNames.taskFailed && !timeouts.has(error) && !unlisted.has(error)) return true;
    return name === error || (alias !== undefined && name === alias);
  });
}

/** What becomes of a failure by the retriers of a state. */
export interface Retry {
  /** The retrier. */
  readonly index: number;
  readonly delaySeconds: number;
}

/**
 * Finds the retrier of a failure.
 * @param used by retrier, how often it was used in this state
 * @returns undefined where the first one that matches has been used up, or if no retrier matches
 */
export function findRetry(
  retriers: readonly Retrier[],
  failure: StateFailure,
  used: readonly number[],
  random: () => number,
): Retry | undefined {
  const index = retriers.findIndex(({ errors }) => matchesError(errors, failure));
  const retrier = retriers[index];
  const count = used[index] ?? 0;
  if (!retrier || count >= retrier.maxAttempts) return undefined;
  return { index, delaySeconds: delayOf(retrier, count) * (retrier.hasFullJitter ? random() : 1) };
}

/** The seconds before a retry, without jitter. @param count retries before it */
export function delayOf(
  { intervalSeconds, backoffRate, maxDelaySeconds = Number.POSITIVE_INFINITY }: Retrier,
  count: number,
): number {
  return Math.min(intervalSeconds * backoffRate ** count, maxDelaySeconds);
}
