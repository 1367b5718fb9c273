/** The stock of one SKU, in pieces. */
export interface StockLevel {
  /** Free to be reserved; below zero when a count found fewer pieces than orders hold. */
  available: number;
  /** Held for orders, and still on the shelf. */
  reserved: number;
  /** Left the shelf with shipments, ever since the SKU was first set. */
  shipped: number;
  /** Below this many available pieces it is time to buy more; 0 turns the warning off. */
  lowStockThreshold: number;
}

/** The stock of a SKU that was never set. */
export const noStock: StockLevel = { available: 0, reserved: 0, shipped: 0, lowStockThreshold: 0 };

export interface Line {
  sku: string;
  quantity: number;
}

export interface Shortage {
  sku: string;
  requested: number;
  available: number;
}

/** By how many pieces the stock of a SKU changes; what is left out does not change. */
export interface StockMovement {
  sku: string;
  available?: number;
  reserved?: number;
  shipped?: number;
}

/**
 * What several orders together take of one SKU, valid as long as its available stock is in `availableRange` and its threshold
 * is `level`'s.
 */
export interface StockChange {
  sku: string;
  quantity: number;
  level: StockLevel;
  /** For any available stock in this range (both ends included) the decision is the same. */
  availableRange: { min: number; max?: number };
  /** The order that took the SKU below its threshold, if one did. */
  ranLowBy?: string;
}

export interface OrderToReserve {
  orderId: string;
  lines: readonly Line[];
}

export interface ReservationDecisions {
  /** What each order lacks, in their order; nothing for an order that is reserved. */
  shortages: Shortage[][];
  /** What all orders that are reserved take, one change for each SKU. */
  changes: StockChange[];
}

/** The pieces on the shelf: a reservation does not move them, a shipment does. */
export function onHandOf({ available, reserved }: Pick<StockLevel, 'available' | 'reserved'>): number {
  return available + reserved;
}

/** Whether the available stock is below the threshold. */
export function isLow({ available, lowStockThreshold }: StockLevel): boolean {
  return available < lowStockThreshold;
}

/**
 * Decides orders one after the other: each gets all of its lines or none, from what the orders before it leave.
 *
 * @param levels the stock as it was read; a SKU that is missing there has none
 * @example decideReservations([{ orderId: 'o-1', lines: [{ sku: 'FLOUR', quantity: 2 }] }], new Map([['FLOUR', level]]))
 */
export function decideReservations(
  orders: readonly OrderToReserve[],
  levels: ReadonlyMap<string, StockLevel>,
): ReservationDecisions {
  const taken = new Map<string, { quantity: number; ranLowBy?: string }>();
  const leftOf = (sku: string) => (levels.get(sku)?.available ?? 0) - (taken.get(sku)?.quantity ?? 0);

  const allShortages = orders.map(({ orderId, lines }): Shortage[] => {
    const wanted = [...piecesBySku(lines)];
    const shortages = wanted.flatMap(([sku, requested]): Shortage[] => {
      const available = leftOf(sku);
      return available < requested ? [{ sku, requested, available: Math.max(0, available) }] : [];
    });
    if (shortages.length > 0) return shortages;
    for (const [sku, quantity] of wanted) {
      const threshold = levels.get(sku)?.lowStockThreshold ?? 0;
      const before = leftOf(sku);
      const crosses = before >= threshold && before - quantity < threshold;
      const { quantity: earlier = 0, ...ranLow } = taken.get(sku) ?? {};
      taken.set(sku, { quantity: earlier + quantity, ...ranLow, ...(crosses && { ranLowBy: orderId }) });
    }
    return shortages;
  });

  const changes = [...taken].flatMap(([sku, change]): StockChange[] => {
    const level = levels.get(sku);
    return level ? [{ sku, level, ...change, availableRange: rangeFor(change.quantity, level) }] : [];
  });
  return { shortages: allShortages, changes };
}

/**
 * Taking pieces is decided for a range of stock rather than for the one number that was read: transactions for the same SKU
 * then only get in each other's way where it runs low or out.
 */
function rangeFor(quantity: number, level: StockLevel): StockChange['availableRange'] {
  const { available, lowStockThreshold } = level;
  if (isLow(level)) return { min: quantity, max: lowStockThreshold - 1 };
  // The crossing is told with the exact number, so it is decided for that number alone.
  if (available - quantity < lowStockThreshold) return { min: available, max: available };
  return { min: quantity + lowStockThreshold };
}

/** Adds up movements, so that each SKU has one. */
export function sumOf(movements: readonly StockMovement[]): Required<StockMovement>[] {
  const sums = new Map<string, Required<StockMovement>>();
  for (const { sku, available = 0, reserved = 0, shipped = 0 } of movements) {
    const sum = sums.get(sku) ?? { sku, available: 0, reserved: 0, shipped: 0 };
    sums.set(sku, {
      sku,
      available: sum.available + available,
      reserved: sum.reserved + reserved,
      shipped: sum.shipped + shipped,
    });
  }
  return [...sums.values()];
}

function piecesBySku(lines: readonly Line[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { sku, quantity } of lines) pieces.set(sku, (pieces.get(sku) ?? 0) + quantity);
  return pieces;
}
