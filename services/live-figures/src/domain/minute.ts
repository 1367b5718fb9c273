import type { Event } from '@millrace/events';
import { projections } from './figures/index.ts';
import { markOf } from './mark.ts';
import type { Figures } from './projection.ts';

/** The figures of ten seconds, by projection, with the marks of the events that they count. */
export interface SlotState {
  figures: Readonly<Record<string, Figures>>;
  /** Marks of events. They are beside the figures, so that both are one write. */
  seen: readonly string[];
}

const empty: SlotState = { figures: {}, seen: [] };

/**
 * `2026-01-15T09:30:1`, in UTC: the ten seconds in which an event happened, however late it comes. A minute is six of them, for
 * DynamoDB charges each write by the size of the item, and that is mostly marks.
 */
export function slotOf({ metadata: { timestamp } }: Pick<Event, 'metadata'>): string {
  return timestamp.slice(0, 'yyyy-mm-ddThh:mm:s'.length);
}

/** The minute of a slot. */
export function minuteOf(slot: string): string {
  return slot.slice(0, 'yyyy-mm-ddThh:mm'.length);
}

/**
 * Counts events of one slot, each once.
 * @param state of the slot; undefined for the first events
 * @returns the slot with them, and which of them were counted before
 * @example const { state, known } = countEvents(stored, events);
 */
export function countEvents(
  state: SlotState | undefined,
  events: readonly Event[],
): { state: SlotState; known: ReadonlySet<Event> } {
  const seen = new Set((state ?? empty).seen);
  const known = new Set<Event>();
  const added: Record<string, Figures>[] = [(state ?? empty).figures];
  for (const event of events) {
    const mark = markOf(event);
    if (seen.has(mark)) known.add(event);
    else added.push(measure(event));
    seen.add(mark);
  }
  return { state: { figures: sumOf(added), seen: [...seen] }, known };
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
