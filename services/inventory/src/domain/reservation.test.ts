import { describe, expect, test } from '@jest/globals';
import {
  decideRelease,
  decideShipment,
  movementsOfRelease,
  movementsOfShipment,
  type ReservationStatus,
} from './reservation.ts';

const lines = [{ sku: 'FLOUR', quantity: 2 }];

describe('a reservation', () => {
  test.each<[ReservationStatus, string, string]>([
    ['RESERVED', 'release', 'ship'],
    ['SHIPPED', 'release', 'nothing'],
    ['REFUSED', 'nothing', 'nothing'],
    ['RELEASED', 'nothing', 'nothing'],
    ['CANCELLED', 'nothing', 'nothing'],
  ])('that is %s: the end of its order means %s, a shipment means %s', (status, end, shipment) => {
    expect(decideRelease({ status, lines })).toBe(end);
    expect(decideShipment({ status, lines })).toBe(shipment);
  });

  test('that is not known yet: a shipment waits for it', () => {
    expect(decideShipment(undefined)).toBe('wait');
  });

  test('moves stock from reserved to shipped, and back to available from wherever it is', () => {
    expect(movementsOfShipment({ status: 'RESERVED', lines })).toEqual([{ sku: 'FLOUR', reserved: -2, shipped: 2 }]);
    expect(movementsOfRelease({ status: 'RESERVED', lines })).toEqual([{ sku: 'FLOUR', available: 2, reserved: -2 }]);
    expect(movementsOfRelease({ status: 'SHIPPED', lines })).toEqual([{ sku: 'FLOUR', available: 2, shipped: -2 }]);
  });
});
