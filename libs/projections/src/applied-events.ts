import { isApplied } from './applied.ts';
import { marksOf } from './change.ts';
import type { Projection } from './define-projection.ts';
import { Pointers } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/**
 * Whether the version of a projection that is read has had an event of an aggregate. It knows so for ever: these marks do
 * not expire.
 *
 * @param sequence of the event among those of its aggregate: `metadata.sequence`
 * @example await hasApplied(table, orderSummary, { subject: orderId, sequence: 1 }); // OrderPlaced is in
 */
export async function hasApplied(
  table: ProjectionTable,
  projection: Projection,
  { subject, sequence }: { subject: string; sequence: number },
): Promise<boolean> {
  const version = await new Pointers(table).live(projection.name);
  const marks = await table.read(marksOf({ projection, version, subjects: [{ subject, events: [] }] }));
  const [mark] = [...marks.values()];
  return mark !== undefined && isApplied({ upTo: mark.upTo, beyond: mark.beyond }, sequence);
}
