import { randomUUID } from 'node:crypto';
import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DynamoDbEventStore, documentClient, EmittedEvents } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { Pointers, type Projection, ProjectionReader, ProjectionTable, Projector, rebuild } from './index.ts';
import { arrivals, parcelEvents, tracks } from './sample-projections.ts';

let dynamoDb: TestDynamoDb;
let client: DynamoDBDocumentClient;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  client = documentClient(dynamoDb.client);
});
afterAll(() => dynamoDb.stop());

const leaseTimes = { beatEvery: 20, deadAfter: 200 };
const streamOf = (subject: string) => `PARCEL#${subject}`;

/** An event store and a table of projections of their own. */
async function setUp() {
  const name = `parcels-${randomUUID()}`;
  await dynamoDb.createTable(name);
  await dynamoDb.createTable(`${name}-projections`);
  const store = new DynamoDbEventStore<{ type: string }>(client, name);
  const emitted = new EmittedEvents(client, name);
  const table = new ProjectionTable(client, `${name}-projections`);
  const projector = new Projector(table, [tracks, arrivals], { emitted, streamOf });

  /** Stores a parcel's events, the last ones of them if told so, and returns them as the bus would deliver them. */
  async function keep(
    subject: string,
    events = parcelEvents(['Potsdam'], 'Berlin', subject),
    from = 0,
  ): Promise<Event[]> {
    await store.append(
      streamOf(subject),
      from,
      events
        .slice(from)
        .map((emit) => ({ id: randomUUID(), event: { type: 'Told' }, time: new Date(), correlationId: 'c', emit })),
    );
    return events.slice(from).map(({ event }) => event);
  }

  /** Parcels of some cities, stored and projected live. */
  async function parcels(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const subject = randomUUID();
      for (const event of await keep(subject, parcelEvents(['Potsdam'], `City ${index % 3}`, subject)))
        await projector.handle(event);
    }
  }

  /** Everything a version has, without its number. */
  async function itemsOf(projection: Pick<Projection, 'name'>, version: number) {
    const prefix = `${projection.name}#${version}#`;
    const items: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table.tableName, ConsistentRead: true })) {
      for (const { pk, ...item } of Items) {
        if (pk.startsWith(prefix)) items.push({ ...item, pk: pk.slice(prefix.length) });
      }
    }
    return items.toSorted((a, b) => (String(a.pk) + String(a.sk) < String(b.pk) + String(b.sk) ? -1 : 1));
  }

  const run = (projection: Projection, options: Partial<Parameters<typeof rebuild>[0]> = {}) =>
    rebuild({ emitted, table, projection, leaseTimes, ...options });
  return { name, emitted, table, projector, store: keep, parcels, itemsOf, run, reader: new ProjectionReader(table) };
}

describe('live', () => {
  test('events are applied once, also when the same one comes several times at once', async () => {
    const { projector, store, reader } = await setUp();
    const [sent, moved, arrived] = await store(randomUUID());
    if (!sent || !moved || !arrived) throw new Error('Expected three events');

    await projector.handle(sent);
    await projector.handle(moved);
    const changed = await Promise.all([1, 2, 3, 4].map(() => projector.handle(arrived)));

    expect(changed).toContain(true);
    for (const event of [sent, moved, arrived]) expect(await projector.handle(event)).toBe(false);
    expect((await reader.query(tracks, 'Berlin')).map(({ row }) => row)).toEqual([
      { places: ['ParcelSent.v1', 'Potsdam', 'ParcelArrived.v1'] },
    ]);
    expect((await reader.query(arrivals, 'Berlin')).map(({ row }) => row)).toEqual([{ parcels: 1, weight: 2 }]);
  });

  test('a gap keeps only those projections back whose order counts', async () => {
    const { projector, store, reader } = await setUp();
    const [sent, moved, arrived] = await store(randomUUID());
    if (!sent || !moved || !arrived) throw new Error('Expected three events');
    await projector.handle(sent);

    await expect(projector.handle(arrived)).rejects.toMatchObject({
      code: 'SEQUENCE_GAP',
      message: expect.stringContaining('tracks has not had event 2'),
    });
    expect((await reader.query(arrivals, 'Berlin'))[0]?.row).toEqual({ parcels: 1, weight: 2 });

    await projector.handle(moved);
    expect(await projector.handle(arrived)).toBe(true);
    expect((await reader.query(arrivals, 'Berlin'))[0]?.row).toEqual({ parcels: 1, weight: 2 });
  });

  test('many aggregates that share a row all count', async () => {
    const { projector, store, reader } = await setUp();
    const events = await Promise.all(Array.from({ length: 12 }, () => store(randomUUID())));

    await Promise.all(
      events.map(async (life) => {
        for (const event of life) await projector.handle(event);
      }),
    );

    expect((await reader.query(arrivals, 'Berlin'))[0]?.row).toEqual({ parcels: 12, weight: 24 });
  });
});

describe('a rebuild', () => {
  test.each([tracks, arrivals] as Projection[])(
    'of $name ends equal to the live projection, item by item',
    async (projection) => {
      const { parcels, itemsOf, run } = await setUp();
      await parcels(20);
      const before = await itemsOf(projection, 1);

      const summary = await run(projection, { segments: 2 });

      expect(summary).toMatchObject({ outcome: 'complete', live: 2, resumed: false, deleted: before.length });
      expect(before.length).toBeGreaterThan(20);
      expect(await itemsOf(projection, 2)).toEqual(before);
      expect(await itemsOf(projection, 1)).toEqual([]);
    },
  );

  test('finds streams that are longer than a page', async () => {
    const { projector, store, itemsOf, run } = await setUp();
    const subject = randomUUID();
    // Some 2.4 MB, of which a page has one.
    const long = parcelEvents(
      Array.from({ length: 80 }, () => randomUUID().repeat(800)),
      'Berlin',
      subject,
    );
    const events = [...(await store(subject, long.slice(0, 50))), ...(await store(subject, long, 50))];
    for (const event of events) await projector.handle(event).catch(() => undefined);
    await store(randomUUID());

    await run(arrivals, { segments: 1 });

    expect(await itemsOf(arrivals, 2)).toContainEqual(expect.objectContaining({ row: { parcels: 2, weight: 83 } }));
  });

  test('has what came while it was at work, in both versions', async () => {
    const { projector, store, emitted, itemsOf, run, reader } = await setUp();
    const subject = randomUUID();
    const life = parcelEvents(['Potsdam'], 'Berlin', subject);
    const [sent] = await store(subject, life.slice(0, 1));
    if (!sent) throw new Error('Expected an event');
    await projector.handle(sent);
    let meanwhile: Promise<void> | undefined;
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      for await (const page of emitted.scan(...args)) {
        // What the rebuild holds in its hands is old by now.
        meanwhile ??= (async () => {
          for (const event of await store(subject, life, 1)) await projector.handle(event);
        })();
        await meanwhile;
        expect((await reader.query(tracks, 'Berlin'))[0]?.row.places).toHaveLength(3);
        yield page;
      }
    };

    await run(tracks, { emitted: { scan }, segments: 1 });

    expect((await reader.query(tracks, 'Berlin')).map(({ row }) => row.places)).toEqual([
      ['ParcelSent.v1', 'Potsdam', 'ParcelArrived.v1'],
    ]);
    expect(await itemsOf(tracks, 2)).toHaveLength(2);
  });

  test.each([tracks, arrivals] as Projection[])(
    'of $name may die at any request, and another one goes on',
    async (projection) => {
      const { emitted, table, parcels, itemsOf, run } = await setUp();
      await parcels(4);
      let expected = await itemsOf(projection, 1);
      let deaths = 0;
      for (let survived = 1; ; survived += 1) {
        let left = survived;
        const dying = new Proxy(client, {
          get: (target, member) =>
            member === 'send'
              ? (command: Parameters<typeof client.send>[0]) => {
                  left -= 1;
                  if (left < 0) return Promise.reject(new Error('dead'));
                  const sent = target.send(command) as unknown as Promise<unknown>;
                  // The last request is carried out, and nobody hears of it.
                  return left === 0 ? sent.then(() => Promise.reject(new Error('dead'))) : sent;
                }
              : Reflect.get(target, member),
        });
        const dead = await run(projection, { table: new ProjectionTable(dying, table.tableName), segments: 1 }).then(
          () => false,
          () => true,
        );
        if (!dead) break;
        deaths += 1;
        const { outcome, live } = await rebuild({ emitted, table, projection, leaseTimes });
        expect(outcome).toBe('complete');
        const items = await itemsOf(projection, live);
        expect(items).toEqual(expected);
        expected = items;
      }
      expect(deaths).toBeGreaterThan(5);
    },
    120_000,
  );

  test('is refused while another one lives, and not when that one is dead', async () => {
    const { emitted, parcels, run } = await setUp();
    await parcels(3);
    let refused: unknown;
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      refused ??= await run(tracks).catch((error: unknown) => error);
      yield* emitted.scan(...args);
    };

    const summary = await run(tracks, { emitted: { scan }, segments: 1 });

    expect(refused).toMatchObject({ code: 'REBUILD_UNDER_WAY' });
    expect(summary).toMatchObject({ outcome: 'complete', live: 2 });
  });

  test('that was taken for dead stops as soon as it changes the pointer', async () => {
    const { emitted, table, parcels, run } = await setUp();
    await parcels(3);
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      // As if this process had stood still while another one took over.
      const pointers = new Pointers(table);
      const [pointer = { live: 0 }] = await pointers.read(['tracks']);
      await pointers.replace('tracks', { ...pointer, rebuilder: { id: 'another', beat: 0 } }, pointer.rebuilder);
      yield* emitted.scan(...args);
    };

    await expect(
      run(tracks, { emitted: { scan }, segments: 1, leaseTimes: { beatEvery: 60_000, deadAfter: 100 } }),
    ).rejects.toMatchObject({
      code: 'REBUILD_TAKEN_OVER',
    });
    expect(await run(tracks)).toMatchObject({ outcome: 'complete', live: 2, resumed: true });
  });

  test('can be interrupted, and started from the beginning', async () => {
    const { parcels, run, itemsOf } = await setUp();
    await parcels(3);
    const before = await itemsOf(tracks, 1);

    expect(await run(tracks, { signal: AbortSignal.abort() })).toMatchObject({ outcome: 'interrupted', live: 1 });
    expect(await run(tracks, { restart: true })).toMatchObject({ outcome: 'complete', live: 3, resumed: false });
    expect(await itemsOf(tracks, 3)).toEqual(before);
  });
});
