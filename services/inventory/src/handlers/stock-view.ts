import { onHandOf, type StockLevel } from '../domain/stock.ts';

/** The stock of a SKU as the API shows it. */
export function stockView(sku: string, { available, reserved, shipped, lowStockThreshold }: StockLevel) {
  return { sku, onHand: onHandOf({ available, reserved }), reserved, available, shipped, lowStockThreshold };
}
