import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient, GetCommand, PutCommand } from '@millrace/aws';

import { decompress } from '@millrace/event-store';
import { type EventContext, parseEnvelope } from '@millrace/events';
import { OrderCancelled, OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { createLogTable } from '../fixtures/test-table.ts';
import { EventLog } from './event-log.ts';
import { findLineage, type LineageLimits } from './find-lineage.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const retention = { retentionDays: 10, now: () => NOW };

let dynamoDb: TestDynamoDb;
let tableName: string;
let log: EventLog;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());
beforeEach(async () => {
  tableName = `log-${randomUUID()}`;
  await createLogTable(dynamoDb.client, tableName);
  log = new EventLog(documentClient(), tableName);
});

const parsed = (
  context: Partial<EventContext> = {},
  contract: typeof OrderPlaced | typeof OrderCancelled = OrderPlaced,
) =>
  contract.parse(
    parseEnvelope(envelopeText(sampleEvent(contract as typeof OrderPlaced, {}, { time: NOW, ...context }))),
  );

/** Writes events down, one for each context. */
async function record(...contexts: Partial<EventContext>[]): Promise<void> {
  for (const context of contexts) expect(await log.record(parsed(context), retention)).toBe('recorded');
}

const at = (time: string) => ({ id: time, time: new Date(time) });
const rawItem = async (id: string) =>
  (await documentClient().send(new GetCommand({ TableName: tableName, Key: { id } }))).Item;

describe('an event of the log', () => {
  test('is kept with its metadata, and without what is personal or what its contract does not know', async () => {
    const event = parsed({ id: 'e-1', subject: 'o-1', correlationId: 'c-1', causationId: 'e-0' });
    Object.assign(event.metadata, { customer: 'Ada Example' });

    await log.record(event, retention);

    const { customer: _, ...metadata } = event.metadata as Record<string, unknown>;
    expect(await log.find('e-1')).toEqual({
      ...{ id: 'e-1', source: 'millrace.orders', detailType: 'OrderPlaced.v1', service: 'orders' },
      ...{ subject: 'o-1', correlationId: 'c-1', causationId: 'e-0' },
      ...{ time: '2026-03-01T12:00:00.000Z', receivedAt: '2026-03-01T12:00:00.000Z' },
      metadata,
      data: {
        orderId: OrderPlaced.example.orderId,
        customer: { id: 'customer-1' },
        shippingAddress: {},
        lines: OrderPlaced.example.lines,
        total: OrderPlaced.example.total,
        deadline: OrderPlaced.example.deadline,
      },
    });
    const { content, ...item } = (await rawItem('e-1')) ?? {};
    const kept = `${JSON.stringify(item)} ${decompress({ zstd: content, dictionary: item.dictionary }, 'The event')}`;
    expect(kept).toContain(OrderPlaced.example.orderId);
    expect(kept).not.toMatch(/Ada|@example|Berlin|tok_/);
  });

  test('takes one write unit, with ids as they are in use', async () => {
    const id = randomUUID();
    const [subject, correlationId, causationId] = [randomUUID(), randomUUID(), randomUUID()];
    const traceparent = `00-${randomUUID().replaceAll('-', '')}-0123456789abcdef-01`;
    await record({ id, subject, correlationId, causationId, traceparent });

    const { content, ...item } = (await rawItem(id)) ?? {};
    // With quotes and commas, which DynamoDB does not count.
    expect(Buffer.byteLength(JSON.stringify(item)) + content.byteLength).toBeLessThan(900);
  });

  test('can be read as it was kept before it was compressed, and before there was a dictionary', async () => {
    await record({ id: 'e-1' });
    const { content: _, dictionary: __, ...item } = (await rawItem('e-1')) ?? {};
    const kept = { metadata: { sequence: 3 }, data: { orderId: 'o-1' } };
    const plain = { metadata: JSON.stringify(kept.metadata), data: JSON.stringify(kept.data) };
    const forms = [plain, { content: zstdCompressSync(JSON.stringify(kept)) }];

    for (const [index, form] of forms.entries()) {
      const id = `e-0-${index}`;
      await documentClient().send(new PutCommand({ TableName: tableName, Item: { ...item, id, ...form } }));
      expect(await log.find(id)).toMatchObject({ id, ...kept });
    }
  });

  test('never changes', async () => {
    await record({ id: 'e-1', subject: 'first' });

    expect(await log.record(parsed({ id: 'e-1', subject: 'second' }), retention)).toBe('known');
    expect((await log.find('e-1'))?.subject).toBe('first');
  });

  test('is kept for some days after it happened, or for as long as it says', async () => {
    const day = 24 * 60 * 60;
    const until = Math.floor(NOW.getTime() / 1000) + 5 * day;
    const outspoken = parsed({ id: 'e-2' });
    outspoken.metadata.ttl = until;
    await record({ id: 'e-1', time: new Date('2026-02-28T12:00:00Z') });
    await log.record(outspoken, retention);

    expect([(await rawItem('e-1'))?.ttl, (await rawItem('e-2'))?.ttl]).toEqual([until + 4 * day, until]);
  });

  test('is not written down when its time is over', async () => {
    const event = parsed({ id: 'e-1', time: new Date('2026-02-19T12:00:00Z') });

    expect(await log.record(event, retention)).toBe('expired');
    expect(await log.find('e-1')).toBeUndefined();
  });

  test('that no table can hold is refused for good', async () => {
    const event = parsed({ id: 'e-1', subject: 's'.repeat(420_000) });

    await expect(log.record(event, retention)).rejects.toMatchObject({ code: 'EVENT_NOT_STORABLE' });
  });

  test('that was not parsed is refused, because its personal data is not known', async () => {
    await expect(log.record({ ...parsed() }, retention)).rejects.toThrow(
      'OrderPlaced.v1 was not parsed by its contract',
    );
  });
});

describe('many events at once', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => parsed({ id: `e-${index}` }));
  /** A log whose requests are counted. */
  function counted() {
    const operations: string[] = [];
    const client = documentClient();
    const send: typeof client.send = (command) => {
      operations.push(command.operation);
      return client.send(command);
    };
    return { operations, log: new EventLog({ send }, tableName) };
  }

  test('are written with one request for 25 of them, and one that comes alone with a plain one', async () => {
    const { log, operations } = counted();

    expect(await log.recordAll(many(51), retention)).toEqual(Array(51).fill('recorded'));
    expect(operations).toEqual(['TransactWriteItems', 'TransactWriteItems', 'PutItem']);
    expect(await log.known(many(51).map(({ metadata }) => metadata.id))).toHaveProperty('size', 51);
  });

  test('leave what is there as it is, and say so', async () => {
    await record({ id: 'e-0', subject: 'first' }, { id: 'e-2', subject: 'first' });
    const { log, operations } = counted();

    expect(await log.recordAll(many(4), retention)).toEqual(['known', 'recorded', 'known', 'recorded']);
    expect(operations).toEqual(['TransactWriteItems', 'TransactWriteItems']);
    expect((await log.find('e-2'))?.subject).toBe('first');
    expect(await log.recordAll(many(4), retention)).toEqual(Array(4).fill('known'));
  });

  test('of one id are one event: the first', async () => {
    const forged = parsed({ id: 'e-0', subject: 'forged' });

    expect(await log.recordAll([parsed({ id: 'e-0', subject: 'first' }), forged, ...many(2)], retention)).toEqual([
      'recorded',
      'known',
      'known',
      'recorded',
    ]);
    expect((await log.find('e-0'))?.subject).toBe('first');
  });

  test('do not wait for one that no table can hold, that is not parsed, or whose time is over', async () => {
    const large = parsed({ id: 'large', subject: 's'.repeat(420_000) });
    const raw = { ...parsed({ id: 'raw' }) };
    const old = parsed({ id: 'old', time: new Date('2026-02-19T12:00:00Z') });

    const outcomes = await log.recordAll([large, ...many(3), raw, old], retention);

    expect(outcomes).toMatchObject([
      { code: 'EVENT_NOT_STORABLE' },
      ...['recorded', 'recorded', 'recorded'],
      { message: expect.stringContaining('was not parsed by its contract') },
      'expired',
    ]);
  });

  test('fail together while the store is busy', async () => {
    const busy = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const throttled = new EventLog({ send: () => Promise.reject(busy) }, tableName);
    expect(await throttled.recordAll(many(3), retention)).toEqual([busy, busy, busy]);
  });
});

describe('the count of events between two times', () => {
  const from = new Date('2026-02-28T12:00:00Z');
  const to = new Date('2026-03-01T12:00:00Z');

  test('is by type, over midnight, without the end', async () => {
    await record(at('2026-02-28T11:59:59.999Z'), at('2026-02-28T12:00:00Z'), at('2026-03-01T11:59:59.999Z'));
    await record(at('2026-03-01T12:00:00Z'));
    await log.record(parsed(at('2026-03-01T00:00:00Z'), OrderCancelled), retention);

    const { counts, truncated } = await log.countByType({ from, to }, 10);

    expect(Object.fromEntries(counts)).toEqual({ 'OrderPlaced.v1': 2, 'OrderCancelled.v1': 1 });
    expect(truncated).toBe(false);
  });

  test('ends at its limit', async () => {
    await record(at('2026-02-28T13:00:00Z'), at('2026-03-01T01:00:00Z'));
    expect(await log.countByType({ from, to }, 1)).toEqual({
      counts: new Map([['OrderPlaced.v1', 1]]),
      truncated: true,
    });
  });
});

describe('events between two times', () => {
  const all = { from: new Date('2026-02-27T00:00:00Z'), to: new Date('2026-03-02T00:00:00Z') };
  const ids = async (range: Parameters<EventLog['between']>[0]) =>
    (await log.between(range)).events.map(({ id }) => id);

  test('come in the order of time, over the ends of days; the first moment is in, the last one is not', async () => {
    const times = ['2026-02-28T23:59:59.999Z', '2026-03-01T00:00:00.000Z', '2026-02-27T12:00:00.000Z'];
    await record(...times.map(at));

    expect(await ids(all)).toEqual([times[2], times[0], times[1]]);
    expect(await ids({ from: new Date('2026-02-28T23:59:59.999Z'), to: new Date('2026-03-01T00:00:00Z') })).toEqual([
      times[0],
    ]);
  });

  test('may be of one type', async () => {
    await record({ id: 'placed' });
    await log.record(parsed({ id: 'cancelled' }, OrderCancelled), retention);

    expect(await ids({ ...all, type: 'OrderCancelled.v1' })).toEqual(['cancelled']);
  });

  test('come in pages without a gap, whatever is written meanwhile', async () => {
    const expected: string[] = [];
    for (let index = 0; index < 130; index += 1) {
      const id = `e-${String(index).padStart(3, '0')}`;
      expected.push(id);
      await record({ id, time: new Date(Date.UTC(2026, 1, index < 70 ? 27 : 28)) });
    }

    const first = await log.between(all);
    await dynamoDb.client.send(new DeleteItemCommand({ TableName: tableName, Key: { id: { S: 'e-099' } } }));
    const second = await log.between({ ...all, after: first.next });

    expect([...first.events, ...second.events].map(({ id }) => id)).toEqual(expected);
    expect([first.events.length, second.next]).toEqual([100, undefined]);
  });
});

describe('the lineage of an id', () => {
  const order = { subject: 'o-1' };
  beforeEach(async () => {
    await record(
      { ...order, id: 'a', correlationId: 'call-1' },
      { ...order, id: 'b', correlationId: 'call-1', causationId: 'a', time: new Date('2026-03-01T12:00:01Z') },
      { ...order, id: 'd', correlationId: 'call-2', time: new Date('2026-03-01T11:00:00Z') },
      { id: 'x', subject: 'o-2', correlationId: 'call-3' },
    );
  });

  const lineageOf = (id: string, limits: Partial<LineageLimits> = {}) => findLineage(log, id, limits);
  const call1 = { correlationId: 'call-1', events: [{ id: 'a', events: [{ id: 'b', delayMs: 1000, events: [] }] }] };

  test.each(['a', 'b', 'call-1'])('that is an event or a correlation is one tree: %s', async (id) => {
    expect(await lineageOf(id)).toMatchObject({ id, count: 2, truncated: false, trees: [call1] });
  });

  test('that is a subject is a tree for each API call, in the order of time', async () => {
    expect(await lineageOf('o-1')).toMatchObject({ count: 3, trees: [{ correlationId: 'call-2' }, call1] });
  });

  test('that is a subject is never mixed with the call that has it for a correlation id', async () => {
    // As long as callers chose correlation ids, one could name another customer's order.
    await record({ id: 'y', subject: 'o-3', correlationId: 'o-1', time: new Date('2026-03-01T10:00:00Z') });

    expect((await lineageOf('o-1'))?.trees.map(({ correlationId }) => correlationId)).toEqual(['call-2', 'call-1']);
  });

  test('that is a subject keeps each of its trees, however large the others are', async () => {
    const crowd = Array.from({ length: 5 }, (_, index) => ({
      ...order,
      id: `crowd-${index}`,
      correlationId: 'call-0',
    }));
    await record(...crowd.map((each, index) => ({ ...each, time: new Date(Date.UTC(2026, 2, 1, 10, index)) })));

    expect(await lineageOf('o-1', { eventsPerTree: 2 })).toMatchObject({
      truncated: true,
      trees: [{ correlationId: 'call-0', truncated: true }, { correlationId: 'call-2' }, call1],
    });
  });

  test('of which there is too much is cut, and says so', async () => {
    expect(await lineageOf('call-1', { eventsPerTree: 1 })).toMatchObject({
      ...{ count: 1, truncated: true },
      trees: [{ truncated: true }],
    });
    expect(await lineageOf('o-1', { trees: 1 })).toMatchObject({ count: 1, truncated: true });
    expect(await lineageOf('b', { eventsPerTree: 1 })).toMatchObject({ truncated: true, trees: [call1] });
  });

  test('that is not in the log is undefined', async () => {
    expect(await lineageOf('nobody')).toBeUndefined();
  });
});
