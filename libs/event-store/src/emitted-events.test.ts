import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { defineEvent } from '@millrace/events';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import { type Counted, CounterMoved, counted } from '../fixtures/event-store-conformance.ts';
import { DynamoDbEventStore, EmittedEvents } from './index.ts';

const CounterStopped = defineEvent({
  name: 'CounterStopped',
  version: 1,
  service: 'counter',
  category: 'domain',
  type: 'data',
  summary: 'A counter counts no more.',
  data: z.object({}),
  example: {},
});

const table = 'counters';
let dynamoDb: TestDynamoDb;
let emitted: EmittedEvents;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table);
  const client = documentClient();
  emitted = new EmittedEvents(client, table);
  const store = new DynamoDbEventStore<Counted>(client, table);
  const moved = () => counted(1, { emit: sampleEvent(CounterMoved) });
  await store.append('both', 0, [moved(), counted(1), counted(0, { emit: sampleEvent(CounterStopped) }), moved()]);
  await store.append('moved', 0, [moved()]);
  await store.append('silent', 0, [counted(1)]);
});
afterAll(() => dynamoDb.stop());

/** The types of the events of each stream, by a scan for these types. */
async function scanned(...detailTypes: string[]): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for await (const { streams } of emitted.scan(detailTypes, 0, 1)) {
    for (const { streamId, entries } of streams) found[streamId] = entries.map(({ detailType }) => detailType);
  }
  return found;
}

describe('a scan', () => {
  test.each([
    [['CounterStopped.v1'], { both: ['CounterStopped.v1'] }],
    [['CounterMoved.v1'], { both: ['CounterMoved.v1', 'CounterMoved.v1'], moved: ['CounterMoved.v1'] }],
    [
      ['CounterMoved.v1', 'CounterStopped.v1'],
      { both: ['CounterMoved.v1', 'CounterStopped.v1', 'CounterMoved.v1'], moved: ['CounterMoved.v1'] },
    ],
    [['CounterReset.v1'], {}],
  ])('for %j has these events alone, by streams in their order', async (detailTypes, streams) => {
    expect(await scanned(...detailTypes)).toEqual(streams);
  });
});

test('of one stream, everything emitted is there', async () => {
  expect((await emitted.of('both')).map(({ detailType }) => detailType)).toEqual([
    'CounterMoved.v1',
    'CounterStopped.v1',
    'CounterMoved.v1',
  ]);
});
