import { OrderPlaced } from '@millrace/orders/events';
import { defineProjection } from '../projection.ts';

/** Pieces of each SKU that were ordered. */
export const skus = defineProjection('skus', [OrderPlaced.analytics], ({ data: { lines } }) => {
  const pieces: Record<string, number> = {};
  for (const { sku, quantity } of lines) pieces[sku] = (pieces[sku] ?? 0) + quantity;
  return pieces;
});
