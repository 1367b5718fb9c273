import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import { decide, evolve, type Shipment, type ShipmentCommand, type ShipmentEvent } from './shipment.ts';

const { given } = specify<Shipment | undefined, ShipmentCommand, ShipmentEvent>({
  initialState: undefined,
  decide,
  evolve: (shipment, event) => evolve(shipment, event),
});

const shipmentId = '3f0c5b1e-2d55-4a52-8a6c-b1f0c0de0001';
const slotId = '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01';
const goods = {
  shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  lines: [{ sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 }],
};
const ship: ShipmentCommand = { type: 'Ship', shipmentId, slotId, ...goods };
const confirm: ShipmentCommand = { type: 'ConfirmOrder' };
const checkIn: ShipmentCommand = { type: 'CheckIn' };
const recall: ShipmentCommand = { type: 'Recall' };
const unattended: ShipmentCommand = { type: 'EndReservation', slotId, reason: 'UNATTENDED' };
const checkOut: ShipmentCommand = { type: 'EndReservation', slotId, reason: 'CHECKED_OUT' };

const ready: ShipmentEvent = { type: 'PickUpReady', pickUp: { shipmentId, slotId, ...goods } };
const confirmed: ShipmentEvent = { type: 'OrderConfirmed' };
const checkedIn: ShipmentEvent = { type: 'CustomerCheckedIn' };
const handedOver: ShipmentEvent = { type: 'PickUpHandedOver' };
const missed: ShipmentEvent = { type: 'PickUpFailed', slotId, reason: 'UNATTENDED' };
const sent: ShipmentEvent = {
  type: 'ShipmentCreated',
  parcel: { shipmentId, trackingNumber: 'MR3F0C5B1E2D554A52', ...goods },
};

describe('a pick-up', () => {
  test('lies ready when its order is paid, without a parcel', () => {
    given().when(ship).thenEvents(ready);
    given(ready).when(ship).thenEvents();
  });

  test('is handed over at check-in', () => {
    given(ready, confirmed).when(checkIn).thenEvents(handedOver);
    given(ready, confirmed, handedOver).when(checkIn).thenEvents();
  });

  test('waits for the confirmation of its order, which could still be cancelled and its money returned', () => {
    given(ready).when(checkIn).thenEvents(checkedIn);
    given(ready, checkedIn).when(checkIn).thenEvents();
    given(ready, checkedIn).when(confirm).thenEvents(confirmed, handedOver);
    given(ready, checkedIn).when(recall).thenEvents({ type: 'ShipmentRecalled' });
  });

  test('of a customer who was there first is handed over when it is ready', () => {
    given().when(checkIn).thenEvents(checkedIn);
    given(checkedIn).when(checkIn).thenEvents();
    given(checkedIn).when(ship).thenEvents(ready);
    given(checkedIn, ready).when(confirm).thenEvents(confirmed, handedOver);
  });

  test('is sent when its customer does not come', () => {
    given(ready, confirmed).when(unattended).thenEvents(missed, sent);
    given(ready, confirmed, missed, sent).when(unattended).thenEvents();
    given(ready, confirmed, missed, sent).when(checkIn).thenEvents();
  });

  test('whose slot is lost before the payment is sent from the start', () => {
    given().when(unattended).thenEvents(missed);
    given(missed).when(unattended).thenEvents();
    given(missed).when(checkIn).thenEvents();
    given(missed).when(ship).thenEvents(sent);
  });

  test('is sent when its customer left before it was ready, and handed over when it was', () => {
    const left = { ...missed, reason: 'CHECKED_OUT' } as const;
    given(checkedIn).when(checkOut).thenEvents(left);
    given(checkedIn, left).when(ship).thenEvents(sent);
    given(ready, confirmed).when(checkOut).thenEvents(handedOver);
    given(ready).when(checkOut).thenEvents(checkedIn);
  });

  test('of a cancelled order is recalled, and whatever its slot tells later changes nothing', () => {
    given(ready).when(recall).thenEvents({ type: 'ShipmentRecalled' });
    given(checkedIn).when(recall).thenEvents({ type: 'ShipmentForestalled' });
    for (const late of [ship, checkIn, confirm, unattended, checkOut, recall]) {
      given(ready, { type: 'ShipmentRecalled' }).when(late).thenEvents();
      given({ type: 'ShipmentForestalled' }).when(late).thenEvents();
    }
  });
});

test('in whatever order and however often the news come, goods are handed over or sent, and never both', () => {
  const histories = [
    { commands: [ship, confirm, checkIn], outcome: 'HANDED_OVER' },
    { commands: [ship, unattended], outcome: 'CREATED' },
    { commands: [ship, recall], outcome: 'CANCELLED' },
    { commands: [ship, recall, unattended], outcome: 'CANCELLED' },
  ] as const;
  for (const { commands, outcome } of histories) {
    for (const order of permutations<ShipmentCommand>(commands)) {
      // The order is confirmed because its goods lie ready.
      if (order.includes(confirm) && order.indexOf(confirm) < order.indexOf(ship)) continue;
      const events: ShipmentEvent[] = [];
      let shipment: Shipment | undefined;
      for (const command of order.flatMap((each) => [each, each])) {
        for (const event of decide(command, shipment)) {
          events.push(event);
          shipment = evolve(shipment, event);
        }
      }
      expect(shipment?.status).toBe(outcome);
      const ways = events.filter(({ type }) => type === 'PickUpHandedOver' || type === 'ShipmentCreated');
      expect(ways.length).toBeLessThanOrEqual(1);
    }
  }
});

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
