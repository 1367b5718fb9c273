/** The stock of one SKU, in pieces. */
export interface StockLevel {
  /** Free to be reserved. */
  available: number;
  /** Held for orders. */
  reserved: number;
  /** Below this many available pieces somebody should buy more; 0 turns the warning off. */
  lowStockThreshold: number;
}

export interface Line {
  sku: string;
  quantity: number;
}

export interface Shortage {
  sku: string;
  requested: number;
  available: number;
}

/** The change of one SKU, valid as long as its available stock is in `availableRange` and its threshold is `level`'s. */
export interface StockChange {
  sku: string;
  quantity: number;
  level: StockLevel;
  /** For any available stock in this range (both ends included) the decision is the same. */
  availableRange: { min: number; max?: number };
  /** Whether the change takes the SKU below its threshold. */
  ranLow: boolean;
}

export type ReservationDecision =
  | { type: 'reserve'; changes: StockChange[] }
  | { type: 'refuse'; shortages: Shortage[] };

export function isLow({ available, lowStockThreshold }: StockLevel): boolean {
  return available < lowStockThreshold;
}

/** Reserves all lines or none. `levels` has the stock as it was read; a SKU that is missing there has none. */
export function decideReservation(
  lines: readonly Line[],
  levels: ReadonlyMap<string, StockLevel>,
): ReservationDecision {
  const shortages = lines.flatMap(({ sku, quantity }): Shortage[] => {
    const available = levels.get(sku)?.available ?? 0;
    return available < quantity ? [{ sku, requested: quantity, available }] : [];
  });
  if (shortages.length > 0) return { type: 'refuse', shortages };
  return {
    type: 'reserve',
    changes: lines.flatMap(({ sku, quantity }): StockChange[] => {
      const level = levels.get(sku);
      return level ? [takeFrom(sku, quantity, level)] : [];
    }),
  };
}

/**
 * Taking pieces is decided for a range of stock rather than for the one number that was read: orders for the same SKU
 * then only get in each other's way where it runs low or out.
 */
function takeFrom(sku: string, quantity: number, level: StockLevel): StockChange {
  const { available, lowStockThreshold } = level;
  const change = { sku, quantity, level };
  if (isLow(level)) return { ...change, availableRange: { min: quantity, max: lowStockThreshold - 1 }, ranLow: false };
  if (available - quantity < lowStockThreshold) {
    // The crossing is told with the exact number, so it is decided for that number alone.
    return { ...change, availableRange: { min: available, max: available }, ranLow: true };
  }
  return { ...change, availableRange: { min: quantity + lowStockThreshold }, ranLow: false };
}
