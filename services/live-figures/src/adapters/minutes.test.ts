import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient } from '@millrace/aws';
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
