import type { EventLog } from './event-log.ts';
import { type LineageTree, lineageTree } from './lineage-tree.ts';
import type { LoggedEvent } from './logged-event.ts';

/** How much of the log one question may read. Each tree has a budget of its own, so that no tree can crowd out another. */
export interface LineageLimits {
  /** Events of one tree. An order has five to eight. */
  eventsPerTree: number;
  /** Trees of one subject. An order has one for its placement and one for its cancellation, a SKU has many. */
  trees: number;
  /** Events about a subject that are read to find its trees. */
  eventsPerSubject: number;
}

const defaultLimits: LineageLimits = { eventsPerTree: 250, trees: 20, eventsPerSubject: 500 };

/** The trees that an id belongs to. */
export interface Lineage {
  /** The id that was asked for. */
  id: string;
  /** Events in all trees. */
  count: number;
  /** There are more trees, or more events in one of them: it says `truncated` itself. */
  truncated: boolean;
  /** One for each correlation id: an order has one for its placement, and one for its cancellation. */
  trees: LineageTree[];
}

/**
 * Finds the trees of an id: the one of an event with this id; otherwise those of the events about a subject with this id;
 * otherwise the one with this correlation id. The first kind that the log knows is the answer: an order's lineage is
 * never mixed with that of a call whose correlation id happens to be the order's id.
 *
 * @param limits how much is read, see `LineageLimits`
 * @returns undefined when the log does not know the id
 * @example
 * const lineage = await findLineage(log, orderId);
 * lineage?.trees.map(({ correlationId, events }) => [correlationId, events.length]);
 */
export async function findLineage(
  log: Pick<EventLog, 'find' | 'byCorrelation' | 'correlationsOf'>,
  id: string,
  limits: Partial<LineageLimits> = {},
): Promise<Lineage | undefined> {
  const { eventsPerTree, trees: maxTrees, eventsPerSubject } = { ...defaultLimits, ...limits };
  const found = await log.find(id);
  const about = found
    ? { correlationIds: [found.correlationId], truncated: false }
    : await log.correlationsOf(id, eventsPerSubject);
  const correlationIds = about.correlationIds.length > 0 ? about.correlationIds.slice(0, maxTrees) : [id];
  const trees: LineageTree[] = [];
  let truncated = about.truncated || correlationIds.length < about.correlationIds.length;
  for (const correlationId of correlationIds) {
    const { events, ...rest } = await log.byCorrelation(correlationId, eventsPerTree);
    const all = found ? withEvent(events, found) : events;
    if (all.length > 0) trees.push({ ...lineageTree(correlationId, all), ...(rest.truncated && { truncated: true }) });
    truncated ||= rest.truncated;
  }
  if (trees.length === 0) return undefined;
  const count = trees.reduce((sum, { events }) => sum + countOf(events), 0);
  return { id, count, truncated, trees: trees.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1)) };
}

function countOf(nodes: LineageTree['events']): number {
  return nodes.reduce((sum, { events }) => sum + 1 + countOf(events), 0);
}

/** The index may not know yet of an event that the table has, and a tree that was cut may end before it. */
function withEvent(
  events: readonly LoggedEvent[],
  { metadata: _, data: __, ...event }: LoggedEvent & { metadata?: unknown; data?: unknown },
): LoggedEvent[] {
  return events.some(({ id }) => id === event.id) ? [...events] : [...events, event];
}
