import { isOfProduct, type SeenView } from './session.ts';

/** What visitors did in one minute. */
export interface ViewCounts {
  views: number;
  /** Of them, those of a product. */
  productViews: number;
  /** Sessions that began. */
  sessions: number;
  /** Sessions that looked at their first product: the first step of the funnel. */
  viewers: number;
}

/** `2026-11-30T21:05`, in UTC. */
export type Minute = string;

/** What a batch adds to a session, as `extendSession` says it. */
export interface SessionChange {
  added: readonly SeenView[];
  isNew: boolean;
  isFirstProduct: boolean;
}

/**
 * Counts views in the minutes in which they were seen, however late they come.
 * @param changes of sessions, by views that were not counted before
 * @example for (const [minute, counts] of countByMinute([extendSession(undefined, views)])) …
 */
export function countByMinute(changes: readonly SessionChange[]): Map<Minute, ViewCounts> {
  const minutes = new Map<Minute, ViewCounts>();
  const at = (time: string): ViewCounts => {
    const minute = time.slice(0, 'yyyy-mm-ddThh:mm'.length);
    const counts = minutes.get(minute) ?? { views: 0, productViews: 0, sessions: 0, viewers: 0 };
    minutes.set(minute, counts);
    return counts;
  };
  for (const { added, isNew, isFirstProduct } of changes) {
    for (const each of added) {
      const counts = at(each.viewedAt);
      counts.views += 1;
      if (isOfProduct(each)) counts.productViews += 1;
    }
    const [first] = added.map(({ viewedAt }) => viewedAt).sort();
    if (isNew && first !== undefined) at(first).sessions += 1;
    const [firstProduct] = added
      .filter(isOfProduct)
      .map(({ viewedAt }) => viewedAt)
      .sort();
    if (isFirstProduct && firstProduct !== undefined) at(firstProduct).viewers += 1;
  }
  return minutes;
}

/** The counts of a minute as figures of the projections `views` and `funnel`. */
export function figuresOfViews({ views, productViews, sessions, viewers }: ViewCounts) {
  return { views: { views, productViews, sessions }, funnel: { viewed: viewers } };
}
