import { randomUUID } from 'node:crypto';
import { type Chance, type CompiledDefinition, isEqual, type Json, type MachineType } from '@millrace/states-language';
import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import { expressExecutionArn, standardExecutionArn } from '../arns.ts';
import { readToken } from '../engine/begin-state.ts';
import {
  type ExecutionState,
  executionQuotas,
  type HistoryEvent,
  type TaskOutcome,
} from '../engine/execution-state.ts';
import type { RunnableMachine } from '../machines/state-machine.ts';
import { LiveExecution, type TaskRunner } from './live-execution.ts';
import type { StatesStore, StoredExecution } from './store.ts';

export interface ExecutionsOptions {
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  readonly accountId: string;
  readonly region: string;
  readonly random?: () => number;
  /** Compiles what an execution of an earlier start was started with. @throws AwsError */
  readonly compile: (definition: string, type: MachineType) => CompiledDefinition;
  /** An execution has begun, goes on after a redrive, or has ended. */
  readonly onStatus: (state: ExecutionState) => void;
  /** What has happened in a Standard execution, once it is recorded. */
  readonly onEvents: (state: ExecutionState, events: readonly HistoryEvent[]) => void;
  /** A Standard execution has another status. @returns once the bus has the event */
  readonly announce: (execution: StoredExecution) => Promise<void>;
  readonly warn: (line: string) => void;
}

/** What StartExecution starts. */
export interface ExecutionStart {
  readonly runnable: RunnableMachine;
  readonly name: string | undefined;
  readonly input: Json;
}

/** All executions: those that run in this process, and those that are kept. */
export class Executions {
  readonly #store: StatesStore;
  readonly #options: ExecutionsOptions;
  readonly #chance: Chance;
  readonly #live = new Map<string, LiveExecution>();
  readonly #ends = new Map<string, ((state: ExecutionState) => void)[]>();
  #isClosed = false;

  constructor(store: StatesStore, options: ExecutionsOptions) {
    this.#store = store;
    this.#options = options;
    this.#chance = { now: () => options.clock.now(), random: options.random ?? Math.random, uuid: randomUUID };
  }

  /**
   * Starts an execution. If a Standard execution with the same name and input runs already, returns that one.
   * @throws AwsError ExecutionAlreadyExists
   */
  start({ runnable, name = randomUUID(), input }: ExecutionStart): ExecutionState {
    const { machine } = runnable;
    const arn =
      machine.type === 'STANDARD'
        ? standardExecutionArn(this.#options, machine.name, name)
        : expressExecutionArn(this.#options, machine.name, name, randomUUID());
    const state = this.#newState(arn, name, runnable, input);
    const stored: StoredExecution = {
      state,
      definition: runnable.revision.definition,
      qualifiedArn: runnable.aliasArn ?? runnable.versionArn,
    };
    if (machine.type === 'STANDARD' && !this.#store.insert(stored)) {
      const known = this.find(arn)?.state;
      if (known?.status === 'RUNNING' && isEqual(known.input, input)) return known;
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const live = this.#goLive(stored, runnable.definition);
    live.start();
    this.#options.onStatus(state);
    this.#announce(stored);
    return state;
  }

  /** Goes on with everything that another process has left, and tells the bus what it has not been told. */
  resume(): void {
    for (const execution of this.#store.unannounced()) this.#announce(execution);
    const resumed: LiveExecution[] = [];
    for (const stored of this.#store.running()) {
      if (this.#live.has(stored.state.arn)) continue;
      try {
        resumed.push(this.#goLive(stored, this.#options.compile(stored.definition, stored.state.type)));
      } catch (error) {
        this.#options.warn(
          `The execution ${stored.state.arn} cannot go on: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
    // One may wait for another.
    for (const live of resumed) live.resume();
  }

  /** An execution as it has been recorded, without its threads. What has not been recorded has not happened. */
  find(arn: string): StoredExecution | undefined {
    return this.#store.find(arn);
  }

  /** @throws AwsError ExecutionDoesNotExist */
  required(arn: string): StoredExecution {
    const found = this.find(arn);
    if (found) return found;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  /** Resolves when an execution has ended. */
  async waitForEnd(arn: string): Promise<ExecutionState> {
    // One that is still live has no end that is recorded.
    const ended = this.#live.has(arn) ? undefined : this.required(arn).state;
    if (ended && ended.status !== 'RUNNING') return ended;
    return new Promise((resolve) => {
      this.#ends.set(arn, [...(this.#ends.get(arn) ?? []), resolve]);
    });
  }

  /** Stops an execution; one that has ended stays as it is. */
  async stop(arn: string, error?: string, cause?: string): Promise<ExecutionState> {
    const { state } = this.required(arn);
    await this.#live.get(arn)?.stop('ABORTED', error, cause);
    return this.find(arn)?.state ?? state;
  }

  /**
   * Lets an execution go on where it failed.
   * @throws AwsError ExecutionDoesNotExist; ExecutionNotRedrivable while it runs
   */
  async redrive(arn: string): Promise<ExecutionState> {
    if (this.#live.has(arn)) {
      throw new AwsError(
        'ExecutionNotRedrivable',
        "Execution Not Redrivable: 'Execution is RUNNING and cannot be redriven'",
      );
    }
    const stored = this.#store.load(arn) ?? this.required(arn);
    const live = this.#goLive(stored, this.#options.compile(stored.definition, stored.state.type));
    await live.redrive();
    this.#options.onStatus(live.state);
    this.#announce(stored);
    return live.state;
  }

  /**
   * Reports the outcome of a task by its token.
   * @throws AwsError InvalidToken; TaskTimedOut, also for the second of two answers; ServiceUnavailable once this is closed
   */
  async answerTask(token: string, outcome: TaskOutcome): Promise<void> {
    const { live, thread, attempt } = this.#waitingTask(token);
    if (!(await live.answerTask(thread, attempt, outcome))) throw this.#taskIsOver();
  }

  /** @throws AwsError as answerTask */
  async heartbeat(token: string): Promise<void> {
    const { live, thread, attempt } = this.#waitingTask(token);
    if (!(await live.heartbeat(thread, attempt))) throw this.#taskIsOver();
  }

  /** Lets all executions rest. Standard ones go on at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#live.values()].map((live) => live.close()));
    this.#live.clear();
  }

  get liveCount(): number {
    return this.#live.size;
  }

  #newState(
    arn: string,
    name: string,
    { machine, revision, definition }: RunnableMachine,
    input: Json,
  ): ExecutionState {
    const now = this.#options.clock.now();
    const longest = machine.type === 'EXPRESS' ? executionQuotas.expressSeconds : undefined;
    const seconds = Math.min(
      definition.timeoutSeconds ?? Number.POSITIVE_INFINITY,
      longest ?? Number.POSITIVE_INFINITY,
    );
    return {
      ...{ arn, name, input, type: machine.type, machineArn: machine.arn, machineName: machine.name },
      roleArn: revision.roleArn,
      startedAt: now,
      status: 'RUNNING',
      ...{ stoppedAt: null, output: undefined, error: undefined, cause: undefined },
      timeoutAt: Number.isFinite(seconds) ? now + seconds * 1000 : null,
      ...{ nextEventId: 1, nextThreadId: 1, redriveCount: 0, redrivenAt: null },
      threads: new Map(),
    };
  }

  #goLive(stored: StoredExecution, definition: CompiledDefinition): LiveExecution {
    const { state } = stored;
    const { clock, tasks, warn } = this.#options;
    const live = new LiveExecution(state, definition, {
      ...{ clock, tasks, chance: this.#chance },
      save: (changed, changes) => {
        if (changed.type !== 'STANDARD') return;
        this.#store.save(changed, changes);
        this.#options.onEvents(changed, changes.events);
      },
      onEnd: () => this.#end(stored),
      onFault: (error) =>
        warn(`The execution ${state.arn} met a fault of this machine: ${error instanceof Error ? error.stack : error}`),
    });
    this.#live.set(state.arn, live);
    return live;
  }

  #end(stored: StoredExecution): void {
    const { state } = stored;
    this.#live.delete(state.arn);
    const waiting = this.#ends.get(state.arn) ?? [];
    this.#ends.delete(state.arn);
    for (const resolve of waiting) resolve(state);
    this.#options.onStatus(state);
    this.#announce(stored);
  }

  /** The bus is told after the change has been recorded; what it has not been told when the process ends it is told at the next start. */
  #announce(stored: StoredExecution): void {
    const { state } = stored;
    if (state.type !== 'STANDARD') return;
    const told = { ...stored, state: { ...state } };
    this.#options.announce(told).then(
      () => this.#remember(told.state),
      (error: unknown) =>
        this.#options.warn(
          `The status of ${state.arn} is not on the bus: ${error instanceof Error ? error.message : error}`,
        ),
    );
  }

  #remember(told: ExecutionState): void {
    if (!this.#isClosed) this.#store.setAnnounced(told);
  }

  #waitingTask(token: string): { live: LiveExecution; thread: number; attempt: number } {
    const content = readToken(token);
    if (!content) throw new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");
    const live = this.#live.get(content.execution);
    if (!live?.isWaiting(content.thread, content.attempt, token)) throw this.#taskIsOver();
    return { live, thread: content.thread, attempt: content.attempt };
  }

  #taskIsOver(): AwsError {
    // The task may go on at the next start: an answer that is not taken now can be sent again, as SDKs do after this status.
    if (this.#isClosed) return new AwsError('ServiceUnavailable', 'Step Functions is stopping', 503);
    return new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
  }
}
