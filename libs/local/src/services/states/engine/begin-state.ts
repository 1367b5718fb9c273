import {
  type ChoiceState,
  errorNames,
  type FailState,
  RuntimeFailure,
  type Scope,
  StateFailure,
  type StateOutput,
  type TaskState,
} from '@millrace/states-language';
import type { Thread } from './execution-state.ts';
import { goOnJoining, startMap, startParallel } from './joins.ts';
import type { Progress, Run } from './run.ts';
import { taskEvents } from './task-events.ts';

/**
 * Begins the work of a state, or goes on with it.
 * @throws StateFailure and RuntimeFailure where it fails
 */
export async function beginState(run: Run, thread: Thread): Promise<Progress> {
  const state = run.stateOf(thread);
  if (thread.join) return goOnJoining(run, thread);
  const scope = run.scopeOf(thread);
  switch (state.type) {
    case 'Pass': {
      const input = await state.flow.prepare(scope);
      return { result: state.result ?? input };
    }
    case 'Succeed':
      return { result: await state.flow.prepare(scope) };
    case 'Fail':
      throw await failureOf(state, scope);
    case 'Wait': {
      const wakeAt = await state.until({ ...scope, input: await state.flow.prepare(scope) });
      if (wakeAt <= run.chance.now()) return { result: thread.input };
      Object.assign(thread, { phase: 'waiting', wakeAt });
      run.touch(thread);
      return 'waits';
    }
    case 'Choice': {
      const { output, next } = await choose(state, scope);
      return { output, next };
    }
    case 'Task':
      return scheduleTask(run, thread, state);
    case 'Parallel':
      return startParallel(run, thread, state);
    default:
      return startMap(run, thread, state);
  }
}

/** The error of a Fail state. */
export async function failureOf({ error, reason }: FailState, scope: Scope): Promise<StateFailure> {
  return new StateFailure(await error?.(scope), await reason?.(scope));
}

/**
 * Decides a Choice state.
 * @throws RuntimeFailure States.NoChoiceMatched
 */
export async function choose(state: ChoiceState, scope: Scope): Promise<{ output: StateOutput; next: string }> {
  const input = await state.flow.prepare(scope);
  const visible = { ...scope, input };
  for (const rule of state.rules) {
    if (!(await rule.matches(visible))) continue;
    const { output, assigned } = await rule.flow.complete(visible, input);
    // In JSONPath the output is cut out by the state, not by the rule.
    const own = state.language === 'JSONata' ? output : (await state.flow.complete({ ...scope }, input)).output;
    return { output: { output: own, assigned }, next: rule.next };
  }
  if (state.default === undefined) {
    throw new RuntimeFailure(
      'Failed to transition out of the state. The state does not point to a next state.',
      errorNames.noChoiceMatched,
    );
  }
  return { output: await state.flow.complete(scope, input), next: state.default };
}

async function scheduleTask(run: Run, thread: Thread, state: TaskState): Promise<Progress> {
  const { resource } = state;
  const needsToken =
    resource.kind === 'activity' || (resource.kind === 'integration' && resource.pattern === 'waitForTaskToken');
  const token = needsToken ? tokenOf(run, thread) : null;
  const blank = {
    parameters: null,
    timeoutAt: null,
    heartbeatSeconds: null,
    heartbeatAt: null,
    submitted: undefined,
    early: undefined,
  };
  // The context object has the token already while the parameters are made.
  thread.task = { ...blank, token };
  const scope = run.scopeOf(thread);
  const parameters = await state.flow.prepare(scope);
  const timeoutSeconds = await state.timeoutSeconds?.(scope);
  const heartbeatSeconds = (await state.heartbeatSeconds?.(scope)) ?? null;
  const now = run.chance.now();
  const after = (seconds: number | null | undefined) =>
    seconds === null || seconds === undefined ? null : now + seconds * 1000;
  const task = {
    ...blank,
    token,
    parameters,
    timeoutAt: after(timeoutSeconds),
    heartbeatSeconds,
    heartbeatAt: after(heartbeatSeconds),
  };
  thread.task = task;
  const events = taskEvents(resource);
  run.emit(thread, events.scheduled(task, { timeoutSeconds }, run.region));
  const started = events.started();
  if (started) run.emit(thread, started);
  thread.phase = 'working';
  run.start(thread);
  return 'waits';
}

/** Where the answer to a task belongs, and something that cannot be guessed. */
interface TokenContent {
  readonly execution: string;
  readonly thread: number;
  readonly attempt: number;
}

function tokenOf({ execution, chance }: Run, { id, attempt }: Thread): string {
  return Buffer.from(JSON.stringify([execution.arn, id, attempt, chance.uuid()])).toString('base64url');
}

/** Reads a task token; undefined for what is not one. */
export function readToken(token: string): TokenContent | undefined {
  try {
    const [execution, thread, attempt] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (typeof execution !== 'string' || typeof thread !== 'number' || typeof attempt !== 'number') return undefined;
    return { execution, thread, attempt };
  } catch {
    return undefined;
  }
}
