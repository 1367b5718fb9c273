import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeMessageVisibilityCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineEvent, parseEnvelope } from '@millrace/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { exhausted } from '../../fixtures/dead-events.ts';
import { intercepted, type LocalSqs, type StoredMessage, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { eventDigest } from '../failure.ts';
import { exportDeadLetters } from './export-dead-letters.ts';
import { importDeadLetters } from './import-dead-letters.ts';
import { park } from './park.ts';
import { purge } from './purge.ts';
import { replacementId, replacementOf } from './replacement-event.ts';
import { StageQueues } from './stage-queues.ts';

const OrderPlaced = defineEvent({
  name: 'OrderPlaced',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'Test.',
  data: z.object({ orderId: z.string(), total: z.int().positive() }),
  example: { orderId: 'order-1', total: 1290 },
});
const contracts = new Map([[OrderPlaced.detailType, OrderPlaced]]);
const parking = 'millrace-re-emitter-dev-parking';

let sqs: LocalSqs;
const folder = mkdtempSync(join(tmpdir(), 'millrace-letters-'));
const file = join(folder, 'letters.ndjson');
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createQueue(parking);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await sqs.stop();
});

const load = () => StageQueues.load(sqs.client, 'dev');
const everything = () => ({ select: () => true, startedAt: new Date() });

let consumers = 0;
/** A consumer's dead-letter queue with events called `event-0` and on. */
async function deadEvents(count: number): Promise<string> {
  consumers += 1;
  const { deadLetterQueue } = await sqs.createConsumerQueues(`millrace-test-dev-consumer-${consumers}`);
  for (let index = 0; index < count; index += 1) {
    const context = { id: `event-${index}`, correlationId: `correlation-${index}` };
    const body = envelopeText(sampleEvent(OrderPlaced, {}, context));
    await sqs.send(deadLetterQueue, [{ body, attributes: { ...exhausted, EventDigest: eventDigest(body) } }]);
  }
  return deadLetterQueue;
}

interface Line {
  messageId: string;
  queue: string;
  eventId: string;
  event: { detail: { metadata: Record<string, unknown>; data: Record<string, unknown> } };
  body?: string;
}

async function exported(queue: string): Promise<Line[]> {
  const queues = await load();
  await exportDeadLetters(sqs.client, queues.find(queue), file, everything());
  return readLines();
}

const readLines = (): Line[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const written = (lines: readonly unknown[]): string => lines.map((line) => JSON.stringify(line)).join('\n');
const importText = async (
  text: string,
  client = sqs.client as Parameters<typeof importDeadLetters>[0],
  dryRun = false,
) => importDeadLetters(client, await load(), text, contracts, { startedAt: new Date(), dryRun });

async function contents(queue: string): Promise<StoredMessage[]> {
  const { ready, held } = await sqs.contents(queue);
  expect(held).toEqual([]);
  return ready;
}

async function emptyParking(): Promise<StoredMessage[]> {
  const parked = await contents(parking);
  const queues = await load();
  await purge({ ...everything(), sqs: sqs.client, queues, queue: queues.parkingQueue });
  return parked;
}

describe('export', () => {
  test('writes one line a letter, with the event as it is, for the owner alone, and leaves the letters there', async () => {
    const queue = await deadEvents(12);
    const lines = await exported(queue);
    const [first] = lines;
    const stored = (await contents(queue)).find(({ messageId }) => messageId === first?.messageId);
    expect(lines.map(({ eventId }) => eventId)).toEqual(Array.from({ length: 12 }, (_, index) => `event-${index}`));
    expect(first).toEqual({
      messageId: expect.any(String),
      queue,
      eventId: 'event-0',
      type: 'OrderPlaced.v1',
      sentAt: expect.stringMatching(/Z$/),
      reason: expect.objectContaining({ code: 'STOCK_TABLE_GONE' }),
      attributes: expect.objectContaining({ ErrorCode: 'STOCK_TABLE_GONE' }),
      event: JSON.parse(stored?.body ?? ''),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await contents(queue)).toHaveLength(12);
  });

  test('keeps what parsing would change, and what is no event', async () => {
    const { deadLetterQueue } = await sqs.createConsumerQueues('millrace-test-dev-odd');
    await sqs.send(deadLetterQueue, [{ body: '{\n  "n": 12345678901234567890\n}' }, { body: '{"half": ' }]);
    await exported(deadLetterQueue);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('"event":{   "n": 12345678901234567890 }}\n');
    expect(text).toContain('"body":"{\\"half\\": "}\n');
  });

  test('that is interrupted leaves no file', async () => {
    const queue = await deadEvents(2);
    rmSync(file, { force: true });
    const queues = await load();
    const options = { ...everything(), signal: AbortSignal.abort() };
    await expect(exportDeadLetters(sqs.client, queues.find(queue), file, options)).rejects.toThrow('aborted');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('import', () => {
  test('refuses an event that consumers refuse as too old, and takes it when its timestamp was set to the present', async () => {
    const queue = await deadEvents(1);
    const [line] = (await exported(queue)) as [Line];
    const { metadata, data } = line.event.detail;
    data.total = 1;
    metadata.timestamp = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000).toISOString();
    expect(await importText(written([line]))).toMatchObject({
      imported: [],
      problems: [
        { line: 1, path: 'event.detail.metadata.timestamp', message: expect.stringContaining('EVENT_TOO_OLD') },
      ],
    });

    metadata.timestamp = new Date().toISOString();
    expect(await importText(written([line]))).toMatchObject({ imported: [{ line: 1, queue }], problems: [] });
    await emptyParking();
  });

  test('makes an edited event a new one, and parks the old one', async () => {
    const queue = await deadEvents(3);
    const lines = await exported(queue);
    const [, edited] = lines;
    if (!edited) throw new Error('no line');
    edited.event.detail.data.total = 990;
    edited.event.detail.metadata.id = 'what somebody wrote by hand';
    const summary = await importText(written(lines));

    const newId = replacementId('event-1', edited.event);
    expect(newId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(summary).toEqual({
      unchanged: 2,
      alreadyImported: 0,
      imported: [{ line: 2, oldId: 'event-1', newId, queue }],
      problems: [],
      gone: [],
      failed: [],
    });
    const letters = await contents(queue);
    const replacement = letters.find(({ body }) => body.includes(newId));
    const event = OrderPlaced.parse(parseEnvelope(replacement?.body ?? ''));
    expect(event).toMatchObject({
      metadata: { id: newId, causationId: 'event-1', correlationId: 'correlation-1' },
      data: { orderId: 'order-1', total: 990 },
    });
    expect(replacement?.messageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'EVENT_MENDED' },
      ErrorMessage: { StringValue: expect.stringContaining('copy of event-1, which died of STOCK_TABLE_GONE') },
      FailureKind: { StringValue: 'mended' },
      EventDigest: { StringValue: eventDigest(replacement?.body ?? '') },
    });
    expect(letters).toHaveLength(3);
    const [old, ...others] = await emptyParking();
    expect(others).toEqual([]);
    expect(JSON.parse(old?.body ?? '').detail.metadata.id).toBe('event-1');
    expect(old?.messageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'EVENT_REPLACED' },
      ErrorMessage: { StringValue: expect.stringContaining(newId) },
      ParkedFrom: { StringValue: queue },
    });
  });

  test('run again makes no second event, wherever the first run died', async () => {
    const queue = await deadEvents(1);
    const [line] = await exported(queue);
    if (!line) throw new Error('no line');
    line.event.detail.data.total = 1;
    const newId = replacementId('event-0', line.event);
    let deadAt = '';
    const dying = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      const parks = name === 'SendMessageBatchCommand' && JSON.stringify(input).includes('parking');
      if (deadAt === 'park' && parks) throw new Error('killed');
      if (deadAt === 'delete' && name === 'DeleteMessageBatchCommand') throw new Error('killed');
      return proceed();
    });
    for (deadAt of ['park', 'delete']) {
      const summary = await importText(written([line]), dying);
      expect(summary).toMatchObject({ imported: [], failed: [{ line: 1 }] });
      const ids = (await contents(queue)).map(({ body }) => JSON.parse(body).detail.metadata.id);
      expect(ids.sort()).toEqual([newId, 'event-0'].sort());
    }
    expect(await importText(written([line]))).toMatchObject({ imported: [{ newId }], failed: [] });
    expect((await contents(queue)).map(({ body }) => JSON.parse(body).detail.metadata.id)).toEqual([newId]);
    expect(await importText(written([line]))).toMatchObject({ imported: [], alreadyImported: 1, gone: [] });
    await emptyParking();
  });

  test('does not take a line for imported while somebody holds the letters', async () => {
    const queue = await deadEvents(1);
    const [line] = await exported(queue);
    if (!line) throw new Error('Nothing was exported');
    line.event.detail.data.total = 2000;
    const dead = intercepted(sqs.client, async ({ constructor: { name } }, proceed) => {
      if (name === 'DeleteMessageBatchCommand') throw new Error('killed');
      return proceed();
    });
    await importText(written([line]), dead);
    await emptyParking();
    // The new event is there, and the old letter still hidden.
    const queues = await load();
    const { url } = queues.find(queue);
    const { Messages = [] } = await sqs.client.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }),
    );
    for (const { MessageId, ReceiptHandle } of Messages) {
      if (MessageId === line.messageId) continue;
      await sqs.client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }));
    }

    const again = await importText(written([line]));

    expect(again).toMatchObject({ alreadyImported: 0, imported: [], failed: [{ line: 1 }] });
  });

  test('the new event is no part of a replay, even if the old one was', async () => {
    const { body } = replacementOf({ 'replay-name': 'r', source: 's', detail: {} }, { id: 'event-1' });
    expect(JSON.parse(body)).not.toHaveProperty('replay-name');
  });

  test('an editor that orders and spaces the members differently changes nothing', async () => {
    const queue = await deadEvents(1);
    const [line] = await exported(queue);
    if (!line) throw new Error('no line');
    const { detail, ...rest } = line.event;
    const reordered = { detail: { data: detail.data, metadata: detail.metadata }, ...rest };
    expect(replacementId('event-0', reordered)).toBe(replacementId('event-0', line.event));
    expect(await importText(written([{ ...line, event: reordered }]))).toMatchObject({ unchanged: 1, imported: [] });
  });

  test('imports nothing while any line is bad, and names line and path', async () => {
    const queue = await deadEvents(4);
    const lines = await exported(queue);
    const [good, negative, unknown, stranger] = lines;
    if (!good || !negative || !unknown || !stranger) throw new Error('no lines');
    good.event.detail.data.total = 5;
    negative.event.detail.data.total = -5;
    Object.assign(unknown.event, { 'detail-type': 'OrderPlaced.v9' });
    Object.assign(stranger.event, { source: 'millrace.payments' });
    const text = `${written(lines)}\n{"half":\n\n${JSON.stringify({ messageId: 'x', queue: 'other', event: {} })}`;
    const summary = await importText(text);
    expect(summary.imported).toEqual([]);
    expect(summary.problems).toEqual([
      { line: 5, path: '', message: expect.stringContaining('not JSON') },
      { line: 7, path: 'queue', message: expect.stringContaining('no dead-letter queue other') },
      { line: 2, path: 'event.detail.data.total', message: expect.any(String) },
      { line: 3, path: 'event.detail-type', message: 'no contract defines OrderPlaced.v9' },
      { line: 4, path: 'event', message: expect.stringContaining('millrace.payments') },
    ]);
    expect(await contents(queue)).toHaveLength(4);
    expect(await contents(parking)).toEqual([]);
  });

  test.each([
    ['a relay’s', '{"DDBStreamBatchInfo":{"startSequenceNumber":"1","endSequenceNumber":"2"}}'],
    ['an execution’s', '{"executionArn":"arn:aws:states:us-east-1:000000000000:execution:shop:1","status":"FAILED"}'],
  ])('refuses %s letter, which holds no event, for this reason alone', async (_, body) => {
    const queue = await deadEvents(1);
    await sqs.send(queue, [{ body }]);
    const lines = await exported(queue);
    const line = lines.find(({ eventId }) => eventId === undefined);
    const event = lines.find(({ eventId }) => eventId !== undefined)?.event;

    if (event) event.detail.data.total = -5;

    const { problems } = await importText(written([{ ...line, body: undefined, event }]));

    expect(problems).toEqual([{ line: 1, path: 'queue', message: expect.stringContaining('holds no event') }]);
  });

  test('as a dry run says what it would do, and does nothing', async () => {
    const queue = await deadEvents(1);
    const [line] = await exported(queue);
    if (!line) throw new Error('no line');
    line.event.detail.data.total = 5;
    const before = (await contents(queue)).map(({ body }) => body);
    expect(await importText(written([line]), sqs.client, true)).toMatchObject({ imported: [{ line: 1 }] });
    expect((await contents(queue)).map(({ body }) => body)).toEqual(before);
  });

  test('a line whose message is gone is reported, and the others are imported', async () => {
    const queue = await deadEvents(2);
    const lines = await exported(queue);
    for (const line of lines) line.event.detail.data.total = 5;
    Object.assign(lines[0] ?? {}, { messageId: 'gone' });
    const summary = await importText(written(lines));
    expect(summary.gone).toEqual([{ line: 1, path: 'messageId', message: expect.stringContaining('not in') }]);
    expect(summary.imported).toHaveLength(1);
    await emptyParking();
  });

  test('a parked body that was no event becomes one, in the queue it was parked from', async () => {
    const queue = await deadEvents(0);
    await sqs.send(queue, [{ body: '{"half": ', attributes: exhausted }]);
    const queues = await load();
    await park({ ...everything(), sqs: sqs.client, queues, queue: queues.find(queue) });
    const [line] = await exported(parking);
    if (!line) throw new Error('no line');
    expect(await importText(written([line]))).toMatchObject({ unchanged: 1 });
    const { body: _, ...repaired } = line;
    const event = JSON.parse(
      envelopeText(sampleEvent(OrderPlaced, {}, { id: 'written by hand', correlationId: 'c-1' })),
    );
    const summary = await importText(written([{ ...repaired, event }]));
    expect(summary).toMatchObject({ imported: [{ oldId: line.messageId, queue }], problems: [] });
    const [letter] = await contents(queue);
    expect(JSON.parse(letter?.body ?? '').detail.metadata).toMatchObject({
      id: summary.imported[0]?.newId,
      causationId: line.messageId,
      correlationId: 'c-1',
    });
    expect(letter?.messageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'EVENT_MENDED' },
      ErrorMessage: { StringValue: expect.stringContaining('which died of STOCK_TABLE_GONE') },
    });
    const [old] = await emptyParking();
    expect(old?.messageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'EVENT_REPLACED' },
      ParkedFrom: { StringValue: queue },
    });
  });
});
