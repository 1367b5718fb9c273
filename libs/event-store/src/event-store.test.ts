import { randomUUID } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DuplicateEventError } from '@millrace/errors';
import { defineEvent } from '@millrace/events';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import {
  ConcurrencyConflictError,
  commit,
  documentClient,
  EventStore,
  inboxMark,
  type NewEvent,
  outboxRow,
  retryOnConflict,
} from './index.ts';

interface Counted {
  type: 'Counted';
  by: number;
  note?: string | undefined;
}

const CounterMoved = defineEvent({
  name: 'CounterMoved',
  version: 1,
  service: 'counter',
  category: 'domain',
  type: 'data',
  summary: 'A counter has another value.',
  data: z.object({ by: z.number() }),
  example: { by: 1 },
});

const table = 'counters';
const time = new Date('2026-03-01T10:20:30.456Z');
const inDays = (days: number) => Math.floor(time.getTime() / 1000) + days * 24 * 60 * 60;
let dynamoDb: TestDynamoDb;
let client: DynamoDBDocumentClient;
let store: EventStore<Counted>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table);
  client = documentClient(dynamoDb.client);
  store = new EventStore(client, table);
});
afterAll(() => dynamoDb.stop());

const counted = (by: number, rest: Partial<NewEvent<Counted>> = {}): NewEvent<Counted> => ({
  id: randomUUID(),
  event: { type: 'Counted', by },
  time,
  correlationId: 'correlation-1',
  ...rest,
});

const amounts = async (stream: string) => (await store.load(stream)).events.map(({ event }) => event.by);

async function rowsOf(partition: string): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :partition',
      ExpressionAttributeValues: { ':partition': partition },
      ConsistentRead: true,
    }),
  );
  return Items;
}

describe('a stream', () => {
  test('that does not exist is empty', async () => {
    expect(await store.load(randomUUID())).toEqual({ events: [], version: 0 });
  });

  test('gives back what was appended, in order', async () => {
    const stream = randomUUID();
    const first = counted(1, { event: { type: 'Counted', by: 1, note: undefined }, causationId: 'cause-1' });
    const rest = [counted(2), counted(3)];

    await store.append(stream, 0, [first]);
    await store.append(stream, 1, rest);

    const { events, version } = await store.load(stream);
    expect(version).toBe(3);
    expect(events).toEqual([
      {
        id: first.id,
        event: { type: 'Counted', by: 1 },
        time: '2026-03-01T10:20:30.456Z',
        version: 1,
        correlationId: 'correlation-1',
        causationId: 'cause-1',
      },
      expect.objectContaining({ id: rest[0]?.id, version: 2 }),
      expect.objectContaining({ id: rest[1]?.id, version: 3 }),
    ]);
    expect(events[1]).not.toHaveProperty('causationId');
  });

  test('keeps its order beyond nine events and beyond one page of a query', async () => {
    const stream = randomUUID();
    const note = 'x'.repeat(30_000);
    for (let version = 0; version < 60; version += 20) {
      const events = Array.from({ length: 20 }, (_, index) =>
        counted(version + index, { event: { type: 'Counted', by: version + index, note } }),
      );
      await store.append(stream, version, events);
    }

    expect(await amounts(stream)).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });

  test('takes as many events at once as fit into a transaction, and says when there are more', async () => {
    const stream = randomUUID();
    const many = Array.from({ length: 99 }, (_, index) => counted(index));
    await store.append(stream, 0, [counted(0)]);

    await store.append(stream, 1, many, [inboxMark(table, { consumer: 'c', eventId: stream }, time)]);

    expect((await store.load(stream)).version).toBe(100);
    await expect(store.append(stream, 100, [...many, counted(1)])).rejects.toThrow(RangeError);
    await expect(store.append(stream, 100, [])).rejects.toThrow(RangeError);
  });
});

describe('optimistic concurrency', () => {
  test('a writer who is behind changes nothing', async () => {
    const stream = randomUUID();
    await store.append(stream, 0, [counted(1), counted(2)]);

    await expect(store.append(stream, 0, [counted(9)])).rejects.toThrow(ConcurrencyConflictError);
    await expect(store.append(stream, 1, [counted(9), counted(9)])).rejects.toThrow(/no longer at version 1/);

    expect(await amounts(stream)).toEqual([1, 2]);
  });

  test('of writers with the same version exactly one wins', async () => {
    const stream = randomUUID();

    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => store.append(stream, 0, [counted(index)])),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await amounts(stream)).toHaveLength(1);
  });

  test('many writers who try again lose nothing and leave no gap', async () => {
    const stream = randomUUID();
    const writers = Array.from({ length: 25 }, (_, index) => index);

    await Promise.all(
      writers.map((writer) =>
        retryOnConflict(
          async () => {
            const { version } = await store.load(stream);
            await store.append(stream, version, [counted(writer)]);
          },
          { maxAttempts: 200 },
        ),
      ),
    );

    const { events, version } = await store.load(stream);
    expect(version).toBe(25);
    expect(events.map((event) => event.version)).toEqual(writers.map((writer) => writer + 1));
    expect(events.map(({ event }) => event.by).sort((a, b) => a - b)).toEqual(writers);
  });
});

describe('one transaction', () => {
  test('holds the inbox mark: the second delivery is a duplicate and writes nothing', async () => {
    const stream = randomUUID();
    const key = { consumer: 'counter.onTick', eventId: randomUUID() };
    await store.append(stream, 0, [counted(1)], [inboxMark(table, key, time)]);

    await expect(store.append(stream, 1, [counted(2)], [inboxMark(table, key, time)])).rejects.toThrow(
      DuplicateEventError,
    );
    await expect(store.append(stream, 0, [counted(2)], [inboxMark(table, key, time)])).rejects.toThrow(
      DuplicateEventError,
    );

    expect(await amounts(stream)).toEqual([1]);
  });

  test('of two deliveries at once has one effect', async () => {
    const key = { consumer: 'counter.onTick', eventId: randomUUID() };
    const streams = Array.from({ length: 8 }, () => randomUUID());

    const outcomes = await Promise.allSettled(
      streams.map((stream) => store.append(stream, 0, [counted(1)], [inboxMark(table, key, time)])),
    );

    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(lost).toHaveLength(7);
    for (const { reason } of lost) expect(reason).toBeInstanceOf(DuplicateEventError);
    expect((await Promise.all(streams.map(amounts))).flat()).toEqual([1]);
  });

  test('a mark is one of its consumer, and outlives the 14 days of a dead-letter queue', async () => {
    const eventId = randomUUID();

    await commit(client, [inboxMark(table, { consumer: 'one', eventId }, time)]);
    await commit(client, [inboxMark(table, { consumer: 'another', eventId }, time)]);

    const [mark] = await rowsOf(`INBOX#one#${eventId}`);
    expect(mark?.ttl).toBe(inDays(30));
  });

  test('leaves nothing of itself when a write beside it fails', async () => {
    const stream = randomUUID();
    const key = { consumer: 'counter.onTick', eventId: randomUUID() };
    const refuse = {
      write: {
        ConditionCheck: {
          TableName: table,
          Key: { pk: 'no such', sk: 'row' },
          ConditionExpression: 'attribute_exists(pk)',
        },
      },
      onConditionFailed: () => new RangeError('refused'),
    };

    await expect(store.append(stream, 0, [counted(1)], [inboxMark(table, key, time), refuse])).rejects.toThrow(
      RangeError,
    );

    expect(await rowsOf(stream)).toEqual([]);
    expect(await rowsOf(`INBOX#${key.consumer}#${key.eventId}`)).toEqual([]);
    await expect(store.append(stream, 0, [counted(1)], [inboxMark(table, key, time)])).resolves.toBeUndefined();
  });

  test('that was written before its caller died is seen as such when the event comes again', async () => {
    const stream = randomUUID();
    const write = async () => {
      const { version } = await store.load(stream);
      const key = { consumer: 'counter.onTick', eventId: stream };
      await store.append(stream, version, [counted(1)], [inboxMark(table, key, time)]);
    };
    await write(); // and the function ends before it can acknowledge

    await expect(write()).rejects.toThrow(DuplicateEventError);
    expect(await amounts(stream)).toEqual([1]);
  });
});

describe('the outbox', () => {
  test('stands on the appended event, byte for byte, and only when there is something to emit', async () => {
    const stream = randomUUID();
    const emit = sampleEvent(CounterMoved);

    await store.append(stream, 0, [counted(1, { emit }), counted(2)]);

    const [first, second] = await rowsOf(stream);
    expect(first?.outbox).toEqual(emit.entry);
    expect(second).not.toHaveProperty('outbox');
  });

  test('stands beside state as a row of its own that the table keeps for longer than a dead letter about it', async () => {
    const partition = randomUUID();
    const event = sampleEvent(CounterMoved, {}, { id: 'event-1' });

    await commit(client, [
      { write: { Put: { TableName: table, Item: { pk: partition, sk: 'STATE', value: 1 } } } },
      outboxRow(table, partition, event, time),
    ]);

    expect(await rowsOf(partition)).toEqual([
      { pk: partition, sk: 'OUTBOX#event-1', outbox: event.entry, ttl: inDays(30) },
      { pk: partition, sk: 'STATE', value: 1 },
    ]);
    expect(await store.load(partition)).toEqual({ events: [], version: 0 });
  });
});

describe('the document client', () => {
  test('leaves out undefined fields', async () => {
    const key = { pk: randomUUID(), sk: 'ROW' };

    await client.send(new PutCommand({ TableName: table, Item: { ...key, kept: null, gone: undefined } }));

    expect((await client.send(new GetCommand({ TableName: table, Key: key }))).Item).toEqual({ ...key, kept: null });
  });
});
