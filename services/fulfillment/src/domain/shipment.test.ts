import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import {
  decide,
  evolve,
  type Shipment,
  type ShipmentCommand,
  type ShipmentEvent,
  trackingNumberOf,
} from './shipment.ts';

const { given } = specify<Shipment | undefined, ShipmentCommand, ShipmentEvent>({
  initialState: undefined,
  decide,
  evolve: (shipment, event) => evolve(shipment, event),
});

const shipmentId = '3f0c5b1e-2d55-4a52-8a6c-b1f0c0de0001';
const goods = {
  shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  lines: [{ sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 }],
};
const ship: ShipmentCommand = { type: 'Ship', shipmentId, ...goods };
const recall: ShipmentCommand = { type: 'Recall' };
const parcel = { shipmentId, trackingNumber: 'MR3F0C5B1E2D554A52', ...goods };
const created: ShipmentEvent = { type: 'ShipmentCreated', parcel };

describe('a shipment', () => {
  test('is created for a paid order, with a tracking number', () => {
    given().when(ship).thenEvents(created);
  });

  test('is created once', () => {
    given(created)
      .when({ ...ship, shipmentId: 'another' })
      .thenEvents();
  });

  test('is recalled when the order is cancelled, once', () => {
    given(created).when(recall).thenEvents({ type: 'ShipmentRecalled' });
    given(created, { type: 'ShipmentRecalled' }).when(recall).thenEvents();
  });

  test('a recalled one is not created again', () => {
    given(created, { type: 'ShipmentRecalled' }).when(ship).thenEvents();
  });

  test('a recalled one still knows its parcel', () => {
    given(created, { type: 'ShipmentRecalled' }).thenState((shipment) => {
      expect(shipment).toEqual({ status: 'CANCELLED', parcel });
    });
  });

  test('never comes to be when the cancellation comes first', () => {
    given().when(recall).thenEvents({ type: 'ShipmentForestalled' });
    given({ type: 'ShipmentForestalled' }).when(ship).thenEvents();
    given({ type: 'ShipmentForestalled' }).when(recall).thenEvents();
  });
});

test('a tracking number follows from the shipment id', () => {
  expect(trackingNumberOf(shipmentId)).toBe('MR3F0C5B1E2D554A52');
});
