import type { Json, JsonObject } from '@millrace/states-language';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

/** Where a thread is in its state. All of it is JSON: an execution is resumed from it. */
export type Phase =
  /** About to enter its state. */
  | 'entering'
  /** About to begin an attempt, the first or a retry. */
  | 'starting'
  /** In a Wait state, or before a retry. */
  | 'waiting'
  | 'retrying'
  /** What its task calls has not answered. */
  | 'working'
  /** In a Parallel or Map state whose branches or iterations run. */
  | 'joining'
  /** The execution failed here, and can be redriven from here. */
  | 'failed'
  | 'aborted'
  | 'ended';

/** A task that has been scheduled. */
export interface ScheduledTask {
  /** Parameters, or the payload of a function. */
  readonly parameters: Json;
  readonly token: string | null;
  /** Milliseconds since the epoch. */
  readonly timeoutAt: number | null;
  readonly heartbeatSeconds: number | null;
  heartbeatAt: number | null;
  /** The service has accepted the request; the task ends by its token, or with the execution it started. */
  submitted: Json | undefined;
  /** What was sent to the token before the service had answered. */
  early: TaskOutcome | undefined;
}

export type TaskOutcome =
  | { readonly output: Json }
  | { readonly error: string | undefined; readonly cause: string | undefined };

/** Branches or iterations that a thread waits for. */
export interface Join {
  /** By index; null until one has ended. */
  readonly results: Json[];
  /** Indexes of those that have ended. */
  ended: number;
  /** The next to be started. */
  next: number;
  /** Of a Map state; null of a Parallel state. */
  readonly map: { readonly items: Json[]; readonly input: Json; readonly maxConcurrency: number } | null;
}

/** One line of states: the machine itself, a branch, or an iteration. */
export interface Thread {
  readonly id: number;
  /** The thread whose Parallel or Map state it is part of. */
  readonly parent: number | null;
  /** Of the branch or iteration. */
  readonly index: number;
  /** The item of an iteration. */
  readonly item: { readonly Index: number; readonly Value: Json } | null;
  state: string;
  input: Json;
  /** Assigned in this thread; those of its parents are seen, too. */
  variables: JsonObject;
  phase: Phase;
  /** The event that the next one of this thread follows. */
  lastEventId: number;
  enteredAt: number;
  enteredEventId: number;
  /** Counts attempts over all states: what belongs to an earlier one is ignored. */
  attempt: number;
  retryCount: number;
  /** By retrier, how often it has been used in this state. */
  retries: number[];
  /** When a wait or the time before a retry ends. */
  wakeAt: number | null;
  task: ScheduledTask | null;
  join: Join | null;
}

/** An execution, without its history. */
export interface ExecutionState {
  readonly arn: string;
  readonly name: string;
  readonly machineArn: string;
  readonly machineName: string;
  readonly roleArn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly input: Json;
  readonly startedAt: number;
  status: ExecutionStatus;
  stoppedAt: number | null;
  output: Json | undefined;
  error: string | undefined;
  cause: string | undefined;
  /** When the whole execution times out. */
  timeoutAt: number | null;
  nextEventId: number;
  nextThreadId: number;
  redriveCount: number;
  redrivenAt: number | null;
  readonly threads: Map<number, Thread>;
}

/** An event of a history. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly type: string;
  /** One member, e.g. `stateEnteredEventDetails`. */
  readonly details: JsonObject;
}

/** Numbers that AWS does not let an execution exceed: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const executionQuotas = {
  events: 25_000,
  payloadBytes: 262_144,
  /** Iterations of an inline Map state that run at once. */
  inlineConcurrency: 40,
  /** Of an Express workflow. */
  expressSeconds: 300,
} as const;

export function newThread(
  start: Pick<Thread, 'id' | 'parent' | 'index' | 'item' | 'state' | 'input' | 'lastEventId'>,
): Thread {
  return {
    ...start,
    variables: {},
    phase: 'entering',
    enteredAt: 0,
    enteredEventId: 0,
    attempt: 0,
    retryCount: 0,
    retries: [],
    wakeAt: null,
    task: null,
    join: null,
  };
}
