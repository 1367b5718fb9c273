import { orderLine } from '@millrace/orders/events';
import * as z from 'zod';
import { viewId as id, pages, type View } from '../../views/index.ts';

const page = z.enum(pages, `expected product, or one of ${pages.join(', ')}`);

/** Views in one request. */
const MAX_VIEWS = 50;
/** A view that waits for longer in a browser is of no use for figures of the day. */
const MAX_QUEUE_MS = 4 * 60 * 60 * 1000;

const queueTimeMs = z.int().min(0).max(MAX_QUEUE_MS).optional();

/**
 * The body of `POST /interactions`. A browser says how long a view has waited and not when it was: clocks of visitors are wrong,
 * and by how much would tell one from another.
 */
export const viewsRequest = z.strictObject({
  sessionId: id,
  views: z
    .array(
      z.discriminatedUnion(
        'page',
        [
          z.strictObject({ id, page, queueTimeMs }),
          z.strictObject({ id, page: z.literal('product'), sku: orderLine.shape.sku, queueTimeMs }),
        ],
        `expected product, or one of ${pages.join(', ')}`,
      ),
    )
    .min(1)
    .max(MAX_VIEWS)
    .superRefine((views, context) => {
      const seen = new Set<string>();
      views.forEach((each, index) => {
        if (seen.has(each.id)) context.addIssue({ code: 'custom', path: [index, 'id'], message: 'listed twice' });
        seen.add(each.id);
      });
    }),
});

/**
 * The views of a request, in the order in which the visitor saw them.
 * @param receivedAt when the request came
 * @example viewsOf({ sessionId, views: [{ id, page: 'home', queueTimeMs: 250 }] }, new Date());
 */
export function viewsOf({ sessionId, views }: z.output<typeof viewsRequest>, receivedAt: Date): View[] {
  return views.map(({ queueTimeMs: waited = 0, ...each }, position) => ({
    ...each,
    sessionId,
    viewedAt: new Date(receivedAt.getTime() - waited).toISOString(),
    position,
  }));
}
