import * as z from 'zod';

const pieces = z.int().min(0).max(1_000_000_000);

/** The body of `PUT /stock/{sku}`: what is available, and below which number it counts as low (0, the default: never). */
export const stockLevelRequest = z.strictObject({ available: pieces, lowStockThreshold: pieces.default(0) });
