import { endpoint } from '@millrace/http';
import * as z from 'zod';
import { warehouseFromEnvironment } from '../adapters/warehouse.ts';
import { stockPath } from './stock-path.ts';

const warehouse = warehouseFromEnvironment();

const pieces = z.int().min(0).max(1_000_000_000);

/** `PUT /stock/{sku}`: sets what is available, and below which number it counts as low (0, the default: never). */
export const handler = endpoint(
  { path: stockPath, body: z.strictObject({ available: pieces, lowStockThreshold: pieces.default(0) }) },
  async ({ path: { sku }, body, correlationId, traceparent }) => {
    const level = await warehouse.setStock(sku, body, { correlationId, traceparent });
    return { status: 200, body: { sku, ...level } };
  },
);
