import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BatchGetCommand } from '@millrace/aws';
import type { EmittedEvents } from '@millrace/event-store';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { arrivals, parcelEvents, tracks } from '../fixtures/sample-projections.ts';
import { sampleStore, sending } from '../fixtures/sample-store.ts';
import { Pointers, type Projection, ProjectionTable } from './index.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

describe('a rebuild', () => {
  test.each([tracks, arrivals] as Projection[])(
    'of $name ends equal to the live projection, item by item',
    async (projection) => {
      const { parcels, itemsOf, run } = await sampleStore(dynamoDb);
      await parcels(8);
      const before = await itemsOf(projection, 1);

      const summary = await run(projection, { segments: 2 });

      expect(summary).toMatchObject({ outcome: 'complete', live: 2, resumed: false, deleted: before.length });
      expect(before.length).toBeGreaterThan(8);
      expect(await itemsOf(projection, 2)).toEqual(before);
      expect(await itemsOf(projection, 1)).toEqual([]);
    },
  );

  test('finds streams that are longer than a page', async () => {
    const { keep, itemsOf, run } = await sampleStore(dynamoDb);
    const subject = randomUUID();
    // Some 1.4 MB, of which a page has one.
    const long = parcelEvents(
      Array.from({ length: 48 }, () => randomUUID().repeat(800)),
      'Berlin',
      subject,
    );
    await keep(subject, long.slice(0, 30));
    await keep(subject, long, 30);
    await keep(randomUUID());

    await run(arrivals);

    expect(await itemsOf(arrivals, 2)).toContainEqual(expect.objectContaining({ row: { parcels: 2, weight: 51 } }));
  });

  test('reads nothing of a version that nobody has written to', async () => {
    const { client, table, parcels, run } = await sampleStore(dynamoDb);
    await parcels(3);
    const read: object[] = [];
    const reading = sending(client, (command, carryOut) => {
      if (command instanceof BatchGetCommand) read.push(command.input.RequestItems?.[table.tableName]?.Keys ?? []);
      return carryOut();
    });

    await run(tracks, { table: new ProjectionTable(reading, table.tableName) });

    expect(read).toEqual([[{ pk: 'tracks', sk: 'POINTER' }]]);
  });

  test('has what came while it was at work, in both versions', async () => {
    const { projector, keep, emitted, itemsOf, run, reader } = await sampleStore(dynamoDb);
    const subject = randomUUID();
    const life = parcelEvents(['Potsdam'], 'Berlin', subject);
    const [sent] = await keep(subject, life.slice(0, 1));
    if (!sent) throw new Error('Expected an event');
    await projector.handle(sent);
    let meanwhile: Promise<void> | undefined;
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      for await (const page of emitted.scan(...args)) {
        // What the rebuild holds in its hands is old by now.
        meanwhile ??= (async () => {
          for (const event of await keep(subject, life, 1)) await projector.handle(event);
        })();
        await meanwhile;
        expect((await reader.query(tracks, 'Berlin')).rows[0]?.row.places).toHaveLength(3);
        yield page;
      }
    };

    await run(tracks, { emitted: { scan } });

    expect((await reader.query(tracks, 'Berlin')).rows.map(({ row }) => row.places)).toEqual([
      ['ParcelSent.v1', 'Potsdam', 'ParcelArrived.v1'],
    ]);
    expect(await itemsOf(tracks, 2)).toHaveLength(2);
  });

  test.each([tracks, arrivals] as Projection[])(
    'of $name may die at any request, and another one goes on',
    async (projection) => {
      const { client, table, parcels, itemsOf, run } = await sampleStore(dynamoDb);
      await parcels(2);
      let expected = await itemsOf(projection, 1);
      const leaseTimes = { beatEvery: 20, deadAfter: 20 };
      let deaths = 0;
      for (let survived = 1; ; survived += 1) {
        let left = survived;
        const dying = sending(client, async (_, carryOut) => {
          left -= 1;
          // The last request is carried out, and nobody hears of it.
          const answer = left >= 0 && (await carryOut());
          if (left <= 0) throw new Error('dead');
          return answer;
        });
        const dead = await run(projection, { table: new ProjectionTable(dying, table.tableName), leaseTimes }).then(
          () => false,
          () => true,
        );
        if (!dead) break;
        deaths += 1;
        const { outcome, live } = await run(projection, { leaseTimes });
        expect(outcome).toBe('complete');
        const items = await itemsOf(projection, live);
        expect(items).toEqual(expected);
        expected = items;
      }
      expect(deaths).toBeGreaterThan(5);
    },
  );

  test.each([tracks, arrivals] as Projection[])(
    'of $name may stall at any request while others run through, and harms nothing when it goes on',
    async (projection) => {
      const { client, table, parcels, itemsOf, allItemsOf, run } = await sampleStore(dynamoDb);
      await parcels(1);
      const expected = await itemsOf(projection, 1);
      const leaseTimes = { beatEvery: 20, deadAfter: 20 };
      const ends = new Set<string>();
      for (let stallAt = 1; ; stallAt += 1) {
        const stalled = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        let requests = 0;
        const stalling = sending(client, async (_, carryOut) => {
          requests += 1;
          if (requests === stallAt) stalled.resolve();
          // The whole process stands still: what it has on its lips is carried out when the others are long done.
          if (requests >= stallAt) await goOn.promise;
          return carryOut();
        });
        const late = run(projection, { table: new ProjectionTable(stalling, table.tableName), leaseTimes }).then(
          ({ outcome }) => outcome,
          ({ code }) => String(code),
        );
        const isOver = await Promise.race([stalled.promise.then(() => false), late.then(() => true)]);
        if (isOver) break;
        await run(projection, { leaseTimes });
        await run(projection, { leaseTimes });
        goOn.resolve();
        ends.add(await late);

        expect(await itemsOf(projection, await new Pointers(table).live(projection.name))).toEqual(expected);
        const last = await run(projection, { leaseTimes });
        expect(await itemsOf(projection, last.live)).toEqual(expected);
        expect(await allItemsOf(projection)).toHaveLength(expected.length);
      }
      expect([...ends].sort()).toEqual(['REBUILD_TAKEN_OVER', 'complete']);
    },
    60_000,
  );

  test('that lost its lease writes no row any more', async () => {
    const { client, emitted, table, parcels, run, allItemsOf } = await sampleStore(dynamoDb);
    await parcels(3);
    let lost = false;
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      for await (const page of emitted.scan(...args)) {
        // This rebuild has its page in hands while others build this version, replace it, and delete its rows.
        await run(tracks, { leaseTimes: { beatEvery: 20, deadAfter: 20 } });
        await run(tracks, { leaseTimes: { beatEvery: 20, deadAfter: 20 } });
        lost = true;
        yield page;
      }
    };
    const written: object[] = [];
    const watched = sending(client, async (command, carryOut) => {
      const answer = await carryOut();
      if (lost) written.push(command);
      return answer;
    });
    const before = (await allItemsOf(tracks)).length;

    await expect(
      run(tracks, {
        emitted: { scan },
        table: new ProjectionTable(watched, table.tableName),
        leaseTimes: { beatEvery: 60_000, deadAfter: 100 },
      }),
    ).rejects.toMatchObject({ code: 'REBUILD_TAKEN_OVER' });

    expect(written).toEqual([]);
    expect(await allItemsOf(tracks)).toHaveLength(before);
  });

  test('is refused while another one lives, and not when that one is dead', async () => {
    const { emitted, parcels, run } = await sampleStore(dynamoDb);
    await parcels(3);
    let refused: unknown;
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      refused ??= await run(tracks).catch((error: unknown) => error);
      yield* emitted.scan(...args);
    };

    const summary = await run(tracks, { emitted: { scan } });

    expect(refused).toMatchObject({ code: 'REBUILD_UNDER_WAY' });
    expect(summary).toMatchObject({ outcome: 'complete', live: 2 });
  });

  test('that was taken for dead stops as soon as it changes the pointer', async () => {
    const { emitted, table, parcels, run } = await sampleStore(dynamoDb);
    await parcels(3);
    const scan = async function* (...args: Parameters<EmittedEvents['scan']>) {
      // As if this process had stood still while another one took over.
      const pointers = new Pointers(table);
      const [pointer = { live: 0 }] = await pointers.read(['tracks']);
      await pointers.replace('tracks', { ...pointer, rebuilder: { id: 'another', beat: 0 } }, pointer.rebuilder);
      yield* emitted.scan(...args);
    };

    await expect(
      run(tracks, { emitted: { scan }, leaseTimes: { beatEvery: 60_000, deadAfter: 100 } }),
    ).rejects.toMatchObject({
      code: 'REBUILD_TAKEN_OVER',
    });
    expect(await run(tracks)).toMatchObject({ outcome: 'complete', live: 2, resumed: true });
  });

  test('can be interrupted, and started from the beginning', async () => {
    const { parcels, run, itemsOf } = await sampleStore(dynamoDb);
    await parcels(3);
    const before = await itemsOf(tracks, 1);

    expect(await run(tracks, { signal: AbortSignal.abort() })).toMatchObject({ outcome: 'interrupted', live: 1 });
    expect(await run(tracks, { restart: true })).toMatchObject({ outcome: 'complete', live: 3, resumed: false });
    expect(await itemsOf(tracks, 3)).toEqual(before);
  });
});
