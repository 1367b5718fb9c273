import { PermanentError } from '@millrace/errors';
import { noStock, onHandOf, type StockLevel } from './stock.ts';

/** What was found on a shelf. */
export interface StockCount {
  /** Pieces on the shelf, those that orders hold included. */
  counted: number;
  /** What was on hand by the books when counting began. If it is given and has changed since, the count is refused. */
  expectedOnHand?: number | undefined;
}

/** Pieces have come or gone since the count began, so it is unknown whether they were counted. */
export class StockMovedError extends PermanentError {
  constructor(expectedOnHand: number, onHand: number) {
    super('STOCK_MOVED', `${onHand} pieces are on hand, not ${expectedOnHand}: stock was moved meanwhile, count again`);
  }
}

/**
 * Puts the books right by a count. What orders hold stays held, so that the difference is what is available: below zero when
 * there are fewer pieces than orders hold. Reservations move nothing on the shelf, so they do not disturb a count.
 *
 * @returns the stock after the count
 * @throws StockMovedError when a shipment or a delivery came between
 * @example decideCount({ available: 5, reserved: 3, shipped: 2, lowStockThreshold: 0 }, { counted: 7 }); // 4 available
 */
export function decideCount(before: StockLevel = noStock, { counted, expectedOnHand }: StockCount): StockLevel {
  const onHand = onHandOf(before);
  if (expectedOnHand !== undefined && expectedOnHand !== onHand) throw new StockMovedError(expectedOnHand, onHand);
  return { ...before, available: counted - before.reserved };
}
