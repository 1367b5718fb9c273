import type { LoggedEvent } from './logged-event.ts';

/** An event with what it caused. */
export interface LineageNode extends LoggedEvent {
  /** Milliseconds from the event that caused it; absent right under the root. */
  delayMs?: number;
  /** What caused it is not in the log: it expired, was never logged, or is no event. */
  orphan?: true;
  events: LineageNode[];
}

/** Everything that has one correlation id: what an API call, or whatever else stands at the beginning, led to. */
export interface LineageTree {
  correlationId: string;
  /** What the first event says that it was caused by, when that is no event of the log. */
  causationId?: string;
  /** When the first event happened, ISO 8601. */
  startedAt: string;
  /** Milliseconds from the first event to the last one. */
  durationMs: number;
  /** The log has more events with this correlation id than are in the tree. */
  truncated?: true;
  events: LineageNode[];
}

/**
 * Makes a tree of events by who caused whom, at each level in the order of time. Each event is in it once: one whose cause
 * is not among them stands right under the root, and so does the first of those that caused each other.
 *
 * @param events of the correlation, one at least
 */
export function lineageTree(correlationId: string, events: readonly LoggedEvent[]): LineageTree {
  const inOrder = [...events].sort((a, b) => compare(a.time, b.time) || compare(a.id, b.id));
  const byId = new Map(inOrder.map((event) => [event.id, event]));
  const effects = new Map<string, LoggedEvent[]>();
  for (const event of inOrder) {
    const { causationId = '' } = event;
    if (byId.has(causationId)) effects.set(causationId, [...(effects.get(causationId) ?? []), event]);
  }

  const placed = new Set<string>();
  const nodeOf = (event: LoggedEvent, cause?: LoggedEvent): LineageNode => {
    placed.add(event.id);
    return {
      ...event,
      ...(cause && { delayMs: Date.parse(event.time) - Date.parse(cause.time) }),
      ...(!cause && event.causationId !== undefined && { orphan: true }),
      events: (effects.get(event.id) ?? []).filter(({ id }) => !placed.has(id)).map((effect) => nodeOf(effect, event)),
    };
  };
  const roots = inOrder.filter(({ causationId = '' }) => !byId.has(causationId)).map((event) => nodeOf(event));
  for (const event of inOrder) if (!placed.has(event.id)) roots.push(nodeOf(event));

  const times = inOrder.map(({ time }) => Date.parse(time));
  const [startedAt = 0, endedAt = startedAt] = [times[0], times.at(-1)];
  const { causationId } = inOrder[0] ?? {};
  return {
    correlationId,
    ...(causationId !== undefined && !byId.has(causationId) && { causationId }),
    startedAt: new Date(startedAt).toISOString(),
    durationMs: endedAt - startedAt,
    events: roots.sort((a, b) => compare(a.time, b.time) || compare(a.id, b.id)),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
