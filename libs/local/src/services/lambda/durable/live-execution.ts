import { randomUUID } from 'node:crypto';
import { backoffBound } from '@millrace/retry';
import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import type { InvocationResult } from '../function-pool.ts';
import { notFound, tooManyRequests } from '../lambda-errors.ts';
import { parseCallbackId } from './arns.ts';
import { planCheckpoint } from './checkpoint.ts';
import { CheckpointTokens } from './checkpoint-tokens.ts';
import type { DurableStore } from './durable-store.ts';
import {
  type ChainedInvocation,
  type Change,
  type ErrorObject,
  type Execution,
  type NewEvent,
  type Operation,
  type OperationRecord,
  withDates,
} from './execution-state.ts';
import { eventOf, executionStarted, invocationCompleted } from './history-events.ts';
import { readOutcome } from './invocation-outcome.ts';
import { invocationPayload, replayedOperations } from './invocation-payload.ts';
import { NamedTimers } from './named-timers.ts';
import {
  beat,
  type Completion,
  dueAt,
  endCallback,
  endChainedInvoke,
  executionEvent,
  isWaiting,
  outcomeOf,
  whenDue,
} from './operation-completions.ts';
import type { OperationUpdate, UpdateContext } from './operation-updates.ts';

export interface LiveExecutionOptions {
  store: DurableStore;
  clock: Clock;
  /** Invokes the version of the function once. @throws AwsError when it could not be called */
  invoke: (execution: Execution, payload: string, requestId: string) => Promise<InvocationResult>;
  /** Finds the function of a chained invocation. */
  target: UpdateContext['target'];
  /** Starts a chained invocation; `completeChainedInvoke` is called when it has ended. */
  startChained: (execution: Execution, operationId: string, invocation: ChainedInvocation) => void;
  /** Is told when the execution has another status. */
  onStatus: (execution: Execution) => void;
  warn: (line: string) => void;
}

/** Answer of a checkpoint. */
export interface CheckpointAnswer {
  CheckpointToken?: string | undefined;
  NewExecutionState: { Operations: Operation[] };
}

/** Between invocations of a function that fails. AWS tells no numbers. */
const BACKOFF_MS = { firstBound: 1000, longestBound: 5 * 60_000 };
const TIMEOUT: ErrorObject = { ErrorType: 'Execution.Timeout', ErrorMessage: 'The durable execution timed out' };

/**
 * A durable execution that has not ended: invokes its function whenever there is something new for it, takes its checkpoints, and waits
 * for what it waits for. Each change is kept before it has an effect, so that another process can go on from it.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-basic-concepts.html
 */
export class LiveExecution {
  readonly execution: Execution;
  /** Resolves once it has ended, in whatever way; rejects when this process stops before. */
  readonly ended: Promise<Execution>;
  readonly #options: LiveExecutionOptions;
  readonly #records: Map<string, OperationRecord>;
  readonly #timers: NamedTimers;
  readonly #ending = Promise.withResolvers<Execution>();
  /** What has happened outside, and is told after the next checkpoint. */
  #held: (() => void)[] = [];
  readonly #tokens: CheckpointTokens<CheckpointAnswer>;
  /** The end that the function has checkpointed before its answer. */
  #end: Completion | undefined;
  #underWay: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(execution: Execution, records: readonly OperationRecord[], options: LiveExecutionOptions) {
    this.execution = execution;
    this.#options = options;
    this.#tokens = new CheckpointTokens(options.clock);
    this.#timers = new NamedTimers(options.clock, ({ message }) =>
      options.warn(`${execution.arn} could not be written: ${message}`),
    );
    this.#records = new Map(records.map((record) => [record.operation.Id, record]));
    this.ended = this.#ending.promise;
    this.ended.catch(() => undefined);
  }

  /** Keeps a new execution, and invokes the function for the first time. */
  start(): void {
    const { execution } = this;
    this.#commit([executionStarted(execution)]);
    this.#options.onStatus(execution);
    this.#armTimeout();
    this.#invoke();
  }

  /** Goes on with an execution that an earlier process has left. */
  resume(): void {
    const { invocation } = this.execution;
    const { clock } = this.#options;
    this.#armTimeout();
    for (const record of this.#records.values()) {
      this.#arm(record);
      const { Id, Status } = record.operation;
      const chained = record.pending?.invocation;
      if (chained && Status === 'STARTED') this.#options.startChained(this.execution, Id, chained);
    }
    if (invocation) {
      const error = { ErrorType: 'Runtime.ExitError', ErrorMessage: 'The local cloud has ended during the invocation' };
      const members = { invocation: undefined, updated: this.#untold() };
      this.#commit([], { members, more: [invocationCompleted(invocation, clock.now(), error)] });
    }
    if (this.execution.isOwed || this.execution.updated.length > 0) this.#invoke();
  }

  /** Stops what happens by itself. Another process goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timers.close();
    this.#ending.reject(tooManyRequests('ConcurrentInvocationLimitExceeded'));
    await this.#underWay;
  }

  /** The operations of a replay. @throws AwsError for a token that is not the current one */
  state(token: unknown): Operation[] {
    this.#tokens.require(token);
    return replayedOperations(this.#records.values());
  }

  /**
   * Takes a checkpoint of the invocation under way, all of it or nothing.
   * @throws AwsError InvalidParameterValueException for a stale token, or an update that is not allowed
   */
  checkpoint(token: unknown, clientToken: string | undefined, updates: readonly OperationUpdate[]): CheckpointAnswer {
    const { clock, target } = this.#options;
    const repeated = this.#tokens.answerTo(token, clientToken);
    if (repeated) return repeated;
    this.#tokens.require(token);
    const { changes, ...counts } = planCheckpoint(this.execution, this.#records, updates, { now: clock.now(), target });
    this.#commit(changes, { members: counts });
    this.#releaseHeld();
    const changed = new Set([...changes.map(({ record }) => record.operation.Id), ...this.execution.updated]);
    // Written with the next change. If the process ends before that, the next invocation gets them again.
    this.execution.updated = [];
    for (const { record } of changes) this.#follow(record);
    const last = updates.at(-1);
    const CheckpointToken = last?.Type === 'EXECUTION' ? this.#takeEnd(last) : this.#tokens.next();
    const operations = [...changed].flatMap((id) => this.#records.get(id)?.operation ?? []);
    const answer = { CheckpointToken, NewExecutionState: { Operations: operations.map(withDates) } };
    this.#tokens.remember(token, clientToken, answer);
    return answer;
  }

  /** @throws AwsError ResourceNotFoundException, CallbackTimeoutException for a callback that is not open */
  completeCallback(callbackId: string, completion: Completion): void {
    this.#change(endCallback(this.#openCallback(callbackId), completion, this.#options.clock.now()));
  }

  /** @throws AwsError ResourceNotFoundException, CallbackTimeoutException for a callback that is not open */
  heartbeat(callbackId: string): void {
    const record = beat(this.#openCallback(callbackId), this.#options.clock.now());
    this.#commit([{ record }]);
    this.#arm(record);
  }

  /**
   * Ends a chained invocation. An invocation under way learns of it with its next checkpoint: a function that runs here answers before
   * its caller has stopped to wait for it, which no function of AWS does.
   */
  completeChainedInvoke(operationId: string, completion: Completion): void {
    const complete = (): void =>
      this.#timers.run(operationId, () => {
        const record = this.#records.get(operationId);
        if (record?.operation.Status !== 'STARTED') return;
        this.#change(endChainedInvoke(record, completion, this.#options.clock.now()));
      });
    if (this.#underWay) this.#held.push(complete);
    else complete();
  }

  /** Ends the execution from outside. */
  finish(completion: Completion): void {
    if (this.execution.status !== 'RUNNING') return;
    const { clock, onStatus } = this.#options;
    const { execution } = this;
    const { status, result, error } = completion;
    const [first] = this.#records.values();
    if (!first) throw new Error(`${execution.arn} has no operation of its own`);
    const operation: Operation = { ...first.operation, Status: status, EndTimestamp: clock.now() };
    const event = eventOf(operation, executionEvent(status), outcomeOf(status, result, error));
    const members = { status, result, error, endedAt: clock.now(), invocation: undefined, updated: [] };
    this.#commit([{ record: { ...first, operation }, event }], { members });
    this.#tokens.close();
    this.#timers.close();
    onStatus(execution);
    this.#ending.resolve(execution);
  }

  /** Starts what an operation that has changed waits for. */
  #follow(record: OperationRecord): void {
    this.#arm(record);
    const { operation, pending } = record;
    if (operation.Type === 'CHAINED_INVOKE' && operation.Status === 'STARTED' && pending?.invocation) {
      this.#options.startChained(this.execution, operation.Id, pending.invocation);
    }
  }

  /** The execution ends once the function has answered; nothing more can be checkpointed until then. */
  #takeEnd({ Action, Payload, Error: error = {} }: OperationUpdate): undefined {
    this.#end = Action === 'SUCCEED' ? { status: 'SUCCEEDED', result: Payload } : { status: 'FAILED', error };
    this.#tokens.close();
  }

  #openCallback(callbackId: string): OperationRecord {
    const record = this.#records.get(parseCallbackId(callbackId).operationId);
    if (record?.operation.CallbackDetails?.CallbackId !== callbackId) throw callbackNotFound(callbackId);
    if (record.operation.Status === 'STARTED') return record;
    throw callbackClosed();
  }

  /** Something has happened that the function is told of at once. */
  #change(change: Change): void {
    this.#record(change);
    this.#wake();
  }

  #record(change: Change): void {
    const updated = new Set([...this.execution.updated, change.record.operation.Id]);
    this.#commit([change], { members: { updated: [...updated] } });
    this.#arm(change.record);
  }

  #wake(): void {
    if (!this.#underWay && !this.#timers.has(RETRY)) this.#invoke();
  }

  #invoke(): void {
    if (this.#underWay || this.#stopped || this.execution.status !== 'RUNNING') return;
    this.#underWay = this.#invokeOnce()
      .catch((error: Error) => {
        this.#options.warn(`${this.execution.arn} could not be written, and is invoked again: ${error.message}`);
        this.#retry();
      })
      .then(() => {
        this.#underWay = undefined;
        if (this.#stopped || this.execution.status !== 'RUNNING') return;
        this.#releaseHeld();
        if (this.execution.updated.length > 0) this.#wake();
      });
  }

  async #invokeOnce(): Promise<void> {
    const { clock, invoke, warn } = this.#options;
    const { execution } = this;
    const told = this.#untold();
    const invocation = { requestId: randomUUID(), startedAt: clock.now(), told };
    this.#commit([], { members: { updated: [], invocation, isOwed: true } });
    const payload = invocationPayload(execution, this.#tokens.next(), replayedOperations(this.#records.values()), told);
    let result: InvocationResult;
    try {
      result = await invoke(execution, payload, invocation.requestId);
    } catch (error) {
      if (this.#stopped || execution.status !== 'RUNNING') return;
      // It was not called, and does not know yet.
      this.#commit([], { members: { invocation: undefined, updated: this.#untold() } });
      if (!(error instanceof AwsError && (error.status === 429 || error.status >= 500))) {
        warn(`${execution.arn} cannot go on: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.#retry();
      return;
    }
    if (this.#stopped || execution.status !== 'RUNNING') return;
    this.#tokens.close();
    const outcome = readOutcome(
      result,
      execution,
      execution.updated.length + this.#held.length > 0 || isWaiting(this.#records.values()),
    );
    const error = outcome.status === 'RETRY' ? outcome.error : undefined;
    const failed = error && { operations: execution.operations + 1, updated: this.#untold() };
    this.#commit([], {
      members: { invocation: undefined, isOwed: outcome.status !== 'PENDING', ...failed },
      more: [invocationCompleted(invocation, clock.now(), error)],
    });
    if (this.#end) this.finish(this.#end);
    else if (outcome.status === 'RETRY') this.#retry();
    else this.#failures = 0;
    if (outcome.status === 'SUCCEEDED') this.finish(outcome);
    if (outcome.status === 'FAILED') this.finish(outcome);
  }

  /** The operations to name to the next invocation: those that have changed, and those named to an invocation that did not answer. */
  #untold(): string[] {
    const { invocation, updated } = this.execution;
    return [...new Set([...(invocation?.told ?? []), ...updated])];
  }

  /** Invokes the function again after a while, until the execution times out. */
  #retry(): void {
    const { clock } = this.#options;
    this.#failures += 1;
    const delay = backoffBound(this.#failures, BACKOFF_MS);
    this.#timers.set(RETRY, clock.now() + delay, () => this.#invoke());
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const complete of held) complete();
  }

  #armTimeout(): void {
    const { startedAt, config } = this.execution;
    this.#timers.set(TIMEOUT_TIMER, startedAt + config.executionTimeoutSeconds * 1000, () =>
      this.finish({ status: 'TIMED_OUT', error: TIMEOUT }),
    );
  }

  #arm(record: OperationRecord): void {
    const { Id } = record.operation;
    this.#timers.set(Id, dueAt(record), () => {
      const current = this.#records.get(Id);
      const now = this.#options.clock.now();
      if (!current) return;
      this.#record(whenDue(current, now));
      // What is due at the same time comes first, so that one invocation is told of all of it.
      this.#timers.set(WAKE, now, () => this.#wake());
    });
  }

  /**
   * Writes changes to the store, then makes them here. If the store throws, nothing has changed.
   * @param members of the execution that change
   */
  #commit(
    changes: readonly Change[],
    { members, more = [] }: { members?: Partial<Execution>; more?: readonly NewEvent[] } = {},
  ): void {
    const { execution } = this;
    const EventTimestamp = this.#options.clock.now();
    const events = [...changes.flatMap(({ event }) => event ?? []), ...more].map((event, index) => ({
      ...event,
      EventId: execution.events + index + 1,
      EventTimestamp,
    }));
    const records = new Map(changes.map(({ record }) => [record.sequence, record]));
    const after = { ...execution, ...members, events: execution.events + events.length };
    this.#options.store.save(after, [...records.values()], events);
    Object.assign(execution, after);
    for (const record of records.values()) this.#records.set(record.operation.Id, record);
  }
}

/** Names of timers that no operation has. */
const RETRY = '/retry';
const WAKE = '/wake';
const TIMEOUT_TIMER = '/timeout';

/** https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackSuccess.html */
export function callbackNotFound(callbackId: string): AwsError {
  return notFound(`Callback not found: ${callbackId}`);
}

/** Same page. */
export function callbackClosed(): AwsError {
  return new AwsError('CallbackTimeoutException', 'The callback has expired or has already been closed', 400, {
    Type: 'User',
  });
}
