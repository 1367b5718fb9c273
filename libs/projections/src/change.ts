import { type Item, type ItemKey, idOf, type KnownItems } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { nothingApplied } from './applied.ts';
import type { Projection, RowKey } from './define-projection.ts';
import { pendingEvents, type SubjectEvents } from './pending-events.ts';

/** Events of some aggregates that one version of a projection is to have. */
export interface Change {
  projection: Projection;
  version: number;
  subjects: readonly SubjectEvents[];
}

/** What a change comes to where some of its events are in already. */
export interface PendingChange {
  /** The events that are not in, in the order in which they are to be applied, and the row of each. */
  steps: { projection: Projection; event: Event; row: ItemKey }[];
  /** The marks of their aggregates, afterwards. */
  marks: Item[];
}

/**
 * The items that a change depends on: marks, and rows as far as their keys can be guessed without the marks.
 * @param earlierMarks any marks of the same aggregates, however old: by where their last event went others are guessed better
 */
export function itemsToRead(
  { projection, version, subjects }: Change,
  earlierMarks: KnownItems = new Map(),
): ItemKey[] {
  return subjects.flatMap(({ subject, events }) => {
    const mark = markKey(projection.name, version, subject);
    const rows = keysOf(projection, events, earlierMarks.get(idOf(mark))?.row);
    return [mark, ...rows.map((row) => rowKey(projection.name, version, row))];
  });
}

/**
 * What of a change is still to be done.
 * @param known at least the marks
 * @throws SequenceGapError; SEQUENCE_MISSING
 */
export function pendingChange({ projection, version, subjects }: Change, known: KnownItems): PendingChange {
  const pending: PendingChange = { steps: [], marks: [] };
  for (const subject of subjects) {
    const key = markKey(projection.name, version, subject.subject);
    const mark = known.get(idOf(key));
    const { events, applied } = pendingEvents(
      projection,
      mark ? { upTo: mark.upTo, beyond: mark.beyond } : nothingApplied,
      subject,
    );
    if (events.length === 0) continue;
    const rows = keysOf(projection, events, mark?.row);
    for (const [index, event] of events.entries()) {
      const row = rows[index];
      if (row) pending.steps.push({ projection, event, row: rowKey(projection.name, version, row) });
    }
    pending.marks.push({ ...key, events: (mark?.events ?? 0) + events.length, ...applied, row: rows.at(-1) });
  }
  return pending;
}

/** The rows of a change afterwards. @param known at least these rows */
export function rowsAfter({ steps }: PendingChange, known: KnownItems): Item[] {
  const rows = new Map<string, Item>();
  for (const { projection, event, row: key } of steps) {
    const id = idOf(key);
    const before = rows.get(id) ?? known.get(id);
    rows.set(id, { ...key, events: (before?.events ?? 0) + 1, row: projection.evolve(before?.row, event) });
  }
  return [...rows.values()];
}

/** The marks of a change's aggregates. */
export function marksOf({ projection, version, subjects }: Change): ItemKey[] {
  return subjects.map(({ subject }) => markKey(projection.name, version, subject));
}

/** Where the events of an aggregate go, each place once, as text. */
export function placesOf(projection: Projection, { events }: SubjectEvents): string[] {
  return [...new Set(keysOf(projection, events).map(({ partition, sort }) => JSON.stringify([partition, sort])))];
}

/** The partition key of the rows of one partition. */
export function partitionKey(projection: string, version: number, partition: string): string {
  return `${projection}#${version}#ROW#${partition}`;
}

/** Where each of an aggregate's events goes. */
function keysOf(projection: Projection, events: readonly Event[], earlier?: RowKey): RowKey[] {
  let last = earlier;
  return events.map((event) => {
    last = projection.keyOf(event, last);
    return last;
  });
}

function rowKey(projection: string, version: number, { partition, sort }: RowKey): ItemKey {
  return { pk: partitionKey(projection, version, partition), sk: sort };
}

function markKey(projection: string, version: number, subject: string): ItemKey {
  return { pk: `${projection}#${version}#MARK#${subject}`, sk: 'MARK' };
}
