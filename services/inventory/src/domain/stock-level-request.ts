import * as z from 'zod';

const pieces = z.int().min(0).max(1_000_000_000);

/** The body of `PUT /stock/{sku}`: what is available, and below which number it counts as low (0, the default: never). */
export const stockLevelRequest = z.strictObject({ available: pieces, lowStockThreshold: pieces.default(0) });

/** The body of `POST /stock/{sku}/count`: what is on the shelf, and what was on hand by the books when counting began. */
export const stockCountRequest = z.strictObject({ counted: pieces, expectedOnHand: pieces.optional() });
