import { describe, expect, test } from '@jest/globals';
import { parseEnvelope } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { type CustomerState, cohortsOf, countOrders, type PlacedOrder, sumByDay } from './cohorts.ts';

const placed = (time: string, amount = 100, currency = 'EUR'): PlacedOrder => {
  const data = { total: { amount, currency } };
  const variant = sampleEvent(OrderPlaced, data, { time: new Date(time) }).analyticsVariant(() => 'ada');
  return OrderPlaced.analytics.parse(parseEnvelope(envelopeText(variant as never)));
};

/** Counts orders one at a time. */
function figuresOf(orders: readonly PlacedOrder[]) {
  let state: CustomerState | undefined;
  const changes: Parameters<typeof sumByDay>[0][] = [];
  for (const order of orders) {
    const counted = countOrders(state, [order]);
    state = counted.state;
    changes.push(counted.changes);
  }
  return { state, figures: Object.fromEntries(sumByDay(changes.flatMap((each) => [...each]))) };
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length < 2) yield [...items];
  for (const [index, item] of items.entries()) {
    for (const others of permutations([...items.slice(0, index), ...items.slice(index + 1)])) yield [item, ...others];
  }
}

const january = placed('2026-01-15T09:30:00.000Z');
const february = placed('2026-02-02T09:30:00.000Z', 250);
const march = placed('2026-03-03T09:30:00.000Z', 70, 'USD');
const alsoMarch = placed('2026-03-03T09:30:00.000Z', 30);

describe('orders of a customer', () => {
  test('are a first one and repeats, in the cohort of the first', () => {
    expect(figuresOf([january, february, march]).figures).toEqual({
      '2026-01-15': { customers: 1, repeatCustomers: 1, orders: 3, 'ordered.EUR': 350, 'ordered.USD': 70 },
      '2026-02-02': { repeats: 1 },
      '2026-03-03': { repeats: 1 },
    });
  });

  test('come to the same in any order, twice, and in any batches', () => {
    const orders = [january, february, march, alsoMarch];
    const { state, figures } = figuresOf(orders);
    for (const permuted of permutations(orders)) {
      const twice = [...permuted, ...permuted.slice(0, 2)];
      expect(figuresOf(twice).figures).toEqual(figures);
      const batch = countOrders(undefined, twice);
      expect(Object.fromEntries(batch.changes)).toEqual(figures);
      expect([...batch.known]).toEqual(permuted.slice(0, 2));
      expect({ ...batch.state, seen: [...(batch.state?.seen ?? [])].sort() }).toEqual({
        ...state,
        seen: [...(state?.seen ?? [])].sort(),
      });
    }
  });

  test('an earlier one that comes late takes the customer to its own day, and leaves nothing behind', () => {
    const first = countOrders(undefined, [february]);
    expect(Object.fromEntries(countOrders(first.state, [january]).changes)).toEqual({
      '2026-01-15': { customers: 1, repeatCustomers: 1, orders: 2, 'ordered.EUR': 350 },
      '2026-02-02': { customers: -1, orders: -1, 'ordered.EUR': -250, repeats: 1 },
    });
  });

  test('are remembered by a thousand marks at most', () => {
    const many = Array.from({ length: 1_100 }, (_, index) => placed(new Date(index * 60_000).toISOString(), 1));
    const { state } = countOrders(undefined, many);
    expect(state).toMatchObject({ orders: 1_100, ordered: { EUR: 1_100 } });
    expect(state?.seen).toHaveLength(1_000);
    expect(countOrders(state, many.slice(-1_000)).known.size).toBe(1_000);
    expect(JSON.stringify(state).length).toBeLessThan(20_000);
  });
});

describe('cohorts', () => {
  test.each([
    ['2025-12-29', '2026-W01'],
    ['2026-01-04', '2026-W01'],
    ['2026-01-05', '2026-W02'],
    ['2027-01-03', '2026-W53'],
    ['2024-12-30', '2025-W01'],
    ['2023-01-01', '2022-W52'],
  ])('the day %s is in the week %s of ISO 8601', (day, period) => {
    expect(cohortsOf(new Map([[day, { customers: 1 }]]), 'week')).toMatchObject([{ period }]);
  });

  test('add days up, in the order of time', () => {
    const days = new Map([
      ['2026-02-01', { repeats: 3 }],
      ['2026-01-31', { customers: 2, repeatCustomers: 1, orders: 4, 'ordered.EUR': 400 }],
      ['2026-01-01', { customers: 1, orders: 1, 'ordered.USD': 50 }],
    ]);
    expect(cohortsOf(days, 'month')).toEqual([
      {
        ...{ period: '2026-01', customers: 3, repeatCustomers: 1, repeatRate: 0.3333, orders: 5 },
        ...{ ordered: { EUR: 400, USD: 50 }, ordersOfPeriod: { first: 3, repeat: 0 } },
      },
      {
        ...{ period: '2026-02', customers: 0, repeatCustomers: 0, repeatRate: 0, orders: 0 },
        ...{ ordered: {}, ordersOfPeriod: { first: 0, repeat: 3 } },
      },
    ]);
    expect(cohortsOf(days, 'day').map(({ period }) => period)).toEqual(['2026-01-01', '2026-01-31', '2026-02-01']);
  });
});
