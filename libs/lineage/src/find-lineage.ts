import type { EventLog } from './event-log.ts';
import { type LineageTree, lineageTree } from './lineage-tree.ts';
import type { LoggedEvent } from './logged-event.ts';

/** Events that are put into trees at most. */
const MAX_EVENTS = 1000;

/** What an id has to do with. */
export interface Lineage {
  /** What was asked for. */
  id: string;
  /** Events in all trees. */
  count: number;
  /** There are more events than these. */
  truncated: boolean;
  /** One for each correlation id: an order has one for its placement, and one for its cancellation. */
  trees: LineageTree[];
}

/**
 * Finds everything that was caused by whatever caused an event, or the events about a subject, or that has a correlation
 * id. It is looked for in this order, and an id that is both a subject and a correlation id means both.
 *
 * @returns undefined when the log knows of no such id
 */
export async function findLineage(
  log: Pick<EventLog, 'find' | 'byCorrelation' | 'correlationsOf'>,
  id: string,
  maxEvents = MAX_EVENTS,
): Promise<Lineage | undefined> {
  const found = await log.find(id);
  const about = found
    ? { correlationIds: [found.correlationId], truncated: false }
    : await log.correlationsOf(id, maxEvents);
  const trees: LineageTree[] = [];
  let { truncated } = about;
  let count = 0;
  for (const correlationId of new Set(found ? about.correlationIds : [id, ...about.correlationIds])) {
    const { events, ...rest } = await log.byCorrelation(correlationId, maxEvents - count);
    truncated ||= rest.truncated;
    const all = found ? withEvent(events, found) : events;
    if (all.length > 0) trees.push(lineageTree(correlationId, all));
    count += all.length;
  }
  if (count === 0) return undefined;
  return { id, count, truncated, trees: trees.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1)) };
}

/** The index may not know yet of an event that the table has, and a tree that was cut may end before it. */
function withEvent(
  events: readonly LoggedEvent[],
  { metadata: _, data: __, ...event }: LoggedEvent & { metadata?: unknown; data?: unknown },
): LoggedEvent[] {
  return events.some(({ id }) => id === event.id) ? [...events] : [...events, event];
}
