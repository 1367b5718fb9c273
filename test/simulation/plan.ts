import { Random } from '../random.ts';
import { begunSlot, laterSlots, SLOT_HORIZON_DAYS } from './slots.ts';

/** What a customer does. */
export interface OrderScript {
  /** Number of the order, from 1; stays the same when others are left out. */
  number: number;
  /** Simulated ms after the start. */
  at: number;
  customer: string;
  lines: { sku: string; quantity: number; unitPrice: number }[];
  card: 'good' | 'declined' | 'unavailable' | 'outage';
  /** Cancels so many ms after the answer to the order. */
  cancelAfter?: number;
  /** Sends the same request once more, so many ms after the first. */
  repeatAfter?: number;
  /** Where the order is picked up. */
  slot?: SlotScript;
}

/** What a customer does about a slot. */
export interface SlotScript {
  slotId: string;
  /** Asks for the slot before the order; otherwise the order is to be refused. */
  reserves: boolean;
  /** Checks in so many ms after the reservation. */
  checkInAfter?: number;
  /** Gives the slot back so many ms after the reservation. */
  giveBackAfter?: number;
}

/** What a fault is counted by: the nth call, delivery … since the history began. */
export const occasions = {
  /** Calls of the store, the bus, queues and mail. */
  call: [
    'crash before the request is sent',
    'crash after the request was done',
    'answer lost',
    'throttled',
    'transaction conflict',
    'slow',
    'entries refused',
  ],
  /** Deliveries of an event to a queue. */
  delivery: ['delivered twice', 'delayed'],
  /** Batches that a function gets from a queue. */
  batch: ['received twice', 'acknowledgement lost'],
  /** Calls of the payment provider. */
  provider: ['answer lost', 'unavailable', 'slow'],
  /** Containers that start. */
  container: ['clock ahead', 'clock behind'],
  /** Rounds of the operator. */
  operator: ['comes late', 'is interrupted', 'is interrupted'],
  /** One-off schedules that are made. */
  schedule: ['lost', 'lost', 'runs late', 'runs twice', 'runs in spite of its deletion'],
} as const;

export type Occasion = keyof typeof occasions;

/** Something that goes wrong. */
export interface Fault {
  on: Occasion;
  /** From 1. */
  nth: number;
  what: string;
  /** How much, for what has a measure: ms, or which of several. */
  amount: number;
}

/** All that a history follows from. */
export interface HistoryPlan {
  seed: number;
  /** Pieces in stock at the start. */
  stock: Record<string, { available: number; lowStockThreshold: number }>;
  orders: OrderScript[];
  /** Messages that are no events, which somebody sends to a consumer's queue. */
  malformed: { at: number; queue: number }[];
  faults: Fault[];
  /** When the payment provider does not answer, in simulated ms after the start. Then nothing else goes wrong. */
  outage?: { from: number; to: number; of: 'all calls' | 'charges and refunds' };
  /** Variables of all functions that are others than those of `dev`. */
  settings: Record<string, string>;
}

export interface PlanOptions {
  /** At most. */
  orders?: number | undefined;
  /** Kinds of faults that may happen; all unless given. */
  kinds?: readonly Occasion[] | undefined;
  /** Plans an outage of the provider under load instead, so many minutes long. */
  outageMinutes?: number | undefined;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MAX_ORDERS = 4;

/**
 * What a history is mostly about. rush: everybody wants the same at once. outage: the provider is down, and so is whoever
 * puts things right. echo: what is delivered comes twice, to containers of different clocks.
 */
const themes = ['mixed', 'mixed', 'rush', 'rush', 'outage', 'echo', 'echo'] as const;
type Theme = (typeof themes)[number];

/** As at `prod`: four failures open the circuit, and a probe comes every 30 seconds. */
const circuitOfProd = { MILLRACE_CIRCUIT_MINIMUM_CALLS: '4', MILLRACE_CIRCUIT_OPEN_SECONDS: '30' };

/** The plan of a seed. @example planHistory(7).orders.length // 3 */
export function planHistory(
  seed: number,
  { orders: maximum = MAX_ORDERS, kinds, outageMinutes }: PlanOptions = {},
): HistoryPlan {
  const random = new Random(seed);
  if (outageMinutes !== undefined) return planOutage(seed, random, outageMinutes);
  const theme = random.pick(themes);
  const count = theme === 'rush' ? maximum : random.between(1, maximum);
  const stock = {
    'FLOUR-1KG': {
      available: theme === 'rush' ? random.between(4, 8) : random.between(2, 9),
      lowStockThreshold: random.between(0, 4),
    },
    'YEAST-42G': { available: random.between(3, 20), lowStockThreshold: 0 },
  };
  const orders = Array.from({ length: count }, (_, index) =>
    withSlot(themed(planOrder(index + 1, random), theme, random), seed),
  );
  const faults = [...planFaults(random, count), ...themeFaults(random, theme, count)].filter(
    ({ on }) => !kinds || kinds.includes(on),
  );
  const malformed = random.chance(0.2) ? [{ at: random.between(0, 5_000), queue: random.between(0, 1_000) }] : [];
  const slotSettings = orders.some(({ slot }) => slot) ? { MILLRACE_SLOT_HORIZON_DAYS: String(SLOT_HORIZON_DAYS) } : {};
  const settings = { ...(random.chance(0.3) && circuitOfProd), ...slotSettings };
  return { seed, stock, orders, malformed, faults, settings };
}

/**
 * An order every three seconds, for a minute before an outage of the provider until two minutes after it. In every second history the
 * provider still answers lookups.
 */
function planOutage(seed: number, random: Random, minutes: number): HistoryPlan {
  const of = seed % 2 === 1 ? 'all calls' : 'charges and refunds';
  const outage = { from: MINUTE, to: (1 + minutes) * MINUTE, of } as const;
  const orders = Array.from(
    { length: (outage.to + 2 * MINUTE) / 3_000 },
    (_, index): OrderScript => ({
      number: index + 1,
      at: index * 3_000 + random.between(0, 2_999),
      customer: `customer-${index + 1}`,
      lines: [{ sku: 'FLOUR-1KG', quantity: 1, unitPrice: random.between(100, 900) }],
      card: 'good',
    }),
  );
  const stock = { 'FLOUR-1KG': { available: orders.length + 1, lowStockThreshold: 0 } };
  return { seed, stock, orders, malformed: [], faults: [], outage, settings: circuitOfProd };
}

function planOrder(number: number, random: Random): OrderScript {
  const skus = random.chance(0.4) ? ['FLOUR-1KG', 'YEAST-42G'] : [random.pick(['FLOUR-1KG', 'FLOUR-1KG', 'YEAST-42G'])];
  // Most come close together, so that they get in each other's way.
  const at = random.chance(0.8) ? random.between(0, random.pick([20, 60, 400])) : random.between(0, 20_000);
  return {
    number,
    at,
    customer: `customer-${random.between(1, 3)}`,
    lines: skus.map((sku) => ({ sku, quantity: random.between(1, 5), unitPrice: random.between(100, 900) })),
    card: random.pick(['good', 'good', 'good', 'good', 'declined', 'unavailable', 'outage']),
    ...(random.chance(0.5) && { cancelAfter: planCancellation(random) }),
    ...(random.chance(0.3) && { repeatAfter: random.between(1, 3000) }),
  };
}

/** Every fifth order is picked up, whatever its history is about. */
function withSlot(order: OrderScript, seed: number): OrderScript {
  const random = new Random(`slot ${seed} ${order.number}`);
  if (!random.chance(0.2)) return order;
  const slot: SlotScript = {
    slotId: random.pick([begunSlot, begunSlot, ...laterSlots]),
    reserves: random.chance(0.85),
    ...(random.chance(0.6) && { checkInAfter: Math.floor(10 ** (1 + random.next() * 4.8)) }),
    ...(random.chance(0.15) && { giveBackAfter: random.between(1, MINUTE) }),
  };
  return { ...order, slot };
}

function themed(order: OrderScript, theme: Theme, random: Random): OrderScript {
  if (theme === 'outage') return { ...order, card: random.pick(['outage', 'outage', 'unavailable', 'good']) };
  if (theme !== 'rush') return order;
  const { number, customer } = order;
  const lines = [{ sku: 'FLOUR-1KG', quantity: random.between(2, 4), unitPrice: random.between(100, 900) }];
  return { number, customer, at: random.between(0, 30), lines, card: 'good' };
}

function themeFaults(random: Random, theme: Theme, orders: number): Fault[] {
  const fault = (on: Occasion, nth: number, what: string): Fault => ({
    on,
    nth,
    what,
    amount: amountOf(what, on, random),
  });
  if (theme === 'outage') return [1, 2, 3].map((nth) => fault('operator', nth, 'is interrupted'));
  if (theme !== 'echo') return [];
  const some = (on: Occasion, count: number, what: string) =>
    Array.from({ length: count }, (_, index) => index + 1)
      .filter(() => random.chance(0.5))
      .map((nth) => fault(on, nth, what));
  return [...some('delivery', orders * 17, 'delivered twice'), ...some('container', 40, 'clock ahead')];
}

/** In ms. Most come while the order is on its way, when they get in the way of something. */
function planCancellation(random: Random): number {
  return random.chance(0.6) ? random.between(1, 500) : Math.floor(10 ** (1 + random.next() * 3.8));
}

/** Some histories have no fault at all, most have some, and few have many. */
function planFaults(random: Random, orders: number): Fault[] {
  const weight = random.pick([0, 0.5, 1, 1, 2, 4]);
  // About as many occasions as a history of this size has.
  const expected: Record<Occasion, number> = {
    call: orders * 75,
    delivery: orders * 17,
    batch: orders * 12,
    provider: orders * 3,
    container: 30,
    operator: 3,
    schedule: orders,
  };
  const rates: Record<Occasion, number> = {
    call: 0.02,
    delivery: 0.1,
    batch: 0.06,
    provider: 0.25,
    container: 0.4,
    operator: 0.4,
    schedule: 0.4,
  };
  const faults: Fault[] = [];
  for (const on of Object.keys(occasions) as Occasion[]) {
    const number = Math.round(expected[on] * rates[on] * weight * (0.5 + random.next()));
    for (let index = 0; index < number; index += 1) {
      const what = random.pick<string>(occasions[on]);
      faults.push({ on, nth: random.between(1, expected[on]), what, amount: amountOf(what, on, random) });
    }
  }
  return faults;
}

function amountOf(what: string, on: Occasion, random: Random): number {
  if (what.startsWith('clock')) return random.between(10_000, 5 * MINUTE);
  if (what === 'is interrupted') return random.between(1, 6);
  if (what === 'comes late') return random.between(HOUR, 30 * HOUR);
  if (what === 'runs late') return random.between(MINUTE, 3 * HOUR);
  if (what === 'runs twice') return random.between(1, 10 * MINUTE);
  if (what === 'delayed')
    return random.chance(0.7) ? random.between(1_000, 2 * MINUTE) : random.between(MINUTE, 3 * HOUR);
  if (what === 'slow') return on === 'provider' ? random.between(1_500, 4_000) : random.between(500, 12_000);
  return random.between(1, 1_000);
}
