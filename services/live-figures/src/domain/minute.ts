import type { Event } from '@millrace/events';
import { projections } from './figures/index.ts';
import { markOf } from './mark.ts';
import type { Figures } from './projection.ts';

/** Figures by projection, with the marks of the events that they count. They are beside each other, so that both are one write. */
export interface Page {
  figures: Readonly<Record<string, Figures>>;
  seen: readonly string[];
}

/** What is known of the figures of ten seconds. */
export interface Slot {
  /** Marks of the events of pages that are full: nothing is added to them any more. */
  closed: ReadonlySet<string>;
  /** How many pages are full. */
  closedPages: number;
  /** The page behind them; undefined when nothing is on it. */
  open?: Page | undefined;
}

/**
 * DynamoDB charges a write by the kilobyte of the item, however little of it changes. So the figures of ten seconds are pages, and only
 * the last of them is written: one that is as large as this is full, and ten events more still fit into its kilobyte. Two containers that
 * do not agree on it could write to two pages at once, so if you change it, stop the consumer for the deployment.
 */
const FULL_PAGE_BYTES = 850;
/** Keys, version, time to live. */
const PAGE_OVERHEAD_BYTES = 90;
/** Of a figure: its number, and what a map adds. */
const FIGURE_OVERHEAD_BYTES = 5;
export const MARK_BYTES = 9;

/** `2026-01-15T09:30:1`, in UTC: the ten seconds in which an event happened, however late it comes. */
export function slotOf({ metadata: { timestamp } }: Pick<Event, 'metadata'>): string {
  return timestamp.slice(0, 'yyyy-mm-ddThh:mm:s'.length);
}

/** The minute of a slot. */
export function minuteOf(slot: string): string {
  return slot.slice(0, 'yyyy-mm-ddThh:mm'.length);
}

/**
 * Counts events of one slot, each once.
 *
 * Whether a page is full depends on the page alone, so all who have read the same one agree on it, and a page that is full never changes.
 *
 * @returns the page that is to be written, its number from 0 on, and which of the events were counted before
 * @example const { page, number, known } = countEvents(slot, events);
 */
export function countEvents(
  { closed, closedPages, open }: Slot,
  events: readonly Event[],
): { page: Page; number: number; known: ReadonlySet<Event> } {
  const startsAnew = open === undefined || isFull(open);
  const before = startsAnew ? undefined : open;
  const seen = new Set(before?.seen);
  const isSeen = (mark: string) => seen.has(mark) || closed.has(mark) || (startsAnew && open?.seen.includes(mark));
  const known = new Set<Event>();
  const added: Readonly<Record<string, Figures>>[] = before ? [before.figures] : [];
  for (const event of events) {
    const mark = markOf(event);
    if (isSeen(mark)) known.add(event);
    else added.push(measure(event));
    if (!isSeen(mark)) seen.add(mark);
  }
  return {
    page: { figures: sumOf(added), seen: [...seen] },
    number: closedPages + (open !== undefined && startsAnew ? 1 : 0),
    known,
  };
}

/** True of a page to which nothing is added any more. */
export function isFull({ figures, seen }: Page): boolean {
  let bytes = PAGE_OVERHEAD_BYTES + seen.length * MARK_BYTES;
  for (const [projection, names] of Object.entries(figures)) {
    bytes += projection.length + FIGURE_OVERHEAD_BYTES;
    for (const name of Object.keys(names)) bytes += name.length + FIGURE_OVERHEAD_BYTES;
  }
  return bytes > FULL_PAGE_BYTES;
}

function measure(event: Event): Record<string, Figures> {
  return Object.fromEntries(
    projections.flatMap(({ name, measure: measureBy }) => {
      const figures = measureBy(event);
      return figures ? [[name, figures] as const] : [];
    }),
  );
}

/** Adds figures up, by projection and name. */
export function sumOf(all: readonly Readonly<Record<string, Figures>>[]): Record<string, Figures> {
  const sums = new Map<string, Map<string, number>>();
  for (const [projection, figures] of all.flatMap((each) => Object.entries(each))) {
    const sum = sums.get(projection) ?? new Map<string, number>();
    sums.set(projection, sum);
    for (const [name, amount] of Object.entries(figures)) sum.set(name, (sum.get(name) ?? 0) + amount);
  }
  return Object.fromEntries([...sums].map(([projection, sum]) => [projection, Object.fromEntries(sum)]));
}
