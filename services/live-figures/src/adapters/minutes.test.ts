import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient, ScanCommand } from '@millrace/aws';
import { type Event, parseEnvelope } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { Minutes } from './minutes.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

const placedAt = (time: string): Event => {
  const variant = sampleEvent(OrderPlaced, {}, { time: new Date(time) }).analyticsVariant(() => 'ada');
  return OrderPlaced.analytics.parse(parseEnvelope(envelopeText(variant as never)));
};

/** Minutes of a table of their own, and the writes that they make. */
async function setUp(name: string, options: { beforeWrite?: () => Promise<void> } = {}) {
  await dynamoDb.createTable(name);
  const inner = documentClient();
  let writes = 0;
  const client: DocumentClient = {
    send: async (command) => {
      if (command.operation === 'PutItem') {
        writes += 1;
        await options.beforeWrite?.();
      }
      return inner.send(command);
    },
  };
  const minutes = new Minutes({ client, name }, { retentionDays: 90 });
  const placed = async () => {
    const found = await minutes.between('2026-01-15T00:00', '2026-01-16T00:00');
    return found.map(({ minute, figures }) => [minute, figures.orders?.placed]);
  };
  return { minutes, placed, writes: () => writes };
}

test('events that happened in one minute are one write, and one for each further minute', async () => {
  const { minutes, placed, writes } = await setUp('one-write');
  const events = Array.from({ length: 10 }, (_, index) => placedAt(`2026-01-15T09:3${index % 2}:0${index}.000Z`));

  expect(await minutes.record(events)).toEqual(events.map(() => 'counted'));

  expect(writes()).toBe(2);
  expect(await placed()).toEqual([
    ['2026-01-15T09:30', 5],
    ['2026-01-15T09:31', 5],
  ]);
});

test('events that were counted are not written again', async () => {
  const { minutes, placed, writes } = await setUp('again');
  const event = placedAt('2026-01-15T09:30:00.000Z');
  await minutes.record([event]);

  expect(await minutes.record([event, event])).toEqual(['known', 'known']);
  expect(writes()).toBe(1);
  expect(await placed()).toEqual([['2026-01-15T09:30', 1]]);
});

test('a batch that another one has beaten counts on what that one wrote', async () => {
  const [first, second] = [placedAt('2026-01-15T09:30:00.000Z'), placedAt('2026-01-15T09:30:01.000Z')];
  let other: (() => Promise<unknown>) | undefined;
  const { minutes, placed } = await setUp('beaten', {
    beforeWrite: async () => {
      const run = other;
      other = undefined;
      await run?.();
    },
  });
  other = () => minutes.record([second]);

  expect(await minutes.record([first, second])).toEqual(['counted', 'known']);
  expect(await placed()).toEqual([['2026-01-15T09:30', 2]]);
});

test('a late event counts in its own minute', async () => {
  const { minutes, placed } = await setUp('late');
  await minutes.record([placedAt('2026-01-15T09:31:00.000Z')]);
  await minutes.record([placedAt('2026-01-15T09:30:59.999Z')]);

  expect(await placed()).toEqual([
    ['2026-01-15T09:30', 1],
    ['2026-01-15T09:31', 1],
  ]);
});

describe('with two containers', () => {
  /** Another container, with a memory of its own. */
  const another = (name: string) => new Minutes({ client: documentClient(), name }, { retentionDays: 90 });
  const at = (second: number) => placedAt(`2026-01-15T09:30:0${second}.000Z`);
  const many = (count: number) => Array.from({ length: count }, (_, index) => at(index % 10));

  test('events are recognised in pages that are full, by a container that has not seen them', async () => {
    const { minutes, placed, writes } = await setUp('full-pages');
    const events = many(300);
    for (let start = 0; start < events.length; start += 10) await minutes.record(events.slice(start, start + 10));
    expect(writes()).toBe(30);

    expect(new Set(await another('full-pages').record(events))).toEqual(new Set(['known']));
    expect(await placed()).toEqual([['2026-01-15T09:30', 300]]);
    const { Items = [] } = await documentClient().send(new ScanCommand({ TableName: 'full-pages' }));
    expect(Items.length).toBeGreaterThan(3);
    expect(Math.max(...Items.map(({ seen }) => seen.length))).toBeLessThan(1_000);
  });

  test('what both get at once counts once, page after page', async () => {
    const { minutes, placed } = await setUp('both');
    const other = another('both');
    const events = many(400);
    for (let start = 0; start < events.length; start += 8) {
      const some = events.slice(start, start + 8);
      const outcomes = await Promise.all([minutes.record(some), other.record([...some].reverse())]);
      expect(outcomes.flat().filter((outcome) => outcome === 'counted')).toHaveLength(some.length);
    }
    expect(await placed()).toEqual([['2026-01-15T09:30', 400]]);
  });

  test('a container that was not there for a while does not count again what the other one has', async () => {
    const { minutes, placed } = await setUp('away');
    const events = many(200);
    await minutes.record(events.slice(0, 5));
    await another('away').record(events.slice(5));

    expect(new Set(await minutes.record(events.slice(5)))).toEqual(new Set(['known']));
    expect(await minutes.record([at(3)])).toEqual(['counted']);
    expect(await placed()).toEqual([['2026-01-15T09:30', 201]]);
  });
});
