import { orderLine } from '@millrace/orders/events';
import * as z from 'zod';

/**
 * The pages of the shop that are not about one product. A list and not a path: a path may hold a name, an address or the id of
 * an order, and what is in the log cannot be taken out of it.
 */
export const pages = ['home', 'search', 'category', 'cart', 'checkout', 'confirmation', 'account', 'help'] as const;

/** How views and sessions are named: by UUIDs that the browser makes up. */
export const viewId = z.uuid('expected a UUID');

/**
 * A view as the stream has it, which is all that is known of it: no address, no browser, no customer. It is the contract between the log
 * and its readers.
 */
export const view = z.strictObject({
  id: viewId,
  /** Made up by the browser, for one visit. It is in no other service, so nothing leads from it to a customer. */
  sessionId: viewId,
  page: z.enum([...pages, 'product']),
  sku: orderLine.shape.sku.optional(),
  /** With milliseconds, so that times sort as texts, and a place in a list of sessions makes a cursor. */
  viewedAt: z.iso.datetime({ precision: 3 }),
  /** Its place in the request, which orders views of the same millisecond. */
  position: z.int().min(0),
});

export type View = z.output<typeof view>;
