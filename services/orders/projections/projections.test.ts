import { describe, expect, test } from '@jest/globals';
import type { Event } from '@millrace/events';
import type { Projection, RowKey } from '@millrace/projections';
import { sampleEvent } from '@millrace/testing';
import {
  exampleOrder,
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../events/index.ts';
import { totalsOf } from './daily-sales.ts';
import { dailySales, orderSummary, ordersByCustomer } from './index.ts';

const at = (time: string, sequence: number) => ({ time: new Date(time), subject: exampleOrder.orderId, sequence });
const placed = sampleEvent(OrderPlaced, {}, at('2026-01-31T23:59:59.000Z', 1)).event;
const confirmed = sampleEvent(OrderConfirmed, {}, at('2026-02-01T00:00:01.000Z', 2)).event;
const cancelled = sampleEvent(OrderCancelled, {}, at('2026-02-01T00:00:01.000Z', 2)).event;

/** The rows after some events, and where they stand. */
function given(projection: Projection, ...events: Event[]): { key: RowKey; row: object }[] {
  const rows = new Map<string, { key: RowKey; row: object }>();
  let key: RowKey | undefined;
  for (const event of events) {
    key = projection.keyOf(event, key);
    const id = JSON.stringify(key);
    rows.set(id, { key, row: projection.evolve(rows.get(id)?.row, event) });
  }
  return [...rows.values()];
}

describe('order-summary', () => {
  const summary = {
    orderId: exampleOrder.orderId,
    customerId: 'customer-1',
    total: exampleOrder.total,
    pieces: 2,
    skus: 1,
    placedAt: '2026-01-31T23:59:59.000Z',
  };
  const key = { partition: exampleOrder.orderId, sort: 'SUMMARY' };

  test.each<[string, Event[], object]>([
    ['placed', [placed], { status: 'PLACED', updatedAt: summary.placedAt }],
    [
      'confirmed',
      [placed, confirmed],
      { status: 'CONFIRMED', trackingNumber: 'MR0B9F6C1E5A43', updatedAt: '2026-02-01T00:00:01.000Z' },
    ],
    [
      'cancelled',
      [placed, cancelled],
      { status: 'CANCELLED', cancellationReason: 'OUT_OF_STOCK', updatedAt: '2026-02-01T00:00:01.000Z' },
    ],
  ])('of an order that was %s', (_, events, expected) => {
    expect(given(orderSummary, ...events)).toEqual([{ key, row: { ...summary, ...expected } }]);
  });
});

describe('orders-by-customer', () => {
  test.each<[string, Event[]]>([
    ['PLACED', [placed]],
    ['CONFIRMED', [placed, confirmed]],
    ['CANCELLED', [placed, cancelled]],
  ])('%s: one row where the order was placed', (status, events) => {
    const placedAt = '2026-01-31T23:59:59.000Z';
    expect(given(ordersByCustomer, ...events)).toEqual([
      {
        key: { partition: 'customer-1', sort: `${placedAt}#${exampleOrder.orderId}` },
        row: { orderId: exampleOrder.orderId, status, total: exampleOrder.total, placedAt },
      },
    ]);
  });
});

describe('daily-sales', () => {
  const day = { day: '2026-02-01', currency: 'EUR', confirmed: 0, revenue: 0, cancelled: 0 };

  test.each<[string, Event[], object]>([
    ['a confirmed order brings revenue on the day of its confirmation', [confirmed], { confirmed: 1, revenue: 698 }],
    ['a cancelled one brings none', [cancelled], { cancelled: 1 }],
    ['orders add up, in any order', [cancelled, confirmed, confirmed], { confirmed: 2, revenue: 1396, cancelled: 1 }],
  ])('%s', (_, events, expected) => {
    expect(given(dailySales, ...events)).toEqual([
      { key: { partition: expect.stringMatching(/^[0-7]$/), sort: '2026-02-01#EUR' }, row: { ...day, ...expected } },
    ]);
  });

  test('shards add up by day and currency', () => {
    const sold = { ...day, confirmed: 1, revenue: 5 };

    expect(
      totalsOf([{ ...sold, currency: 'USD' }, sold, { ...day, cancelled: 2 }, { ...sold, day: '2026-01-31' }]),
    ).toEqual([
      { ...sold, day: '2026-01-31' },
      { ...sold, cancelled: 2 },
      { ...sold, currency: 'USD' },
    ]);
  });
});

describe('the pick-up of an order with a slot', () => {
  const { slotId, pickUp } = OrderHandedOver.example;
  const time = (sequence: number) => at(`2026-02-01T00:00:0${sequence}.000Z`, sequence);
  const withSlot = sampleEvent(OrderPlaced, { slotId }, time(1)).event;
  const { trackingNumber: _, ...example } = OrderConfirmed.example;
  const ready = { ...sampleEvent(OrderConfirmed, {}, time(2)).event, data: { ...example, slotId, pickUp } };
  const handedOver = sampleEvent(OrderHandedOver, {}, time(3)).event;
  const switched = (sequence: number) => sampleEvent(OrderSwitchedToDelivery, {}, time(sequence)).event;
  const sent = sampleEvent(OrderConfirmed, { slotId }, time(3)).event;

  test.each<[string, Event[], object]>([
    ['REQUESTED', [withSlot], { status: 'PLACED' }],
    ['READY', [withSlot, ready], { status: 'CONFIRMED' }],
    ['HANDED_OVER', [withSlot, ready, handedOver], { status: 'CONFIRMED' }],
    ['SWITCHED_TO_DELIVERY', [withSlot, ready, switched(3)], { status: 'CONFIRMED' }],
    ['SWITCHED_TO_DELIVERY', [withSlot, switched(2)], { status: 'PLACED' }],
    ['SWITCHED_TO_DELIVERY', [withSlot, switched(2), sent], { status: 'CONFIRMED' }],
  ])('is shown: %s', (status, events, expected) => {
    for (const projection of [orderSummary, ordersByCustomer]) {
      expect(given(projection as Projection, ...events)).toMatchObject([{ row: { ...expected, pickUp: status } }]);
    }
  });

  test('is not shown of a cancelled order', () => {
    const gone = sampleEvent(OrderCancelled, { slotId }, time(2)).event;
    for (const projection of [orderSummary, ordersByCustomer]) {
      expect(given(projection as Projection, withSlot, gone)[0]?.row).not.toHaveProperty('pickUp');
    }
  });
});

test('the projections whose order counts are made of all that an order tells the bus', () => {
  const contracts = [OrderPlaced, OrderConfirmed, OrderCancelled, OrderHandedOver, OrderSwitchedToDelivery];
  const told = contracts.map(({ detailType }) => detailType);
  for (const { events } of [orderSummary, ordersByCustomer]) {
    expect(events.map(({ detailType }) => detailType)).toEqual(told);
  }
});

test('no row holds anything personal', () => {
  const rows = [orderSummary, ordersByCustomer, dailySales].flatMap((projection) =>
    given(
      projection as Projection,
      ...[placed, confirmed, cancelled].filter((event) =>
        projection.events.some(({ detailType }) => detailType === event.detailType),
      ),
    ),
  );
  const { customer, shippingAddress, paymentToken } = exampleOrder;
  for (const secret of [customer.name, customer.email, shippingAddress.line1, shippingAddress.city, paymentToken]) {
    expect(JSON.stringify(rows)).not.toContain(secret);
  }
});
