import { randomUUID } from 'node:crypto';
import type { Change, ErrorObject, Execution, NewEvent, Operation } from './execution-state.ts';

/** An event that is about an operation. */
export function eventOf(operation: Operation, EventType: string, details: object = {}): NewEvent {
  const { Id, Name, ParentId, SubType } = operation;
  return { EventType, SubType, Id, Name, ParentId, [`${EventType}Details`]: details };
}

/**
 * Takes inputs, results and errors out of an event.
 * https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionHistory.html
 */
export function withoutData<T extends { EventType: string }>(event: T): T {
  const member = `${event.EventType}Details`;
  const details = (event as Record<string, unknown>)[member] as Record<string, unknown> | undefined;
  if (!details) return event;
  const kept = Object.entries(details).map(([name, value]) =>
    ['Input', 'Result', 'Error'].includes(name) && value !== undefined ? [name, { Truncated: true }] : [name, value],
  );
  return { ...event, [member]: Object.fromEntries(kept) };
}

/** The operation that an execution is itself, and the event of its start. */
export function executionStarted({ name, input, startedAt, config }: Execution): Change {
  const operation: Operation = {
    ...{ Id: randomUUID(), Name: name, Type: 'EXECUTION', Status: 'STARTED', StartTimestamp: startedAt },
    ExecutionDetails: { InputPayload: input },
  };
  const details = { Input: { Payload: input }, ExecutionTimeout: config.executionTimeoutSeconds };
  return { record: { sequence: 0, operation }, event: eventOf(operation, 'ExecutionStarted', details) };
}

/** The event of an invocation that has ended, if with an error. */
export function invocationCompleted(
  { requestId, startedAt }: NonNullable<Execution['invocation']>,
  now: number,
  error?: ErrorObject,
): NewEvent {
  const times = { StartTimestamp: startedAt, EndTimestamp: now };
  const details = { ...times, RequestId: requestId, Error: error && { Payload: error } };
  return { EventType: 'InvocationCompleted', InvocationCompletedDetails: details };
}
