import { newCallbackId } from './arns.ts';
import type {
  ChainedInvocation,
  Change,
  ErrorObject,
  NewEvent,
  Operation,
  OperationRecord,
  OperationType,
} from './execution-state.ts';
import { eventOf } from './history-events.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html */
export interface OperationUpdate {
  Id: string;
  ParentId?: string;
  Name?: string;
  Type: OperationType;
  SubType?: string;
  Action: 'START' | 'SUCCEED' | 'FAIL' | 'RETRY' | 'CANCEL';
  Payload?: string;
  Error?: ErrorObject;
  ContextOptions?: { ReplayChildren?: boolean };
  StepOptions?: { NextAttemptDelaySeconds?: number };
  WaitOptions?: { WaitSeconds?: number };
  CallbackOptions?: { TimeoutSeconds?: number; HeartbeatTimeoutSeconds?: number };
  ChainedInvokeOptions?: { FunctionName: string; TenantId?: string };
}

/** What an update needs to know of its surroundings. */
export interface UpdateContext {
  executionArn: string;
  /** Of an operation that is new. */
  sequence: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Finds the function of a chained invocation. */
  target: (functionName: string, payload: string) => ChainedInvocation & { version?: string };
}

/**
 * Applies an update that has been checked.
 * @param current undefined for an operation that is new
 */
export function applyUpdate(
  update: OperationUpdate,
  current: OperationRecord | undefined,
  context: UpdateContext,
): Change {
  const { Id, ParentId, Name, Type, SubType } = update;
  const given = current?.operation ?? {
    Id,
    ParentId,
    Name,
    Type,
    SubType,
    Status: 'STARTED',
    StartTimestamp: context.now,
  };
  const sequence = current?.sequence ?? context.sequence;
  const { operation, event, pending } = changes[Type](update, given, context);
  return { record: { sequence, operation, pending }, event };
}

type Changed = { operation: Operation; event?: NewEvent | undefined; pending?: OperationRecord['pending'] };
type Changer = (update: OperationUpdate, operation: Operation, context: UpdateContext) => Changed;

const changes: Readonly<Record<OperationType, Changer>> = {
  CONTEXT: changeContext,
  STEP: changeStep,
  WAIT: changeWait,
  CALLBACK: changeCallback,
  CHAINED_INVOKE: changeChainedInvoke,
  EXECUTION: (_update, operation) => ({ operation }),
};

function changeContext(
  { Action, Payload, Error: error, ContextOptions }: OperationUpdate,
  given: Operation,
  { now }: UpdateContext,
): Changed {
  if (Action === 'START') {
    const operation: Operation = { ...given, Status: 'STARTED' };
    return { operation, event: eventOf(operation, 'ContextStarted') };
  }
  const hasSucceeded = Action === 'SUCCEED';
  const operation: Operation = {
    ...given,
    Status: hasSucceeded ? 'SUCCEEDED' : 'FAILED',
    EndTimestamp: now,
    ContextDetails: { Result: Payload, Error: error, ReplayChildren: ContextOptions?.ReplayChildren },
  };
  const event = hasSucceeded
    ? eventOf(operation, 'ContextSucceeded', { Result: { Payload } })
    : eventOf(operation, 'ContextFailed', { Error: { Payload: error } });
  return { operation, event };
}

/** `Attempt` counts the attempts that have ended. */
function changeStep(
  { Action, Payload, Error: error, StepOptions }: OperationUpdate,
  given: Operation,
  { now }: UpdateContext,
): Changed {
  const attempts = given.StepDetails?.Attempt ?? 0;
  if (Action === 'START') {
    const operation: Operation = {
      ...given,
      Status: 'STARTED',
      StepDetails: { Attempt: attempts, Result: given.StepDetails?.Result },
    };
    return { operation, event: eventOf(operation, 'StepStarted') };
  }
  const Attempt = attempts + 1;
  const delay = Action === 'RETRY' ? (StepOptions?.NextAttemptDelaySeconds ?? 1) : undefined;
  const ended: Partial<Operation> =
    delay === undefined
      ? { Status: Action === 'SUCCEED' ? 'SUCCEEDED' : 'FAILED', EndTimestamp: now }
      : { Status: 'PENDING' };
  const operation: Operation = {
    ...given,
    ...ended,
    StepDetails: {
      Attempt,
      Result: Payload,
      Error: error,
      NextAttemptTimestamp: delay === undefined ? undefined : now + delay * 1000,
    },
  };
  const RetryDetails = { CurrentAttempt: Attempt, NextAttemptDelaySeconds: delay };
  // What a waitForCondition has not met yet is a retry without an error.
  const hasFailed = Action === 'FAIL' || error !== undefined;
  const event = hasFailed
    ? eventOf(operation, 'StepFailed', { Error: { Payload: error }, RetryDetails })
    : eventOf(operation, 'StepSucceeded', { Result: { Payload }, RetryDetails });
  return { operation, event };
}

function changeWait({ Action, WaitOptions }: OperationUpdate, given: Operation, { now }: UpdateContext): Changed {
  if (Action === 'CANCEL') {
    const operation: Operation = { ...given, Status: 'CANCELLED', EndTimestamp: now };
    return { operation, event: eventOf(operation, 'WaitCancelled') };
  }
  const Duration = WaitOptions?.WaitSeconds ?? 1;
  const ScheduledEndTimestamp = now + Duration * 1000;
  const operation: Operation = { ...given, WaitDetails: { ScheduledEndTimestamp } };
  return {
    operation,
    event: eventOf(operation, 'WaitStarted', { Duration, ScheduledEndTimestamp }),
    pending: { duration: Duration },
  };
}

function changeCallback(
  { Action, CallbackOptions }: OperationUpdate,
  given: Operation,
  context: UpdateContext,
): Changed {
  const { now, executionArn } = context;
  // The history has no event of it.
  if (Action === 'CANCEL') return { operation: { ...given, Status: 'CANCELLED', EndTimestamp: now } };
  const CallbackId = newCallbackId({ executionArn, operationId: given.Id });
  const operation: Operation = { ...given, CallbackDetails: { CallbackId } };
  // Zero is none.
  const Timeout = CallbackOptions?.TimeoutSeconds || undefined;
  const HeartbeatTimeout = CallbackOptions?.HeartbeatTimeoutSeconds || undefined;
  return {
    operation,
    event: eventOf(operation, 'CallbackStarted', { CallbackId, Timeout, HeartbeatTimeout }),
    pending: {
      ...(Timeout !== undefined && { timeoutAt: now + Timeout * 1000 }),
      ...(HeartbeatTimeout !== undefined && {
        heartbeatSeconds: HeartbeatTimeout,
        heartbeatAt: now + HeartbeatTimeout * 1000,
      }),
    },
  };
}

function changeChainedInvoke(update: OperationUpdate, given: Operation, { now, target }: UpdateContext): Changed {
  if (update.Action === 'CANCEL') return { operation: { ...given, Status: 'CANCELLED', EndTimestamp: now } };
  const { FunctionName = '', TenantId } = update.ChainedInvokeOptions ?? {};
  const { version, ...invocation } = target(FunctionName, update.Payload ?? 'null');
  const operation: Operation = { ...given, ChainedInvokeDetails: {} };
  const details = {
    FunctionName,
    TenantId,
    Input: { Payload: update.Payload },
    ExecutedVersion: version,
    DurableExecutionArn: invocation.child?.arn,
  };
  return { operation, event: eventOf(operation, 'ChainedInvokeStarted', details), pending: { invocation } };
}
