import { describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '@millrace/event-store';
import { exampleOrder } from '../../events/index.ts';
import { evolve, type Order, type OrderEvent } from '../domain/order.ts';
import { orderView } from './order-view.ts';

/** The view of an order with these events, each a second after the one before unless it says otherwise. */
function viewOf(...history: (OrderEvent & { at?: number })[]) {
  const events = history.map(
    ({ at, ...event }, index): StoredEvent<OrderEvent> => ({
      id: `event-${index}`,
      event: event as OrderEvent,
      time: new Date(Date.UTC(2026, 0, 1, 12, 0, at ?? index)).toISOString(),
      version: index + 1,
      correlationId: 'correlation-1',
    }),
  );
  const order = events.reduce<Order | undefined>((state, { event }) => evolve(state, event), undefined);
  if (!order) throw new Error('Expected an order');
  return orderView({ order, events });
}

const placed: OrderEvent = { type: 'OrderPlaced', order: exampleOrder };

describe('the view of an order', () => {
  test('shows a confirmed one with its timeline', () => {
    expect(
      viewOf(
        placed,
        { type: 'StockReserved' },
        { type: 'PaymentProcessed', paymentId: 'ch_1' },
        { type: 'ShipmentCreated', trackingNumber: 'MR1' },
        { type: 'OrderConfirmed', trackingNumber: 'MR1' },
      ),
    ).toEqual({
      orderId: exampleOrder.orderId,
      status: 'CONFIRMED',
      lines: exampleOrder.lines,
      total: exampleOrder.total,
      trackingNumber: 'MR1',
      timeline: [
        { event: 'OrderPlaced', at: '2026-01-01T12:00:00.000Z' },
        { event: 'StockReserved', at: '2026-01-01T12:00:01.000Z' },
        { event: 'PaymentProcessed', at: '2026-01-01T12:00:02.000Z' },
        { event: 'ShipmentCreated', at: '2026-01-01T12:00:03.000Z', detail: 'Tracking number MR1' },
        { event: 'OrderConfirmed', at: '2026-01-01T12:00:04.000Z', detail: 'Tracking number MR1' },
      ],
    });
  });

  test('shows where and when an order is picked up, and that it was', () => {
    const slotId = '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01';
    const place = {
      location: { id: 'harbour-east', name: 'Harbour East', timeZone: 'Europe/Vienna' },
      startsAt: '2026-01-15T09:00:00.000Z',
      endsAt: '2026-01-15T09:30:00.000Z',
    };
    const withSlot: OrderEvent = { type: 'OrderPlaced', order: { ...exampleOrder, slotId } };
    const ready: OrderEvent[] = [
      withSlot,
      { type: 'SlotAssigned', ...place },
      { type: 'PickUpReady' },
      { type: 'OrderConfirmed' },
    ];

    expect(viewOf(withSlot)).toMatchObject({ pickUp: { slotId, status: 'REQUESTED' } });
    expect(viewOf(...ready)).toMatchObject({ status: 'CONFIRMED', pickUp: { slotId, status: 'READY', ...place } });
    expect(viewOf(...ready)).not.toHaveProperty('trackingNumber');
    expect(viewOf(...ready, { type: 'PickUpHandedOver' }, { type: 'OrderHandedOver' })).toMatchObject({
      pickUp: { status: 'HANDED_OVER' },
      timeline: expect.arrayContaining([expect.objectContaining({ event: 'OrderHandedOver' })]),
    });
    expect(
      viewOf(
        ...ready,
        { type: 'PickUpFailed', reason: 'CLOSED' },
        { type: 'OrderSwitchedToDelivery' },
        { type: 'ShipmentCreated', trackingNumber: 'MR1' },
      ),
    ).toMatchObject({ trackingNumber: 'MR1', pickUp: { status: 'SWITCHED_TO_DELIVERY', reason: 'CLOSED' } });
  });

  test('says why an order was cancelled', () => {
    const view = viewOf(
      placed,
      { type: 'StockReservationFailed', skus: ['SALT', 'OIL'] },
      { type: 'OrderCancelled', reason: 'OUT_OF_STOCK', detail: 'Out of stock: SALT, OIL' },
    );

    expect(view).toMatchObject({
      status: 'CANCELLED',
      cancellation: { reason: 'OUT_OF_STOCK', detail: 'Out of stock: SALT, OIL' },
    });
    expect(view.timeline.map(({ detail }) => detail)).toEqual([
      undefined,
      'Out of stock: SALT, OIL',
      'Out of stock: SALT, OIL',
    ]);
  });

  test('the timeline follows the time things happened, not the order they arrived in', () => {
    const { timeline } = viewOf(
      placed,
      { type: 'PaymentProcessed', paymentId: 'ch_1', at: 2 },
      { type: 'StockReserved', at: 1 },
    );

    expect(timeline.map(({ event }) => event)).toEqual(['OrderPlaced', 'StockReserved', 'PaymentProcessed']);
  });

  test('holds nothing personal', () => {
    expect(JSON.stringify(viewOf(placed))).not.toMatch(/ada|\+49|Mill Lane|tok_/i);
  });
});
