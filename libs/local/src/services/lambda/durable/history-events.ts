import type { NewEvent, Operation } from './execution-state.ts';

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
