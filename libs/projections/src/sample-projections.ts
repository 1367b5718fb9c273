import { randomUUID } from 'node:crypto';
import { defineEvent, type EmittableEvent, type Event } from '@millrace/events';
import * as z from 'zod';
import { defineProjection } from './index.ts';

/** What the tests of this library project: parcels that are sent and arrive, by parcel and by city. */
const parcel = { city: z.string(), weight: z.int() };
const shared = { service: 'parcels', category: 'domain', type: 'data', version: 1 } as const;

export const ParcelSent = defineEvent({
  ...shared,
  name: 'ParcelSent',
  summary: 'A parcel is on its way.',
  data: z.object(parcel),
  example: { city: 'Berlin', weight: 2 },
});

export const ParcelMoved = defineEvent({
  ...shared,
  name: 'ParcelMoved',
  summary: 'A parcel was seen somewhere.',
  data: z.object({ ...parcel, place: z.string() }),
  example: { city: 'Berlin', weight: 2, place: 'Potsdam' },
});

export const ParcelArrived = defineEvent({
  ...shared,
  name: 'ParcelArrived',
  summary: 'A parcel is where it was to go.',
  data: z.object(parcel),
  example: { city: 'Berlin', weight: 2 },
});

interface Track {
  places: string[];
}

/** Where each parcel was, in order, behind the time it was sent. */
export const tracks = defineProjection({
  name: 'tracks',
  events: [ParcelSent, ParcelMoved, ParcelArrived],
  late: 'drop',
  keyOf: ({ data, metadata }, earlier) =>
    earlier ?? { partition: data.city, sort: `${metadata.timestamp}#${metadata.subject}` },
  evolve: (row: Track | undefined, { detailType, data }): Track => ({
    places: [...(row?.places ?? []), detailType === 'ParcelMoved.v1' ? data.place : detailType],
  }),
});

interface Arrivals {
  parcels: number;
  weight: number;
}

/** How much arrived in each city. */
export const arrivals = defineProjection({
  name: 'arrivals',
  events: [ParcelArrived],
  late: 'apply',
  keyOf: ({ data }) => ({ partition: data.city, sort: 'ARRIVALS' }),
  evolve: (row: Arrivals | undefined, { data }): Arrivals => ({
    parcels: (row?.parcels ?? 0) + 1,
    weight: (row?.weight ?? 0) + data.weight,
  }),
});

/** The life of a parcel, as it is emitted: sent, seen in some places, arrived. */
export function parcelEvents(
  places: readonly string[],
  city = 'Berlin',
  subject: string = randomUUID(),
): EmittableEvent<Event>[] {
  const data = { city, weight: places.length + 1 };
  const context = (sequence: number) => ({
    id: randomUUID(),
    time: new Date(Date.UTC(2026, 0, 1, 0, 0, sequence)),
    subject,
    sequence,
    correlationId: 'correlation-1',
  });
  return [
    ParcelSent.create(data, context(1)),
    ...places.map((place, index) => ParcelMoved.create({ ...data, place }, context(index + 2))),
    ParcelArrived.create(data, context(places.length + 2)),
  ];
}
