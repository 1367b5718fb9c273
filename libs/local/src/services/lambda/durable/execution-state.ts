/** Why something failed. https://docs.aws.amazon.com/lambda/latest/api/API_ErrorObject.html */
export interface ErrorObject {
  ErrorMessage?: string;
  ErrorType?: string;
  ErrorData?: string;
  StackTrace?: string[];
}

export type OperationType = 'EXECUTION' | 'CONTEXT' | 'STEP' | 'WAIT' | 'CALLBACK' | 'CHAINED_INVOKE';

type OperationStatus = 'STARTED' | 'PENDING' | 'READY' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT' | 'STOPPED';

interface Outcome {
  Result?: string | undefined;
  Error?: ErrorObject | undefined;
}

/**
 * One operation of a durable execution, as the API has it; times are milliseconds since the epoch.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Operation.html
 */
export interface Operation {
  Id: string;
  ParentId?: string | undefined;
  Name?: string | undefined;
  Type: OperationType;
  SubType?: string | undefined;
  Status: OperationStatus;
  StartTimestamp: number;
  EndTimestamp?: number | undefined;
  ExecutionDetails?: { InputPayload?: string };
  ContextDetails?: Outcome & { ReplayChildren?: boolean | undefined };
  StepDetails?: Outcome & { Attempt: number; NextAttemptTimestamp?: number | undefined };
  WaitDetails?: { ScheduledEndTimestamp: number };
  CallbackDetails?: Outcome & { CallbackId: string };
  ChainedInvokeDetails?: Outcome;
}

/** What an operation waits for, which its users are not shown. */
export interface Pending {
  /** Of a wait: seconds. */
  duration?: number;
  /** Of a callback: when it times out, in milliseconds since the epoch. */
  timeoutAt?: number;
  heartbeatSeconds?: number;
  heartbeatAt?: number;
  /** Of a chained invocation. */
  invocation?: ChainedInvocation;
}

/** A function that an execution calls. */
export interface ChainedInvocation {
  functionName: string;
  qualifier: string | undefined;
  payload: string;
  /** Of a durable function: the name and ARN of its execution. */
  child?: { name: string; arn: string };
  /** Why it may not be called. */
  refusal?: ErrorObject;
}

/** An operation with its place in the order in which operations were started. */
export interface OperationRecord {
  readonly sequence: number;
  readonly operation: Operation;
  readonly pending?: Pending | undefined;
}

/**
 * An event of the history. Times are milliseconds since the epoch; the details are below `<EventType>Details`.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Event.html
 */
export interface HistoryEvent {
  EventType: string;
  EventId: number;
  EventTimestamp: number;
  [member: string]: unknown;
}

/** An event that has no number yet. */
export type NewEvent = Omit<HistoryEvent, 'EventId' | 'EventTimestamp'> & { EventType: string };

/** What becomes of an operation, and the event that tells of it. */
export interface Change {
  record: OperationRecord;
  event?: NewEvent | undefined;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED';

/** https://docs.aws.amazon.com/lambda/latest/api/API_DurableConfig.html */
export interface DurableConfig {
  executionTimeoutSeconds: number;
  retentionDays: number;
  kmsKeyArn?: string | undefined;
}

/** An invocation of the function of a durable execution. */
export interface Invocation {
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** The operations that it was given as changed. If it fails, the next invocation gets them again. */
  told: string[];
}

/** One durable execution without its operations and its history. Times are milliseconds since the epoch. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly functionName: string;
  /** Its ARN with the version. */
  readonly functionArn: string;
  readonly version: string;
  readonly config: DurableConfig;
  readonly isAsynchronous: boolean;
  readonly input: string;
  readonly traceHeader: string | undefined;
  readonly startedAt: number;
  /** The execution that has called this one, and with which operation. */
  readonly parent?: { arn: string; operationId: string } | undefined;
  status: ExecutionStatus;
  endedAt?: number | undefined;
  result?: string | undefined;
  error?: ErrorObject | undefined;
  /** The number of the last event. */
  events: number;
  /** Operations and their retries, which are limited. */
  operations: number;
  /** Bytes that were kept, which are limited. */
  bytes: number;
  /** The operations that have changed, and that the function has not been told of. */
  updated: string[];
  /** The function is to be invoked, whatever else happens: until it has said that it waits. */
  isOwed: boolean;
  /** The invocation that is under way. */
  invocation?: Invocation | undefined;
}

/** @returns with dates in place of the numbers, for answers of the API and for invocations */
export function withDates<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, member) =>
    TIMES.has(key) && typeof member === 'number' ? new Date(member) : member,
  ) as T;
}

const TIMES: ReadonlySet<string> = new Set([
  ...['StartTimestamp', 'EndTimestamp', 'EventTimestamp', 'NextAttemptTimestamp', 'ScheduledEndTimestamp'],
]);
