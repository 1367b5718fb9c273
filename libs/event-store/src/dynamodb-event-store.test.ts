import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient, GetCommand, PutCommand, QueryCommand } from '@millrace/aws';
import { DuplicateEventError } from '@millrace/errors';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import {
  type Counted,
  CounterMoved,
  counted,
  eventStoreConformance,
  time,
} from '../fixtures/event-store-conformance.ts';
import {
  commit,
  DynamoDbEventStore,
  EmittedEvents,
  EventTooLargeError,
  InMemoryPayloadStore,
  inboxMark,
  type NewEvent,
  outboxRow,
  UnreadableEventError,
} from './index.ts';

const table = 'counters';
const inDays = (days: number) => Math.floor(time.getTime() / 1000) + days * 24 * 60 * 60;
let dynamoDb: TestDynamoDb;
let client: DocumentClient;
let store: DynamoDbEventStore<Counted>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table);
  client = documentClient();
  store = new DynamoDbEventStore(client, table);
});
afterAll(() => dynamoDb.stop());

eventStoreConformance((options) => new DynamoDbEventStore<Counted>(client, table, options));

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

/** About as DynamoDB counts an item: names and values. */
function bytesOf(item: unknown): number {
  if (ArrayBuffer.isView(item)) return item.byteLength;
  if (typeof item !== 'object' || item === null) return String(item).length;
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + bytesOf(value), 0);
}

/** Text of this many bytes that compresses to three quarters of them. */
function noise(bytes: number): string {
  return randomBytes(bytes).toString('base64').slice(0, bytes);
}

const noted = (note: string, rest: Partial<NewEvent<Counted>> = {}) =>
  counted(1, { event: { type: 'Counted', by: 1, note }, ...rest });
const notes = async (from: DynamoDbEventStore<Counted>, stream: string) =>
  (await from.load(stream)).events.map(({ event }) => event.note);

describe('one transaction', () => {
  test('a mark is one of its consumer, and outlives the 14 days of a dead-letter queue', async () => {
    const eventId = randomUUID();

    await commit(client, [inboxMark(table, { consumer: 'one', eventId }, time)]);
    await commit(client, [store.inboxMark({ consumer: 'another', eventId }, time)]);

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

    const [, second] = await rowsOf(stream);
    expect(second).not.toHaveProperty('outbox');
    expect(await new EmittedEvents(client, table).of(stream)).toEqual([emit.entry]);
  });

  test('stands beside state as a row of its own that the table keeps for longer than a dead letter about it', async () => {
    const partition = randomUUID();
    const event = sampleEvent(CounterMoved, {}, { id: 'event-1' });

    await commit(client, [
      { write: { Put: { TableName: table, Item: { pk: partition, sk: 'STATE', value: 1 } } } },
      outboxRow(table, partition, event, time),
    ]);

    const { detailType, source } = event;
    expect(await rowsOf(partition)).toEqual([
      {
        pk: partition,
        sk: 'OUTBOX#event-1',
        outbox: expect.objectContaining({ detailType, source, packed: expect.objectContaining({ dictionary: 1 }) }),
        ttl: inDays(30),
      },
      { pk: partition, sk: 'STATE', value: 1 },
    ]);
    const { metadata, data } = event.event;
    expect(await storedEvents(table)).toContainEqual({ detailType, metadata, data });
    expect(await store.load(partition)).toEqual({ events: [], version: 0 });
  });

  test('beside state is compressed when it is large, and refused when that does not help', async () => {
    const partition = randomUUID();
    const emit = (note: string) => sampleEvent(CounterMoved, { note }, { id: 'event-1' });

    await commit(client, [outboxRow(table, partition, emit('x'.repeat(900_000)), time)]);

    const [row] = await rowsOf(partition);
    expect(row?.outbox).toMatchObject({ detailType: 'CounterMoved.v1', detail: '' });
    expect(() => outboxRow(table, partition, emit(noise(600_000)), time)).toThrow(EventTooLargeError);
    expect(() => outboxRow(table, partition, emit('x'.repeat(2_000_000)), time)).toThrow(EventTooLargeError);
  });
});

describe('the items of events', () => {
  test('hold a small event as it is and a large one compressed', async () => {
    const stream = randomUUID();
    const note = 'mill lane '.repeat(2_000);

    await store.append(stream, 0, [noted('small'), noted(note)]);

    const [small, large] = await rowsOf(stream);
    expect(small?.event).toEqual({ type: 'Counted', by: 1, note: 'small' });
    expect(large).not.toHaveProperty('event');
    expect(large).toMatchObject({ packed: { zstd: expect.objectContaining({ byteLength: expect.any(Number) }) } });
    expect(JSON.stringify(large).length).toBeLessThan(note.length / 10);
    expect(await notes(store, stream)).toEqual(['small', note]);
  });

  test('of an order, with the event that tells of it, have less than the 1 KB of a write unit', async () => {
    const stream = `ORDER#${randomUUID()}`;
    const lines = Array.from({ length: 4 }, () => ({ sku: randomUUID(), quantity: 2, unitPrice: 1_999 }));
    const order = {
      orderId: randomUUID(),
      customer: { id: randomUUID(), name: 'Ada', email: 'ada@example.com' },
      lines,
    };
    const emit = sampleEvent(CounterMoved, { note: JSON.stringify(order) });

    await store.append(stream, 0, [noted(JSON.stringify(order), { emit })]);

    const [row] = await rowsOf(stream);
    expect(bytesOf(row)).toBeLessThan(1024);
    expect(await notes(store, stream)).toEqual([JSON.stringify(order)]);
    expect(await new EmittedEvents(client, table).of(stream)).toEqual([emit.entry]);
  });

  test('that were compressed with a dictionary of newer code are said to be unreadable', async () => {
    const stream = randomUUID();
    const packed = { zstd: new Uint8Array([1, 2, 3]), dictionary: 99 };
    await client.send(
      new PutCommand({ TableName: table, Item: { pk: stream, sk: 'EVENT#0000000001', version: 1, packed } }),
    );

    await expect(store.load(stream)).rejects.toMatchObject({
      code: 'PAYLOAD_CORRUPT',
      message: expect.stringContaining('dictionary 99, which this version of the code does not know'),
    });
  });

  test('of the first version of this library are read as ever', async () => {
    const stream = randomUUID();
    const event = { type: 'Counted', by: 1, note: 'x'.repeat(10_000) };
    const item = { id: 'event-1', event, time: '2025-01-01T00:00:00.000Z', version: 1, correlationId: 'correlation-1' };
    const outbox = sampleEvent(CounterMoved).entry;
    await client.send(
      new PutCommand({ TableName: table, Item: { pk: stream, sk: 'EVENT#0000000001', outbox, ...item } }),
    );

    expect(await store.load(stream)).toEqual({ events: [{ ...item, emitted: true }], version: 1 });
    const asOf = async (time: string) => {
      const versions: number[] = [];
      for await (const { version } of store.read(stream, { asOf: new Date(time) })) versions.push(version);
      return versions;
    };
    expect(await asOf('2024-12-31T23:59:59.999Z')).toEqual([]);
    expect(await asOf('2025-01-01T00:00:00.000Z')).toEqual([1]);
  });

  test('that cannot be decompressed are said to be corrupt', async () => {
    const stream = randomUUID();
    const Item = { pk: stream, sk: 'EVENT#0000000001', version: 1, packed: { zstd: new Uint8Array([1, 2, 3]) } };
    await client.send(new PutCommand({ TableName: table, Item }));

    await expect(store.load(stream)).rejects.toMatchObject({
      code: 'PAYLOAD_CORRUPT',
      message: `Event 1 of stream ${stream} cannot be read: its content cannot be decompressed`,
    });
  });
});

describe('an event that does not fit into an item', () => {
  const large = noise(700_000);

  function setUp() {
    const payloads = new InMemoryPayloadStore();
    return { payloads, store: new DynamoDbEventStore<Counted>(client, table, { payloads }), stream: randomUUID() };
  }

  test('is refused without a payload store, before anything is written', async () => {
    const stream = randomUUID();

    const error = await store.append(stream, 0, [counted(1), noted(large)]).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(EventTooLargeError);
    expect(error).toMatchObject({
      code: 'EVENT_TOO_LARGE',
      message: expect.stringMatching(`^Event 2 of stream ${stream} has a part of \\d+ bytes.*payload store$`),
    });
    expect(await rowsOf(stream)).toEqual([]);
  });

  test('goes to the payload store, under its stream and checksum, and comes back', async () => {
    const { store, payloads, stream } = setUp();

    await store.append(`NOTE#${stream}`, 0, [noted('small'), noted(large)]);

    expect([...payloads.objects.keys()]).toEqual([expect.stringMatching(`^NOTE=23${stream}/[0-9a-f]{64}$`)]);
    expect(await notes(store, `NOTE#${stream}`)).toEqual(['small', large]);
  });

  test('goes there with what is emitted, as far as needed', async () => {
    const { store, payloads, stream } = setUp();
    const emit = (note: string) => sampleEvent(CounterMoved, { note });

    await store.append(stream, 0, [
      noted(noise(300_000), { emit: emit(noise(350_000)) }),
      noted(large, { emit: emit(large) }),
    ]);

    const [first, second] = (await rowsOf(stream)) as { packed: object; outbox: { packed: object; detail: string } }[];
    expect(Object.keys(first?.packed ?? {})).toEqual(['zstd']);
    expect(Object.keys(first?.outbox.packed ?? {})).toEqual(['key']);
    expect(Object.keys(second?.packed ?? {})).toEqual(['key']);
    expect(Object.keys(second?.outbox.packed ?? {})).toEqual(['key']);
    expect(first?.outbox.detail).toBe('');
    expect(payloads.objects.size).toBe(3);
  });

  test('leaves room for the others of its transaction', async () => {
    const { store, payloads, stream } = setUp();
    const each = Array.from({ length: 99 }, () => noise(60_000));

    await store.append(
      stream,
      0,
      each.map((note) => noted(note)),
    );

    expect(payloads.objects.size).toBeGreaterThan(20);
    expect(payloads.objects.size).toBeLessThan(60);
    expect(await notes(store, stream)).toEqual(each);
  });

  test('is not appended when its content could not be kept', async () => {
    const { stream } = setUp();
    const payloads = new InMemoryPayloadStore();
    payloads.put = async () => {
      throw new Error('SlowDown');
    };

    await expect(
      new DynamoDbEventStore<Counted>(client, table, { payloads }).append(stream, 0, [noted(large)]),
    ).rejects.toThrow('SlowDown');

    expect(await rowsOf(stream)).toEqual([]);
  });

  test('leaves its content behind when the append fails, and uses it when it comes again', async () => {
    const { store, payloads, stream } = setUp();
    await store.append(stream, 0, [counted(1)]);

    await expect(store.append(stream, 0, [noted(large)])).rejects.toThrow(/no longer at version 0/);
    await store.append(stream, 1, [noted(large)]);

    expect(payloads.objects.size).toBe(1);
    expect(await notes(store, stream)).toEqual([undefined, large]);
  });

  test('names stream, version and key when its content cannot be had', async () => {
    const { store, payloads, stream } = setUp();
    await store.append(stream, 0, [noted(large)]);
    const [key = ''] = payloads.objects.keys();
    const refusal = async (reader: DynamoDbEventStore<Counted>) => {
      const error = await reader.load(stream).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnreadableEventError);
      return error as UnreadableEventError;
    };

    expect(await refusal(new DynamoDbEventStore<Counted>(client, table))).toMatchObject({
      code: 'PAYLOAD_STORE_MISSING',
    });
    payloads.objects.set(key, new Uint8Array([1]));
    expect(await refusal(store)).toMatchObject({ code: 'PAYLOAD_CORRUPT' });
    payloads.objects.delete(key);
    expect(await refusal(store)).toMatchObject({
      code: 'PAYLOAD_MISSING',
      message: `Event 1 of stream ${stream} cannot be read: the payload store has no object ${key}`,
    });
  });
});

describe('a snapshot', () => {
  test('takes the place of a row that is none', async () => {
    const stream = randomUUID();
    const snapshot = { stateVersion: 1, version: 5, body: 'state' };

    for (const version of [undefined, 'text', null]) {
      await client.send(new PutCommand({ TableName: table, Item: { pk: stream, sk: 'SNAPSHOT#1', version } }));
      await store.writeSnapshot(stream, snapshot);
      expect(await store.readSnapshot(stream, 1)).toEqual(snapshot);
    }
  });

  test('that does not fit into an item is refused', async () => {
    const snapshot = { stateVersion: 1, version: 5, body: noise(600_000) };

    await expect(store.writeSnapshot('stream', snapshot)).rejects.toThrow(/^The state of stream has \d+ bytes/);
  });
});

describe('the document client', () => {
  test('leaves out undefined fields', async () => {
    const key = { pk: randomUUID(), sk: 'ROW' };

    await client.send(new PutCommand({ TableName: table, Item: { ...key, kept: null, gone: undefined } }));

    expect((await client.send(new GetCommand({ TableName: table, Key: key }))).Item).toEqual({ ...key, kept: null });
  });
});
