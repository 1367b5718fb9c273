import type { Change, ErrorObject, Operation, OperationRecord } from './execution-state.ts';
import { eventOf } from './history-events.ts';

/** How something ends that an execution waits for. */
export interface Completion {
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED';
  result?: string | undefined;
  error?: ErrorObject | undefined;
}

const ENDINGS = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', STOPPED: 'Stopped' } as const;

/** When something happens to an operation by itself; undefined when nothing does. */
export function dueAt({ operation, pending }: OperationRecord): number | undefined {
  const { Type, Status } = operation;
  if (Type === 'WAIT' && Status === 'STARTED') return operation.WaitDetails?.ScheduledEndTimestamp;
  if (Type === 'STEP' && Status === 'PENDING') return operation.StepDetails?.NextAttemptTimestamp;
  if (Type !== 'CALLBACK' || Status !== 'STARTED') return undefined;
  const times = [pending?.timeoutAt, pending?.heartbeatAt].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** True while something outside can let an execution go on. */
export function isWaiting(records: Iterable<OperationRecord>): boolean {
  for (const { operation } of records) {
    if (operation.Status === 'PENDING') return true;
    if (operation.Status === 'STARTED' && WAITING.has(operation.Type)) return true;
  }
  return false;
}

const WAITING: ReadonlySet<string> = new Set(['WAIT', 'CALLBACK', 'CHAINED_INVOKE']);

/** What happens then. */
export function whenDue(record: OperationRecord, now: number): Change {
  const { operation, pending } = record;
  switch (operation.Type) {
    case 'WAIT': {
      const ended: Operation = { ...operation, Status: 'SUCCEEDED', EndTimestamp: now };
      const event = eventOf(ended, 'WaitSucceeded', { Duration: pending?.duration });
      return { record: { ...record, operation: ended, pending: undefined }, event };
    }
    // The next attempt makes an event of its own.
    case 'STEP':
      return { record: { ...record, operation: { ...operation, Status: 'READY' } } };
    default:
      return endCallback(record, { status: 'TIMED_OUT', error: timeoutOf(record) }, now);
  }
}

/** In the words of AWS's SDKs, which tell one from the other by the type. */
function timeoutOf({ pending }: OperationRecord): ErrorObject {
  const { timeoutAt = Number.POSITIVE_INFINITY, heartbeatAt = Number.POSITIVE_INFINITY } = pending ?? {};
  return heartbeatAt < timeoutAt
    ? { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' }
    : { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' };
}

/** Ends a callback that is open. */
export function endCallback(record: OperationRecord, { status, result, error }: Completion, now: number): Change {
  const { operation } = record;
  const CallbackId = operation.CallbackDetails?.CallbackId ?? '';
  const CallbackDetails = { CallbackId, Result: result, Error: error };
  const ended: Operation = { ...operation, Status: status, EndTimestamp: now, CallbackDetails };
  const event = eventOf(ended, `Callback${ENDINGS[status]}`, outcomeOf(status, result, error));
  return { record: { ...record, operation: ended, pending: undefined }, event };
}

/** Puts off the end of a callback that wants heartbeats. */
export function beat(record: OperationRecord, now: number): OperationRecord {
  const { pending } = record;
  if (pending?.heartbeatSeconds === undefined) return record;
  return { ...record, pending: { ...pending, heartbeatAt: now + pending.heartbeatSeconds * 1000 } };
}

/** Ends a chained invocation that is open. */
export function endChainedInvoke(record: OperationRecord, { status, result, error }: Completion, now: number): Change {
  const ChainedInvokeDetails = { Result: result, Error: error };
  const ended: Operation = { ...record.operation, Status: status, EndTimestamp: now, ChainedInvokeDetails };
  const event = eventOf(ended, `ChainedInvoke${ENDINGS[status]}`, outcomeOf(status, result, error));
  return { record: { ...record, operation: ended, pending: undefined }, event };
}

/** The details of an event that ends something. */
export function outcomeOf(
  status: Completion['status'],
  result: string | undefined,
  error: ErrorObject | undefined,
): object {
  return status === 'SUCCEEDED' ? { Result: { Payload: result } } : { Error: { Payload: error } };
}

/** The event that ends an execution is named like the others. */
export function executionEvent(status: Completion['status']): string {
  return `Execution${ENDINGS[status]}`;
}
