import { Random } from '../random.ts';

/** What happens to an order. */
export const kinds = [
  'good',
  'approved',
  'declined',
  'out of stock',
  'provider down',
  'cancelled half-way',
  'approval refused',
  'approval timed out',
] as const;
export type Kind = (typeof kinds)[number];

/** An order, and what its customer, the bank and the staff do. */
export interface OrderScript {
  number: number;
  kind: Kind;
  lines: { sku: string; quantity: number; unitPrice: number }[];
  paymentToken: string;
}

/** How an order is to end. */
export interface Ending {
  status: 'CONFIRMED' | 'CANCELLED';
  /** What is left of the customer's money: `kept` by the shop, `none` was taken, or `returned`. */
  money: 'kept' | 'none' | 'returned';
  shipped: boolean;
}

/** What a form of the process does with orders. */
export interface OrderProcess extends AsyncDisposable {
  /** Takes orders to their end. @returns their ids, in their order */
  run(scripts: readonly OrderScript[]): Promise<string[]>;
}

/** SKUs that no order can exhaust. */
const plentiful = Array.from({ length: 12 }, (_, index) => `PLENTY-${index + 1}`);
/** A SKU of which no order of the scripts gets enough. */
const SCARCE = 'SCARCE';

/** Pieces in stock before the first order. */
export const stock: Readonly<Record<string, number>> = {
  ...Object.fromEntries(plentiful.map((sku) => [sku, 10_000])),
  [SCARCE]: 1,
};

/** Above this amount a person approves an order, see `approvalAbove` in serverless.stages.yml. */
const LARGE = 120_000;

/** True for an order that a checkout lets a person approve. */
export function needsApproval({ lines }: Pick<OrderScript, 'lines'>): boolean {
  return lines.some(({ unitPrice }) => unitPrice >= LARGE);
}

/** So many orders of all kinds, always the same. @example scriptedOrders(300)[0]?.kind // 'good' */
export function scriptedOrders(count: number): OrderScript[] {
  const random = new Random('scripted orders');
  return Array.from({ length: count }, (_, index): OrderScript => {
    const kind = kinds[index % kinds.length] ?? 'good';
    const skus = random.chance(0.5) ? [random.pick(plentiful)] : [plentiful[index % 6], plentiful[6 + (index % 6)]];
    const isLarge = ['approved', 'cancelled half-way', 'approval refused', 'approval timed out'].includes(kind);
    const lines = skus.map((sku = '') => ({
      sku,
      quantity: random.between(1, 4),
      unitPrice: isLarge ? LARGE : random.between(1, 900),
    }));
    if (kind === 'out of stock') lines.push({ sku: SCARCE, quantity: 2, unitPrice: 100 });
    return { number: index + 1, kind, lines, paymentToken: tokens[kind] ?? 'tok_approved' };
  });
}

/** See the sandbox provider. Down is down for two calls: when it stays down, what an operator does decides the end. */
const tokens: Partial<Record<Kind, string>> = {
  declined: 'tok_declined',
  'provider down': 'tok_temporarily_unavailable',
};

/** How an order of each kind is to end, whatever takes it there. */
export const endings: Readonly<Record<Kind, Ending>> = {
  good: { status: 'CONFIRMED', money: 'kept', shipped: true },
  approved: { status: 'CONFIRMED', money: 'kept', shipped: true },
  'provider down': { status: 'CONFIRMED', money: 'kept', shipped: true },
  declined: { status: 'CANCELLED', money: 'none', shipped: false },
  'out of stock': { status: 'CANCELLED', money: 'none', shipped: false },
  'cancelled half-way': { status: 'CANCELLED', money: 'none', shipped: false },
  'approval refused': { status: 'CANCELLED', money: 'none', shipped: false },
  'approval timed out': { status: 'CANCELLED', money: 'none', shipped: false },
};
