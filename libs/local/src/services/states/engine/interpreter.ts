import {
  type Chance,
  type CompiledDefinition,
  compact,
  errorNames,
  isRecoverable,
  type Json,
  type State,
  StateFailure,
} from '@millrace/states-language';
import { type ExecutionState, newThread, type TaskOutcome, type Thread } from './execution-state.ts';
import { type Changes, Run } from './run.ts';
import { payload } from './task-events.ts';
import { ThreadFlow } from './thread-flow.ts';

/**
 * Runs a definition. It does nothing itself: each call changes the state of the execution and its history, and `recordChanges` tells
 * what has to be recorded and which tasks have to be started then. Calls must not overlap.
 *
 * @example
 * const interpreter = new Interpreter(execution, definition, chance);
 * interpreter.start();
 * while (interpreter.isReady) await interpreter.step();
 */
export class Interpreter {
  readonly #run: Run;
  readonly #flow: ThreadFlow;

  constructor(execution: ExecutionState, definition: CompiledDefinition, chance: Chance) {
    this.#run = new Run(execution, definition, chance);
    this.#flow = new ThreadFlow(this.#run);
  }

  get execution(): ExecutionState {
    return this.#run.execution;
  }

  stateOf(thread: Thread): State {
    return this.#run.stateOf(thread);
  }

  /** @returns what has been recorded; undefined where nothing has changed. @throws what `record` throws */
  recordChanges(record: (changes: Changes) => void): Changes | undefined {
    return this.#run.recordChanges(record);
  }

  /** Begins the execution. */
  start(): void {
    const { execution, definition } = this.#run;
    const details = { ...payload('input', JSON.stringify(execution.input)), roleArn: execution.roleArn };
    this.#run.emitOfExecution('ExecutionStarted', { executionStartedEventDetails: details }, 0);
    // The first event of a state does not follow the start of the execution but the beginning of its history.
    const first = { parent: null, index: 0, item: null, state: definition.startAt, lastEventId: 0 };
    this.#run.add(newThread({ ...first, input: execution.input, id: execution.nextThreadId }));
    execution.nextThreadId += 1;
  }

  /** True while a thread can go on without waiting for anything. */
  get isReady(): boolean {
    return this.execution.status === 'RUNNING' && this.#ready() !== undefined;
  }

  /** Lets one thread go on until it waits, leaves its state or fails. */
  async step(): Promise<void> {
    const thread = this.#ready();
    if (!thread || this.execution.status !== 'RUNNING') return;
    // Threads take turns: the one that has gone on is the last.
    this.execution.threads.delete(thread.id);
    this.execution.threads.set(thread.id, thread);
    await this.#flow.goOn(thread);
  }

  /** The service of a task has accepted its request; the task itself is not over. */
  async submitted(threadId: number, attempt: number, output: Json): Promise<void> {
    const thread = this.#working(threadId, attempt);
    const task = thread?.task;
    if (!thread || !task) return;
    await this.#flow.guard(thread, async () => {
      task.submitted = output;
      this.#run.emit(thread, this.#flow.eventsOf(thread).submitted(output));
      if (task.early) await this.#flow.finish(thread, task.early);
    });
  }

  /** A task is over. Told late or twice, it is ignored. */
  async finished(threadId: number, attempt: number, outcome: TaskOutcome): Promise<void> {
    const thread = this.#working(threadId, attempt);
    if (thread) await this.#flow.guard(thread, () => this.#flow.finish(thread, outcome));
  }

  /**
   * The holder of a task's token reports its outcome.
   * @returns false if the task is over or has its answer already: the first one counts
   */
  async answered(threadId: number, attempt: number, outcome: TaskOutcome): Promise<boolean> {
    const thread = this.#working(threadId, attempt);
    if (!thread?.task || thread.task.early) return false;
    if (thread.task.submitted !== undefined) {
      await this.#flow.guard(thread, () => this.#flow.finish(thread, outcome));
      return true;
    }
    // Faster than the answer of the service that the token was sent by.
    thread.task.early = outcome;
    this.#run.touch(thread);
    return true;
  }

  /** A task is still alive. @returns false if it is over or has its answer already */
  heartbeat(threadId: number, attempt: number): boolean {
    const thread = this.#working(threadId, attempt);
    const task = thread?.task;
    if (!thread || !task || task.early) return false;
    if (task.heartbeatSeconds === null) return true;
    task.heartbeatAt = this.#run.chance.now() + task.heartbeatSeconds * 1000;
    this.#run.touch(thread);
    return true;
  }

  /** Looks whether what a thread waits for has come, or its task is out of time. */
  async wake(threadId: number): Promise<void> {
    const thread = this.execution.threads.get(threadId);
    if (!thread || this.execution.status !== 'RUNNING') return;
    const now = this.#run.chance.now();
    if (thread.wakeAt !== null && thread.wakeAt <= now) {
      thread.wakeAt = null;
      this.#run.touch(thread);
      if (thread.phase === 'retrying') thread.phase = 'starting';
      else if (thread.phase === 'waiting')
        await this.#flow.guard(thread, () => this.#flow.complete(thread, thread.input));
      return;
    }
    const { task } = thread;
    if (thread.phase !== 'working' || !task) return;
    const isLate = task.timeoutAt !== null && task.timeoutAt <= now;
    if (!isLate && (task.heartbeatAt === null || task.heartbeatAt > now)) return;
    await this.#flow.guard(thread, async () => {
      this.#run.emit(thread, this.#flow.eventsOf(thread).timedOut(errorNames.timeout));
      throw new StateFailure(errorNames.timeout, undefined, isLate ? undefined : errorNames.heartbeatTimeout);
    });
  }

  /** Ends the execution from outside. */
  stop(status: 'ABORTED' | 'TIMED_OUT', error: string | undefined, cause: string | undefined): void {
    if (this.execution.status !== 'RUNNING') return;
    const name = status === 'ABORTED' ? 'Aborted' : 'TimedOut';
    this.#flow.end(status, error, cause);
    this.#run.emitOfExecution(`Execution${name}`, { [`execution${name}EventDetails`]: compact({ error, cause }) });
  }

  /** Lets an execution that has failed go on where it failed. */
  redrive(): void {
    const { execution } = this.#run;
    const now = this.#run.chance.now();
    // The time of the whole execution begins anew.
    const timeoutAt = execution.timeoutAt === null ? null : now + execution.timeoutAt - execution.startedAt;
    Object.assign(execution, { status: 'RUNNING', stoppedAt: null, error: undefined, cause: undefined, timeoutAt });
    Object.assign(execution, { redriveCount: execution.redriveCount + 1, redrivenAt: now });
    const details = { redriveCount: execution.redriveCount };
    this.#run.emitOfExecution('ExecutionRedriven', { executionRedrivenEventDetails: details });
    for (const thread of execution.threads.values()) if (thread.phase !== 'ended') this.#redriveThread(thread);
  }

  /** Branches and iterations that have ended stay ended; a state that holds others goes on with them. */
  #redriveThread(thread: Thread): void {
    const goesOn = thread.join !== null && this.#run.childrenOf(thread).length > 0;
    const isEntered = isRecoverable(this.#run.stateOf(thread)) && thread.phase !== 'entering';
    const phase = goesOn ? 'joining' : isEntered ? 'starting' : 'entering';
    Object.assign(thread, {
      phase,
      retries: [],
      retryCount: 0,
      wakeAt: null,
      task: null,
      ...(goesOn ? {} : { join: null }),
    });
    thread.attempt += 1;
    this.#run.touch(thread);
  }

  #ready(): Thread | undefined {
    for (const thread of this.execution.threads.values()) {
      if (thread.phase === 'entering' || thread.phase === 'starting') return thread;
    }
    return undefined;
  }

  #working(threadId: number, attempt: number): Thread | undefined {
    const thread = this.execution.threads.get(threadId);
    const isMeant = this.execution.status === 'RUNNING' && thread?.phase === 'working' && thread.attempt === attempt;
    return isMeant ? thread : undefined;
  }
}
