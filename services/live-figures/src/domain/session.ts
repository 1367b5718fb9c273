import type { View } from '@millrace/interactions/views';

/** A view in a session: what is known of it, without the session's id. */
export type SeenView = Omit<View, 'sessionId'>;

/** What a visitor has looked at, in that order. */
export interface Session {
  views: readonly SeenView[];
}

/** A session has no more views than a person makes: what comes after them is a script, and is not counted. */
export const MAX_VIEWS = 200;

/** A session after some views, and what they changed. */
interface Extended {
  session: Session;
  /** Views that were not known. A view that comes again, by a repeated request or a repeated record, is not among them. */
  added: SeenView[];
  /** Views of a session that is full. */
  refused: number;
  /** The session begins with them. */
  isNew: boolean;
  /** They have the first view of a product. */
  isFirstProduct: boolean;
}

/**
 * Adds views to a session, each once, in the place where its time puts it.
 * @param session undefined for the first views
 * @example const { session, added } = extendSession(known, views);
 */
export function extendSession(session: Session | undefined, views: readonly View[]): Extended {
  const known = new Map(session?.views.map((each) => [each.id, each]));
  const added: SeenView[] = [];
  let refused = 0;
  for (const { sessionId: _, ...each } of views) {
    if (known.has(each.id)) continue;
    if (known.size >= MAX_VIEWS) {
      refused += 1;
      continue;
    }
    known.set(each.id, each);
    added.push(each);
  }
  const knewProduct = session?.views.some(isOfProduct) ?? false;
  return {
    session: { views: [...known.values()].sort(byTime) },
    ...{ added, refused },
    isNew: session === undefined && added.length > 0,
    isFirstProduct: !knewProduct && added.some(isOfProduct),
  };
}

/** True for a view of one product. */
export function isOfProduct({ page }: SeenView): boolean {
  return page === 'product';
}

function byTime(a: SeenView, b: SeenView): number {
  return a.viewedAt === b.viewedAt ? a.position - b.position : a.viewedAt < b.viewedAt ? -1 : 1;
}

/** What of a session is shown. */
export function describeSession(session: Session) {
  return {
    ...timesOf(session),
    path: session.views.map(({ page, sku, viewedAt }) => ({ page, ...(sku !== undefined && { sku }), viewedAt })),
  };
}

/** What of a session is shown in a list: of its path the pages alone. */
export function summarizeSession(session: Session) {
  return { ...timesOf(session), path: session.views.map(({ page }) => page) };
}

function timesOf({ views }: Session) {
  const [startedAt = '', endedAt = ''] = [views[0]?.viewedAt, views.at(-1)?.viewedAt];
  return { startedAt, endedAt, durationMs: Date.parse(endedAt) - Date.parse(startedAt) };
}
