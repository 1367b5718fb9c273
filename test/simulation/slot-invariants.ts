import type { Item } from '@millrace/local/dynamodb-engine';
import { evolve, type Slot, type SlotEvent } from '../../services/reservations/src/domain/slot.ts';
import { storedEventOf } from './aws/stored-event.ts';
import type { OrderScript } from './plan.ts';

/** An order, as far as slots are concerned. */
interface PickedUpOrder {
  script: OrderScript;
  orderId: string;
  /** Of its stream: the types of its events. */
  events: string[];
  status: 'PLACED' | 'CONFIRMED' | 'CANCELLED';
  /** The status of its shipment. */
  shipment: string | undefined;
}

/**
 * No order that ended holds a slot; and what became of a pick-up follows from its slot, and agrees with its goods.
 * @param items of the table of reservations
 * @returns what does not hold, in plain words
 */
export function slotsAreRight(items: readonly Item[], orders: readonly PickedUpOrder[]): string[] {
  const streams = streamsOf(items);
  const held = [...streams.values()].flatMap((events) => {
    const slot = events.reduce<Slot | undefined>(evolve, undefined);
    return slot?.reservation?.orderId ?? [];
  });
  return orders.flatMap((order) => {
    const { number } = order.script;
    const holds = held.filter((id) => id === order.orderId).length;
    return [
      ...(holds > 0 && order.status !== 'CONFIRMED' ? [`order ${number} is ${order.status}, and holds a slot`] : []),
      ...(holds > 1 ? [`order ${number} holds ${holds} slots`] : []),
      ...pickUpIsRight(order, streams),
    ];
  });
}

function streamsOf(items: readonly Item[]): Map<string, SlotEvent[]> {
  const streams = new Map<string, SlotEvent[]>();
  for (const item of items) {
    const [pk, sk] = [item.pk, item.sk].map((key) => (key && 'S' in key ? key.S : ''));
    if (!pk?.startsWith('SLOT#') || !sk?.startsWith('EVENT#')) continue;
    streams.set(pk, [...(streams.get(pk) ?? []), storedEventOf(item) as SlotEvent]);
  }
  return streams;
}

function pickUpIsRight(
  { script: { number, slot }, orderId, events, status, shipment }: PickedUpOrder,
  streams: ReadonlyMap<string, readonly SlotEvent[]>,
): string[] {
  const [taken, sent] = [events.includes('OrderHandedOver'), events.includes('OrderSwitchedToDelivery')];
  if (!slot) return taken || sent || shipment === 'READY' ? [`order ${number} has no slot, and is picked up`] : [];
  if (status !== 'CONFIRMED') return [];
  const during = reservationFor(orderId, streams.get(`SLOT#${slot.slotId}`) ?? []);
  if (!during) return [`order ${number} is confirmed, and has no slot`];
  const came = during.some(({ type }) => type === 'SlotCheckedIn');
  const lost = during.some(({ type }) => type === 'SlotCancelled' || type === 'SlotUnattended');
  const expected = taken ? 'HANDED_OVER' : sent ? 'CREATED' : 'READY';
  return [
    ...(taken && sent ? [`order ${number} was handed over and sent`] : []),
    ...(shipment !== expected ? [`the goods of order ${number} are ${shipment} instead of ${expected}`] : []),
    ...(taken && !came ? [`order ${number} was handed over, and its customer did not come`] : []),
    ...(lost && !sent ? [`order ${number} has lost its slot, and is not sent`] : []),
    ...(came && !taken && !sent ? [`the customer of order ${number} came, and got nothing`] : []),
    ...(!came && !lost && sent ? [`order ${number} was sent, and still has its slot`] : []),
  ];
}

/** The events of the reservation that an order was assigned to, from its beginning; undefined when it was assigned to none. */
function reservationFor(orderId: string, stream: readonly SlotEvent[]): readonly SlotEvent[] | undefined {
  const assigned = stream.findIndex((event) => event.type === 'SlotAssigned' && event.orderId === orderId);
  if (assigned < 0) return undefined;
  const begins = stream.findLastIndex(({ type }, index) => index < assigned && type === 'SlotReserved');
  const next = stream.findIndex(({ type }, index) => index > assigned && type === 'SlotReserved');
  return stream.slice(begins, next < 0 ? undefined : next);
}
