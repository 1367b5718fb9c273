import type { SeenView } from './session.ts';

/** What happened in one minute. */
export interface MinuteCounts {
  views: number;
  /** Of them, those of a product. */
  productViews: number;
  /** Sessions that began. */
  sessions: number;
}

/** `2026-11-30T21:05`, in UTC. */
export type Minute = string;

/** The minute of a time in ISO 8601. */
export function minuteOf(time: string): Minute {
  return time.slice(0, 'yyyy-mm-ddThh:mm'.length);
}

/**
 * Counts views in the minutes in which they were seen, however late they come.
 * @param added views of sessions that were not counted before
 * @param isNew whether the session begins with them
 */
export function countByMinute(
  sessions: readonly { added: readonly SeenView[]; isNew: boolean }[],
): Map<Minute, MinuteCounts> {
  const minutes = new Map<Minute, MinuteCounts>();
  const at = (time: string): MinuteCounts => {
    const minute = minuteOf(time);
    const counts = minutes.get(minute) ?? { views: 0, productViews: 0, sessions: 0 };
    minutes.set(minute, counts);
    return counts;
  };
  for (const { added, isNew } of sessions) {
    for (const { viewedAt, page } of added) {
      const counts = at(viewedAt);
      counts.views += 1;
      if (page === 'product') counts.productViews += 1;
    }
    const [first] = added.map(({ viewedAt }) => viewedAt).sort();
    if (isNew && first !== undefined) at(first).sessions += 1;
  }
  return minutes;
}
