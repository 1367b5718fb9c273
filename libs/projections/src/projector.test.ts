import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Event } from '@millrace/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import {
  arrivals,
  ParcelArrived,
  ParcelMoved,
  ParcelSent,
  parcelEvents,
  tracks,
} from '../fixtures/sample-projections.ts';
import { sampleStore, sending } from '../fixtures/sample-store.ts';
import { defineProjection, Pointers, Projector } from './index.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

type Life = [sent: Event, moved: Event, arrived: Event];
const placesOf = ['ParcelSent.v1', 'Potsdam', 'ParcelArrived.v1'];

/** A store, and a parcel's events, which are in it and in no projection yet. */
async function setUp(...args: Parameters<typeof sampleStore> extends [unknown, ...infer Rest] ? Rest : never) {
  const store = await sampleStore(dynamoDb, ...args);
  const life = async () => (await store.keep(randomUUID())) as Life;
  /** A projector that writes down which requests it makes for an event. */
  const counting = () => {
    let requests: string[] = [];
    const projector = store.projectorOver(
      sending(store.client, (command, carryOut) => {
        requests.push(command.constructor.name.replace('Command', ''));
        return carryOut();
      }),
    );
    return async (event: Event) => {
      requests = [];
      await projector.handle(event);
      return requests;
    };
  };
  return { ...store, life, counting, pointers: new Pointers(store.table) };
}

test('a projection whose events wait for one another needs a history', async () => {
  const { table } = await setUp();
  expect(() => new Projector(table, [arrivals, tracks])).toThrow(`${tracks.name} needs a history`);
  expect(() => new Projector(table, [arrivals])).not.toThrow();
});

describe('events are applied', () => {
  test('once, also when the same one comes several times at once', async () => {
    const { projector, life, reader } = await setUp();
    const [sent, moved, arrived] = await life();

    await projector.handle(sent);
    await projector.handle(moved);
    const changed = await Promise.all([1, 2, 3, 4].map(() => projector.handle(arrived)));

    expect(changed).toContain(true);
    for (const event of [sent, moved, arrived]) expect(await projector.handle(event)).toBe(false);
    expect((await reader.query(tracks, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ places: placesOf }]);
    expect((await reader.query(arrivals, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ parcels: 1, weight: 2 }]);
  });

  test('of many aggregates that share a row', async () => {
    const { projector, life, reader } = await setUp();
    const lives = await Promise.all(Array.from({ length: 12 }, life));

    await Promise.all(
      lives.map(async (events) => {
        for (const event of events) await projector.handle(event);
      }),
    );

    expect((await reader.query(arrivals, 'Berlin')).rows[0]?.row).toEqual({ parcels: 12, weight: 24 });
  });

  test('to the version that is being built, from the stream, and to the one that is read', async () => {
    const { projector, life, itemsOf, pointers } = await setUp();
    const [sent, moved, arrived] = await life();
    await projector.handle(sent);
    const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };
    await pointers.replace('tracks', { live: 1, building }, undefined);

    expect(await projector.handle(moved)).toBe(true);

    expect(await itemsOf(tracks, 2)).toContainEqual(expect.objectContaining({ row: { places: placesOf } }));
    expect(await projector.handle(arrived)).toBe(true);
    expect(await itemsOf(tracks, 1)).toEqual(await itemsOf(tracks, 2));
  });
});

describe('a request costs time and money:', () => {
  test('an event makes two, a duplicate one', async () => {
    const { life, counting } = await setUp();
    const requestsFor = counting();
    const [sent, moved, arrived] = await life();

    for (const event of [sent, moved, arrived]) {
      expect(await requestsFor(event)).toEqual(['BatchGet', 'TransactWrite']);
    }
    expect(await requestsFor(arrived)).toEqual(['BatchGet']);
  });

  test('one whose row only the mark tells makes one more', async () => {
    const { life, counting } = await setUp();
    const [sent, moved] = await life();
    await counting()(sent);

    expect(await counting()(moved)).toEqual(['BatchGet', 'BatchGet', 'TransactWrite']);
  });

  test('so does the first one after a rebuild, and one during it reads its stream', async () => {
    const { life, counting, pointers } = await setUp();
    const requestsFor = counting();
    await requestsFor((await life())[0]);
    const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };

    await pointers.replace('tracks', { live: 1, building }, undefined);
    expect(await requestsFor((await life())[0])).toEqual(['BatchGet', 'Query', 'BatchGet', 'TransactWrite']);
    expect(await requestsFor((await life())[0])).toEqual(['Query', 'BatchGet', 'TransactWrite']);

    await pointers.replace('tracks', { live: 2 }, undefined);
    expect(await requestsFor((await life())[0])).toEqual(['Query', 'BatchGet', 'BatchGet', 'TransactWrite']);
    expect(await requestsFor((await life())[0])).toEqual(['BatchGet', 'TransactWrite']);
  });
});

describe('a batch', () => {
  test('of many aggregates makes two requests, and writes a row that they share once', async () => {
    const { projectorOver, client, life, reader } = await setUp();
    const lives = await Promise.all(Array.from({ length: 8 }, life));
    const requests: string[] = [];
    const counted = projectorOver(
      sending(client, (command, carryOut) => {
        requests.push(command.constructor.name.replace('Command', ''));
        return carryOut();
      }),
    );

    const results = await counted.handleAll(lives.flat().toReversed());

    expect(results).toEqual(Array(24).fill({ status: 'fulfilled', value: true }));
    expect(requests).toEqual(['BatchGet', 'TransactWrite']);
    expect((await reader.query(tracks, 'Berlin')).rows.map(({ row }) => row)).toEqual(
      Array(8).fill({ places: placesOf }),
    );
    expect((await reader.query(arrivals, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ parcels: 8, weight: 16 }]);
  });

  test('says of each event whether it changed anything, and why it could not be applied', async () => {
    const { projector, life, reader } = await setUp();
    const [sent, moved, arrived] = await life();
    const [otherSent, , otherArrived] = await life();
    await projector.handle(sent);

    const results = await projector.handleAll([sent, otherArrived, moved, otherSent, arrived]);

    expect(results).toMatchObject([
      { status: 'fulfilled', value: false },
      { status: 'rejected', reason: { code: 'SEQUENCE_GAP' } },
      { status: 'fulfilled', value: true },
      { status: 'fulfilled', value: true },
      { status: 'fulfilled', value: true },
    ]);
    // The sum does not wait for the gap.
    expect((await reader.query(arrivals, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ parcels: 2, weight: 4 }]);
  });

  test('too large for one transaction is divided', async () => {
    const { projector, life, reader } = await setUp();
    const lives = await Promise.all(Array.from({ length: 60 }, life));

    const results = await projector.handleAll(lives.flat());

    expect(results.every((result) => result.status === 'fulfilled' && result.value)).toBe(true);
    expect((await reader.query(arrivals, 'Berlin')).rows[0]?.row).toEqual({ parcels: 60, weight: 120 });
  });

  test('goes to the version that is being built as well, each aggregate from its stream', async () => {
    const { projector, life, itemsOf, pointers } = await setUp();
    const lives = await Promise.all(Array.from({ length: 3 }, life));
    await projector.handleAll(lives.map(([sent]) => sent));
    const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };
    await pointers.replace('tracks', { live: 1, building }, undefined);

    await projector.handleAll(lives.flatMap(([, moved, arrived]) => [moved, arrived]));

    expect(await itemsOf(tracks, 2)).toHaveLength(6);
    expect(await itemsOf(tracks, 1)).toEqual(await itemsOf(tracks, 2));
  });
});

describe('no projection is kept back', () => {
  test('by one whose order counts and that has a gap', async () => {
    const { projector, life, reader } = await setUp();
    const [sent, moved, arrived] = await life();
    await projector.handle(sent);

    await expect(projector.handle(arrived)).rejects.toMatchObject({
      code: 'SEQUENCE_GAP',
      message: expect.stringContaining('tracks has not had event 2'),
    });
    expect((await reader.query(arrivals, 'Berlin')).rows[0]?.row).toEqual({ parcels: 1, weight: 2 });

    await projector.handle(moved);
    expect(await projector.handle(arrived)).toBe(true);
    expect((await reader.query(arrivals, 'Berlin')).rows[0]?.row).toEqual({ parcels: 1, weight: 2 });
  });

  test.each<[string, () => object]>([
    [
      'whose code fails',
      () => {
        throw new Error('a mistake');
      },
    ],
    ['whose row is too large to be written', () => ({ text: 'x'.repeat(500_000) })],
  ])('by one %s', async (_, evolve) => {
    const failing = defineProjection({
      name: 'failing',
      events: [ParcelSent, ParcelMoved, ParcelArrived],
      late: 'apply',
      keyOf: ({ metadata }) => ({ partition: metadata.subject, sort: 'ROW' }),
      evolve,
    });
    const { projector, life, reader, itemsOf } = await setUp([tracks, failing, arrivals]);

    for (const event of await life()) await expect(projector.handle(event)).rejects.toThrow();

    expect((await reader.query(tracks, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ places: placesOf }]);
    expect((await reader.query(arrivals, 'Berlin')).rows[0]?.row).toEqual({ parcels: 1, weight: 2 });
    expect(await itemsOf(failing, 1)).toEqual([]);
  });
});

test('an event that came while a rebuild ended is in the version that is read now', async () => {
  const { keep, run, client, projectorOver, reader } = await setUp();
  const subject = randomUUID();
  const life = parcelEvents(['Potsdam'], 'Berlin', subject);
  let rebuilt: Promise<unknown> | undefined;
  const projector = projectorOver(
    sending(client, async (_, carryOut) => {
      const answer = await carryOut();
      // After the pointers were read, and before anything is written by them.
      rebuilt ??= run(tracks);
      await rebuilt;
      return answer;
    }),
  );
  const [sent] = await keep(subject, life.slice(0, 1));
  if (!sent) throw new Error('Expected an event');

  await projector.handle(sent);
  for (const event of await keep(subject, life, 1)) await projector.handle(event);

  expect((await reader.query(tracks, 'Berlin')).rows.map(({ row }) => row)).toEqual([{ places: placesOf }]);
});
