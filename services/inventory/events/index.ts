import { defineEvent } from '@millrace/events';
import { exampleOrder, orderSnapshot } from '@millrace/orders/events';
import * as z from 'zod';

/** One SKU that could not be reserved. */
const shortage = z.object({ sku: z.string(), requested: z.int().positive(), available: z.int().nonnegative() });

export const StockReserved = defineEvent({
  name: 'StockReserved',
  version: 1,
  service: 'inventory',
  category: 'domain',
  type: 'data',
  summary: 'Every line of the order is held for it.',
  data: orderSnapshot,
  example: exampleOrder,
  analytics: { fields: ['orderId', 'lines[].sku', 'lines[].quantity'] },
});

export const StockReservationFailed = defineEvent({
  name: 'StockReservationFailed',
  version: 1,
  service: 'inventory',
  category: 'domain',
  type: 'data',
  summary: 'At least one SKU has too little stock, so nothing was reserved.',
  data: z.object({ orderId: z.string(), shortages: z.array(shortage).min(1) }),
  example: { orderId: exampleOrder.orderId, shortages: [{ sku: 'FLOUR-1KG', requested: 2, available: 0 }] },
  analytics: { fields: ['orderId', 'shortages[].sku', 'shortages[].requested', 'shortages[].available'] },
});

export const StockReleased = defineEvent({
  name: 'StockReleased',
  version: 1,
  service: 'inventory',
  category: 'domain',
  type: 'data',
  summary: 'What was held for the order is available again.',
  data: z.object({
    orderId: z.string(),
    lines: z.array(z.object({ sku: z.string(), quantity: z.int().positive() })).min(1),
  }),
  example: { orderId: exampleOrder.orderId, lines: [{ sku: 'FLOUR-1KG', quantity: 2 }] },
  analytics: { fields: ['orderId', 'lines[].sku', 'lines[].quantity'] },
});

export const StockRanLow = defineEvent({
  name: 'StockRanLow',
  version: 1,
  service: 'inventory',
  category: 'domain',
  type: 'status',
  summary: 'The available stock of a SKU fell below its threshold; emitted once for each crossing.',
  data: z.object({ sku: z.string(), available: z.int().nonnegative(), lowStockThreshold: z.int().positive() }),
  example: { sku: 'FLOUR-1KG', available: 4, lowStockThreshold: 5 },
  analytics: { fields: ['sku', 'available', 'lowStockThreshold'] },
});

export const StockCounted = defineEvent({
  name: 'StockCounted',
  version: 1,
  service: 'inventory',
  category: 'domain',
  type: 'data',
  summary: 'The pieces of a SKU on the shelf were counted, and the books follow the count.',
  data: z.object({
    sku: z.string(),
    counted: z.int().nonnegative(),
    /** What was on hand by the books. */
    expected: z.int(),
    /** counted − expected. */
    difference: z.int(),
    /** What is left for new orders; below zero when fewer pieces are there than orders hold. */
    available: z.int(),
    reserved: z.int().nonnegative(),
  }),
  example: { sku: 'FLOUR-1KG', counted: 9, expected: 10, difference: -1, available: 7, reserved: 2 },
  analytics: { fields: ['sku', 'counted', 'expected', 'difference', 'available', 'reserved'] },
});
