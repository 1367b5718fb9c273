import type { HistoryEvent } from './engine/execution-state.ts';

/**
 * How many state transitions of a Standard execution these events are: what AWS bills. Each state is one, each retry of a task another,
 * and so is the end.
 * @example transitionsOf(events); // 3 for an execution of two states
 * https://aws.amazon.com/step-functions/pricing/
 */
export function transitionsOf(events: readonly Pick<HistoryEvent, 'type'>[]): number {
  return events.filter(({ type }) => (isStateEntered(type) ? !/^Task/.test(type) : isAttempt(type) || isEnd(type)))
    .length;
}

const isStateEntered = (type: string): boolean => type.endsWith('StateEntered');
/** A task that is retried is not entered again. */
const isAttempt = (type: string): boolean => /^(Task|LambdaFunction|Activity)Scheduled$/.test(type);
const isEnd = (type: string): boolean => /^Execution(Succeeded|Failed|TimedOut|Aborted)$/.test(type);
