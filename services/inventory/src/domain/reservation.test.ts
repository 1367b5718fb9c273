import { expect, test } from '@jest/globals';
import { decideRelease, type ReservationStatus } from './reservation.ts';

test.each<[ReservationStatus, string]>([
  ['RESERVED', 'release'],
  ['REFUSED', 'nothing'],
  ['RELEASED', 'nothing'],
  ['CANCELLED', 'nothing'],
])('the end of an order whose reservation is %s means: %s', (status, decision) => {
  expect(decideRelease({ status, lines: [] })).toBe(decision);
});
