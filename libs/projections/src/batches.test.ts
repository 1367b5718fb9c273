import { expect, test } from '@jest/globals';
import { ParcelSent, parcelEvents } from '../fixtures/sample-projections.ts';
import { batchesByLane } from './batches.ts';
import { defineProjection } from './index.ts';

const byCity = defineProjection({
  name: 'by-city',
  events: [ParcelSent],
  late: 'apply',
  keyOf: ({ data }) => ({ partition: data.city, sort: 'CITY' }),
  evolve: () => ({}),
});

test('a transaction has 99 items at most and leaves room for the fence, and as many aggregates of a row as fit', () => {
  const parcels = Array.from({ length: 1_000 }, (_, index) => {
    const subject = `parcel-${index}`;
    const [sent] = parcelEvents([], `City ${index % 10}`, subject);
    return { subject, events: sent ? [sent.event] : [] };
  });
  const cityOf = (subject: string) => Number(subject.split('-')[1]) % 10;

  const lanes = batchesByLane(byCity, parcels, 3);

  const transactions = lanes.flat().map((batch) => batch.map(({ subject }) => subject));
  expect(transactions.flat().toSorted()).toEqual(parcels.map(({ subject }) => subject).toSorted());
  for (const subjects of transactions) {
    expect(subjects.length + new Set(subjects.map(cityOf)).size).toBeLessThanOrEqual(99);
  }
  // 1,000 marks, and each city's row once or twice.
  expect(transactions.length).toBeLessThanOrEqual(13);
  const citiesOf = (lane: (typeof lanes)[number]) => new Set(lane.flat().map(({ subject }) => cityOf(subject)));
  expect(lanes.reduce((sum, lane) => sum + citiesOf(lane).size, 0)).toBe(10);
});
