import { isLow, noStock, onHandOf, type StockLevel } from './stock.ts';
import { decideCount, type StockCount } from './stock-count.ts';

/** What people do to the stock of one SKU. What orders do to it is in `decideReservations` and `StockMovement`. */
export type StockCommand =
  | { type: 'SetStock'; available: number; lowStockThreshold: number }
  | { type: 'Count'; count: StockCount };

export type StockEvent =
  | { type: 'StockSet'; available: number; lowStockThreshold: number }
  /** `expected` is what was on hand by the books. */
  | { type: 'StockCounted'; counted: number; expected: number; available: number }
  | { type: 'StockRanLow' };

/**
 * What follows from a command, and whether the SKU has run low by it. What orders hold stays held.
 * @throws StockMovedError when pieces have come or gone since a count began
 */
export function decide(command: StockCommand, level: StockLevel | undefined): readonly StockEvent[] {
  const event = changeBy(command, level);
  const crosses = isLow(evolve(level, event)) && !(level && isLow(level));
  return crosses ? [event, { type: 'StockRanLow' }] : [event];
}

function changeBy(command: StockCommand, level: StockLevel = noStock): StockEvent {
  if (command.type === 'SetStock') return { ...command, type: 'StockSet' };
  const { counted } = command.count;
  const { available } = decideCount(level, command.count);
  return { type: 'StockCounted', counted, expected: onHandOf(level), available };
}

/** The state after one more event. */
export function evolve(level: StockLevel | undefined, event: StockEvent): StockLevel {
  const before = { ...noStock, ...level };
  switch (event.type) {
    case 'StockSet':
      return { ...before, available: event.available, lowStockThreshold: event.lowStockThreshold };
    case 'StockCounted':
      return { ...before, available: event.available };
    case 'StockRanLow':
      return before;
  }
}
