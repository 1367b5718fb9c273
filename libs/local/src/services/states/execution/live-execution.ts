import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Chance, CompiledDefinition, IntegrationPattern, Json, TaskResource } from '@millrace/states-language';
import type { Clock, Timer } from '../../../core/clock.ts';
import type { ExecutionState, TaskOutcome, Thread } from '../engine/execution-state.ts';
import { Interpreter } from '../engine/interpreter.ts';
import type { Changes } from '../engine/run.ts';

/** A task that is to be run. */
export interface TaskCall {
  readonly execution: ExecutionState;
  readonly thread: Thread;
  readonly attempt: number;
  readonly resource: TaskResource;
  readonly parameters: Json;
  readonly token: string | null;
}

/** Runs tasks. */
export interface TaskRunner {
  /** Sends the request of a task. @throws TaskError */
  request(call: TaskCall): Promise<Json>;
  /** Waits for the end of what a request has started, e.g. of another execution. */
  outcome(call: TaskCall, submitted: Json): Promise<TaskOutcome>;
  /**
   * Ends what a request has started, because its task is over: it has timed out, or was aborted.
   * @param submitted what the request was answered with; undefined where it has not been
   */
  cancel(call: TaskCall, submitted: Json | undefined): void;
}

/** The service that a task calls has refused or failed. */
export class TaskError extends Error {
  readonly error: string;

  constructor(error: string, cause: string) {
    super(cause);
    this.name = 'TaskError';
    this.error = error;
  }
}

export interface LiveExecutionOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly tasks: TaskRunner;
  /** Records what has changed. Tasks are started only after it. */
  save(state: ExecutionState, changes: Changes): void;
  /** The execution has ended. */
  onEnd(state: ExecutionState): void;
  /** Something that is a fault of this machine, not of the execution. */
  onFault(error: unknown): void;
}

/** How long answers are waited for when the execution is closed. */
const CLOSE_WITHIN_MS = 1000;

/** How long an execution rests whose changes cannot be recorded, e.g. on a full disk. */
const UNRECORDED_PAUSE_MS = 10_000;

/** Steps that are recorded together at most. Between them the process may do other things. */
const BATCH = 50;

/**
 * An execution that runs in this process: it lets the interpreter go on when something has happened, records each change before the
 * tasks that follow from it are started, and sets timers.
 */
export class LiveExecution {
  readonly state: ExecutionState;
  readonly #options: LiveExecutionOptions;
  readonly #interpreter: Interpreter;
  readonly #timers = new Map<number | 'execution' | 'record', Timer>();
  /** Tasks under way, by thread. */
  readonly #calls = new Map<number, TaskCall>();
  /** What the service answered that has accepted a task. */
  readonly #submitted = new WeakMap<TaskCall, Json>();
  /** Requests whose answers are not there yet. */
  readonly #requests = new Map<TaskCall, Promise<unknown>>();
  /** What happens is dealt with one after the other. */
  #last: Promise<void> = Promise.resolve();
  /** Open; open, but no task is started any more; or closed. */
  #mode: 'open' | 'closing' | 'closed' = 'open';

  constructor(state: ExecutionState, definition: CompiledDefinition, options: LiveExecutionOptions) {
    this.state = state;
    this.#options = options;
    this.#interpreter = new Interpreter(state, definition, options.chance);
  }

  /** Begins. @returns once the beginning is recorded */
  start(): void {
    this.#interpreter.start();
    this.#record();
    void this.#then(() => {});
  }

  /**
   * Goes on where another process has ended: waits and timeouts keep their times, requests whose answer is not known are sent again.
   */
  resume(): void {
    if (this.state.nextEventId === 1) {
      // The other process has taken it, and has ended before it could begin.
      this.start();
      return;
    }
    for (const thread of this.state.threads.values()) {
      this.#setTimer(thread);
      if (thread.phase === 'working') this.#run(thread, thread.attempt);
    }
    this.#setExecutionTimer();
    void this.#then(() => {});
  }

  async redrive(): Promise<void> {
    await this.#then(() => this.#interpreter.redrive());
  }

  async stop(status: 'ABORTED' | 'TIMED_OUT', error?: string, cause?: string): Promise<void> {
    await this.#then(() => this.#interpreter.stop(status, error, cause));
  }

  /** Resolves when the outcome has been recorded. */
  async finishTask(threadId: number, attempt: number, outcome: TaskOutcome): Promise<void> {
    await this.#then(() => this.#interpreter.finished(threadId, attempt, outcome));
  }

  /**
   * The holder of a task's token reports its outcome.
   * @returns true once that is recorded; false if the task does not wait for it any more, or this execution is closed
   */
  async answerTask(threadId: number, attempt: number, outcome: TaskOutcome): Promise<boolean> {
    return (await this.#then(() => this.#interpreter.answered(threadId, attempt, outcome))) ?? false;
  }

  /** @returns as answerTask */
  async heartbeat(threadId: number, attempt: number): Promise<boolean> {
    return (await this.#then(() => this.#interpreter.heartbeat(threadId, attempt))) ?? false;
  }

  /** True if a task waits for its token. */
  isWaiting(threadId: number, attempt: number, token: string): boolean {
    const thread = this.state.threads.get(threadId);
    const isUnderWay = this.state.status === 'RUNNING' && thread?.phase === 'working' && thread.attempt === attempt;
    return isUnderWay && thread.task?.token === token && !thread.task.early;
  }

  /**
   * Lets it rest. No task is started any more: that is left to the next start. Answers to requests are waited for a moment, since a
   * request whose answer is not recorded is sent again.
   */
  async close(): Promise<void> {
    if (this.#mode === 'closed') return;
    this.#mode = 'closing';
    const timeUp = new AbortController();
    const answered = Promise.allSettled(this.#requests.values());
    await Promise.race([answered, delay(CLOSE_WITHIN_MS, undefined, { signal: timeUp.signal }).catch(() => {})]);
    timeUp.abort();
    // What answers have been waited for is dealt with before.
    await nextTurn();
    await this.#last;
    this.#mode = 'closed';
    for (const timer of this.#timers.values()) timer.cancel();
    await this.#last;
  }

  /** @returns what `act` returns, once all that follows from it is recorded; undefined if this execution is closed */
  #then<T>(act: () => T | Promise<T>): Promise<T | undefined> {
    const done = this.#last.then(async () => {
      if (this.#mode === 'closed') return undefined;
      const result = await act();
      await this.#goOn();
      return result;
    });
    this.#last = done.then(
      () => {},
      (error: unknown) => this.#options.onFault(error),
    );
    return done;
  }

  async #goOn(): Promise<void> {
    while (this.#interpreter.isReady && this.#mode !== 'closed') {
      for (let steps = 0; steps < BATCH && this.#interpreter.isReady; steps += 1) await this.#interpreter.step();
      this.#record();
      if (this.#interpreter.isReady) await nextTurn();
    }
    this.#record();
  }

  #record(): void {
    let changes: Changes | undefined;
    try {
      changes = this.#interpreter.recordChanges((unrecorded) => this.#options.save(this.state, unrecorded));
    } catch (error) {
      this.#recordLater();
      throw error;
    }
    if (!changes) return;
    if (this.state.status !== 'RUNNING') {
      this.#end();
      return;
    }
    for (const id of changes.removed) this.#forget(id);
    for (const thread of changes.threads) {
      this.#setTimer(thread);
      const call = this.#calls.get(thread.id);
      if (call && call.attempt !== thread.attempt) this.#forgetCall(call);
    }
    if (this.#mode !== 'open') return;
    for (const { thread: id, attempt } of changes.starts) {
      const thread = this.state.threads.get(id);
      if (thread?.attempt === attempt) this.#run(thread, attempt);
    }
    this.#setExecutionTimer();
  }

  #recordLater(): void {
    const { clock } = this.#options;
    const record = (): void => void this.#then(() => {}).catch(() => {});
    this.#timers.get('record')?.cancel();
    this.#timers.set('record', clock.setTimer(clock.now() + UNRECORDED_PAUSE_MS, record));
  }

  #end(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    for (const call of this.#calls.values()) this.#forgetCall(call);
    this.#options.onEnd(this.state);
  }

  #forget(threadId: number): void {
    this.#timers.get(threadId)?.cancel();
    this.#timers.delete(threadId);
    const call = this.#calls.get(threadId);
    if (call) this.#forgetCall(call);
  }

  /** A task whose attempt is over before it has ended itself. */
  #forgetCall(call: TaskCall): void {
    this.#calls.delete(call.thread.id);
    this.#requests.delete(call);
    this.#options.tasks.cancel(call, this.#submitted.get(call));
  }

  #run(thread: Thread, attempt: number): void {
    const state = this.#interpreter.stateOf(thread);
    if (state.type !== 'Task' || !thread.task) return;
    const call: TaskCall = {
      execution: this.state,
      thread,
      attempt,
      resource: state.resource,
      parameters: thread.task.parameters,
      token: thread.task.token,
    };
    this.#calls.set(thread.id, call);
    void this.#perform(call, thread.task.submitted);
  }

  async #perform(call: TaskCall, known: Json | undefined): Promise<void> {
    const { thread, attempt } = call;
    const outcome = await this.#outcomeOf(call, known);
    if (outcome === undefined) return;
    if (this.#calls.get(thread.id) === call) {
      this.#calls.delete(thread.id);
      this.#submitted.delete(call);
    }
    await this.finishTask(thread.id, attempt, outcome).catch(() => {});
  }

  /** @returns undefined where the outcome comes from the holder of the token, or the task is over */
  async #outcomeOf(call: TaskCall, known: Json | undefined): Promise<TaskOutcome | undefined> {
    const { thread, attempt, resource } = call;
    const { tasks, onFault } = this.#options;
    const pattern = patternOf(resource);
    try {
      const answer = known ?? (await this.#request(call));
      if (pattern === 'request') return { output: answer };
      if (this.#calls.get(thread.id) !== call) {
        tasks.cancel(call, answer);
        return undefined;
      }
      this.#submitted.set(call, answer);
      if (known === undefined) await this.#then(() => this.#interpreter.submitted(thread.id, attempt, answer));
      return pattern === 'waitForTaskToken' ? undefined : await tasks.outcome(call, answer);
    } catch (error) {
      if (error instanceof TaskError) return { error: error.error, cause: error.message };
      onFault(error);
      return { error: 'States.TaskFailed', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  async #request(call: TaskCall): Promise<Json> {
    const request = this.#options.tasks.request(call);
    // A worker may come much later.
    if (call.resource.kind !== 'activity') this.#requests.set(call, request);
    try {
      return await request;
    } finally {
      this.#requests.delete(call);
    }
  }

  #setTimer(thread: Thread): void {
    this.#timers.get(thread.id)?.cancel();
    this.#timers.delete(thread.id);
    const { wakeAt, task } = thread;
    const times = [wakeAt, task?.timeoutAt, task?.heartbeatAt].filter((time) => typeof time === 'number');
    if (times.length === 0) return;
    const wake = (): void => {
      void this.#then(() => this.#interpreter.wake(thread.id)).catch(() => {});
    };
    this.#timers.set(thread.id, this.#options.clock.setTimer(Math.min(...times), wake));
  }

  #setExecutionTimer(): void {
    const { timeoutAt } = this.state;
    if (timeoutAt === null || this.#timers.has('execution')) return;
    const timeOut = (): void => {
      void this.stop('TIMED_OUT', 'States.Timeout').catch(() => {});
    };
    this.#timers.set('execution', this.#options.clock.setTimer(timeoutAt, timeOut));
  }
}

function patternOf(resource: TaskResource): IntegrationPattern {
  if (resource.kind === 'activity') return 'waitForTaskToken';
  return resource.kind === 'integration' ? resource.pattern : 'request';
}
