import { itemCount } from './change.ts';
import type { Projection } from './define-projection.ts';
import { hash } from './hash.ts';
import type { SubjectEvents } from './pending-events.ts';

/** DynamoDB takes as many items in one transaction. */
const ITEMS_PER_TRANSACTION = 100;

/**
 * Divides aggregates into transactions: a list for each lane, so that transactions of different lanes share no row as
 * long as each aggregate has the rows of one partition.
 */
export function batchesByLane(
  projection: Projection,
  subjects: readonly SubjectEvents[],
  lanes: number,
): SubjectEvents[][][] {
  const open = Array.from({ length: lanes }, () => ({ items: 0, batches: [[]] as SubjectEvents[][] }));
  for (const subject of subjects) {
    const [first] = subject.events;
    const lane = open[first ? hash(projection.keyOf(first).partition) % lanes : 0];
    if (!first || !lane) continue;
    const items = itemCount(projection, subject);
    if (lane.items + items > ITEMS_PER_TRANSACTION) {
      lane.batches.push([]);
      lane.items = 0;
    }
    lane.batches.at(-1)?.push(subject);
    lane.items += items;
  }
  return open.map(({ batches }) => batches.filter((batch) => batch.length > 0));
}
