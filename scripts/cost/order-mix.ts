/** The forms of the order process that one customer's order can go through. */
export const COMPARED_PROCESSES = ['orders', 'checkouts', 'durable-checkouts'] as const;

/**
 * How orders are taken and carried out: `POST /orders` and the events of the services, `POST /checkouts` and the state machine, the same
 * and the durable function, or a partner's queue, its pipe and the state machine.
 */
export const ORDER_PROCESSES = [...COMPARED_PROCESSES, 'partner-orders'] as const;
export type OrderProcess = (typeof ORDER_PROCESSES)[number];

/** What can be counted: orders by one of their processes; without orders, reservations of slots or views of visitors. */
export const COUNTED_PROCESSES = [...ORDER_PROCESSES, 'reservations', 'views'] as const;
export type CountedProcess = (typeof COUNTED_PROCESSES)[number];

/** What becomes of an order. */
export type Outcome = 'paid' | 'declined' | 'out of stock' | 'paid at the third attempt';

export interface PlannedOrder {
  outcome: Outcome;
  /** SKUs in the order. */
  lines: number;
  /** With a phone number the customer gets an SMS, too. */
  phone: boolean;
}

/** How often each customer looks at the order afterwards. */
export const READS = 2;

/** Of a hundred orders: how many end so. */
const OUTCOMES: readonly (readonly [Outcome, number])[] = [
  ['paid', 93],
  ['declined', 4],
  ['out of stock', 2],
  ['paid at the third attempt', 1],
];

/** Of ten orders: six have one line, three two, one three. */
const LINES = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3];

/** What is assumed about orders, for people. */
export const MIX =
  `of 100 orders ${OUTCOMES.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}; ` +
  `1.5 lines on average; every fourth customer has a phone; each looks at the order ${READS} times`;

/** The order with a number from 0 on. Any hundred in a row have the mix exactly, and the rare ones are spread among them. */
export function plannedOrder(index: number): PlannedOrder {
  let place = (index * 37) % 100;
  const outcome = OUTCOMES.find(([, count]) => {
    place -= count;
    return place < 0;
  });
  return { outcome: outcome?.[0] ?? 'paid', lines: LINES[(index * 7) % 10] ?? 1, phone: index % 4 === 0 };
}
