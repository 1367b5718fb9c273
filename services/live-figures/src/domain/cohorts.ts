import type { EventOf } from '@millrace/events';
import type { OrderPlaced } from '@millrace/orders/events';
import { markOf } from './mark.ts';
import type { Figures } from './projection.ts';

export type PlacedOrder = EventOf<typeof OrderPlaced.analytics>;

/** What is known of one customer, by pseudonym. It does not grow with the customer's orders but for marks. */
export interface CustomerState {
  /** `2026-01-15T09:30:00.000Z`: when the earliest of the orders was placed, and the mark of it. */
  first: { at: string; mark: string };
  orders: number;
  /** By currency, in minor units. */
  ordered: Figures;
  /** Marks of the orders that count, the latest to come last. */
  seen: readonly string[];
}

/** A mark is forgotten after so many others. An event that comes again does so within 29 days; a customer has a quota of orders an hour. */
const MAX_MARKS = 1_000;

/**
 * What changes in the figures of days, by `2026-01-15`: of the customers whose first order was on that day (`customers`,
 * `repeatCustomers`, `orders`, and `ordered.EUR` in minor units), and of the orders of that day that were not first (`repeats`).
 */
export type DayChanges = ReadonlyMap<string, Figures>;

/**
 * Counts orders of one customer, each once. An order that comes late may be the first one: then the customer moves to its day. So the
 * figures are the same in whatever order orders come.
 *
 * @param state undefined for a customer that is not known
 * @returns the customer with them, which of them were counted before, and what changes in the figures
 * @example const { state, changes } = countOrders(stored, orders);
 */
export function countOrders(
  state: CustomerState | undefined,
  orders: readonly PlacedOrder[],
): { state: CustomerState | undefined; known: ReadonlySet<PlacedOrder>; changes: DayChanges } {
  const known = new Set<PlacedOrder>();
  const changes: [day: string, figures: Figures][] = [];
  let current = state;
  for (const order of orders) {
    const mark = markOf(order);
    if (current?.seen.includes(mark)) {
      known.add(order);
      continue;
    }
    const next = withOrder(current, order, mark);
    if (current) {
      changes.push([dayOf(current.first.at), negative(shareOf(current))]);
      // Of the two, the one that is not first: this order, or the one that was first until now.
      const at = next.first === current.first ? order.metadata.timestamp : current.first.at;
      changes.push([dayOf(at), { repeats: 1 }]);
    }
    changes.push([dayOf(next.first.at), shareOf(next)]);
    current = next;
  }
  return { state: current, known, changes: sumByDay(changes) };
}

function withOrder(state: CustomerState | undefined, { metadata, data: { total } }: PlacedOrder, mark: string) {
  const first = { at: metadata.timestamp, mark };
  const { orders = 0, ordered = {}, seen = [] } = state ?? {};
  return {
    first: state && isEarlier(state.first, first) ? state.first : first,
    orders: orders + 1,
    ordered: { ...ordered, [total.currency]: (ordered[total.currency] ?? 0) + total.amount },
    seen: [...seen, mark].slice(-MAX_MARKS),
  } satisfies CustomerState;
}

/** Of two orders of the same moment, one has to be first, whichever comes first. */
function isEarlier(one: CustomerState['first'], other: CustomerState['first']): boolean {
  return one.at === other.at ? one.mark < other.mark : one.at < other.at;
}

/** What a customer is in the figures of the day of its first order. */
function shareOf({ orders, ordered }: CustomerState): Figures {
  return {
    customers: 1,
    repeatCustomers: orders > 1 ? 1 : 0,
    orders,
    ...Object.fromEntries(Object.entries(ordered).map(([currency, amount]) => [`ordered.${currency}`, amount])),
  };
}

function negative(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, amount]) => [name, -amount]));
}

/** Adds up what changes on each day. What comes to nothing is left out, and so is a day of which nothing is left. */
export function sumByDay(changes: Iterable<readonly [day: string, figures: Figures]>): Map<string, Figures> {
  const sums = new Map<string, Map<string, number>>();
  for (const [day, figures] of changes) {
    const sum = sums.get(day) ?? new Map<string, number>();
    sums.set(day, sum);
    for (const [name, amount] of Object.entries(figures)) sum.set(name, (sum.get(name) ?? 0) + amount);
  }
  return new Map(
    [...sums].flatMap(([day, sum]) => {
      const figures = Object.fromEntries([...sum].filter(([, amount]) => amount !== 0));
      return Object.keys(figures).length === 0 ? [] : [[day, figures] as const];
    }),
  );
}

function dayOf(time: string): string {
  return time.slice(0, 'yyyy-mm-dd'.length);
}

/** By what cohorts can be asked for. */
export const cohortUnits = ['month', 'week', 'day'] as const;
export type CohortUnit = (typeof cohortUnits)[number];

const periodOf: Readonly<Record<CohortUnit, (day: string) => string>> = {
  month: (day) => day.slice(0, 'yyyy-mm'.length),
  week: weekOf,
  day: (day) => day,
};

/** `2026-W03`: the week of ISO 8601, which begins on Monday and belongs to the year of its Thursday. */
function weekOf(day: string): string {
  const date = new Date(`${day}T00:00Z`);
  const thursday = new Date(date.getTime() + (3 - ((date.getUTCDay() + 6) % 7)) * DAY_MS);
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - newYear) / (7 * DAY_MS));
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The figures of days as cohorts: customers by the period of their first order, and beside them the orders of that period, first and
 * repeat. `repeatRate` is the part of the customers that ordered again, whenever.
 */
export function cohortsOf(days: ReadonlyMap<string, Figures>, unit: CohortUnit) {
  const periods = sumByDay([...days].map(([day, figures]) => [periodOf[unit](day), figures] as const));
  return [...periods]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([period, { customers = 0, repeatCustomers = 0, orders = 0, repeats = 0, ...rest }]) => ({
      period,
      customers,
      repeatCustomers,
      repeatRate: customers === 0 ? 0 : Math.round((repeatCustomers / customers) * 10_000) / 10_000,
      orders,
      ordered: Object.fromEntries(
        Object.entries(rest).map(([name, amount]) => [name.replace('ordered.', ''), amount] as const),
      ),
      ordersOfPeriod: { first: customers, repeat: repeats },
    }));
}
