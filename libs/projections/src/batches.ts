import { placesOf } from './change.ts';
import type { Projection } from './define-projection.ts';
import { hash } from './hash.ts';
import type { SubjectEvents } from './pending-events.ts';

/** DynamoDB takes 100 items in one transaction; one of them is the fence of a rebuild. */
const ITEMS_PER_TRANSACTION = 99;

/**
 * Divides aggregates into transactions: a list for each lane, so that transactions of different lanes share no row as
 * long as each aggregate has the rows of one partition. Aggregates of the same row come one after the other, because a
 * transaction writes a row once, however many of them change it.
 */
export function batchesByLane(
  projection: Projection,
  subjects: readonly SubjectEvents[],
  lanes: number,
): SubjectEvents[][][] {
  const open = Array.from({ length: lanes }, () => ({ items: new Set<string>(), batches: [[]] as SubjectEvents[][] }));
  const placed = subjects
    .map((subject) => ({ subject, places: placesOf(projection, subject) }))
    .toSorted((a, b) => ((a.places[0] ?? '') < (b.places[0] ?? '') ? -1 : 1));
  for (const { subject, places } of placed) {
    const [first] = subject.events;
    const lane = open[first ? hash(projection.keyOf(first).partition) % lanes : 0];
    if (!first || !lane) continue;
    const items = [subject.subject, ...places];
    if (lane.items.size + items.filter((item) => !lane.items.has(item)).length > ITEMS_PER_TRANSACTION) {
      lane.batches.push([]);
      lane.items.clear();
    }
    lane.batches.at(-1)?.push(subject);
    for (const item of items) lane.items.add(item);
  }
  return open.map(({ batches }) => batches.filter((batch) => batch.length > 0));
}
