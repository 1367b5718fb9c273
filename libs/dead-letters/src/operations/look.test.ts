import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { RecordingClient } from '@millrace/testing';
import { eventBody, exhausted } from '../../fixtures/dead-events.ts';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { Look } from './look.ts';
import { type StageQueue, StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
beforeAll(async () => {
  sqs = await startLocalSqs();
});
afterAll(() => sqs.stop());
afterEach(() => {
  jest.useRealTimers();
});

async function see(look: Look): Promise<DeadLetter[]> {
  const seen: DeadLetter[] = [];
  for (let letters = await look.next(); letters; letters = await look.next()) seen.push(...letters);
  return seen;
}

async function filledQueue(name: string, count: number, fifo = false): Promise<StageQueue> {
  const { deadLetterQueue } = await sqs.createConsumerQueues(`millrace-look-dev-${name}`, fifo);
  const letters = Array.from({ length: count }, (_, index) => ({
    body: eventBody(`${name}-${index}`),
    attributes: exhausted,
    ...(fifo && { group: `group-${index % 2}` }),
  }));
  await sqs.send(deadLetterQueue, letters);
  return (await StageQueues.load(sqs.client, 'dev')).find(deadLetterQueue);
}

describe('a look', () => {
  test('sees every letter once, and gives all of them back', async () => {
    const queue = await filledQueue('all', 25);
    const look = new Look(sqs.client, queue, { startedAt: new Date() });
    const seen = await see(look);
    expect(new Set(seen.map(({ event }) => event?.id)).size).toBe(25);
    expect((await sqs.contents(queue.name)).held).toHaveLength(25);
    await look.close();

    const { ready, held } = await sqs.contents(queue.name);
    expect(held).toEqual([]);
    expect(ready.map(({ approximateReceiveCount }) => approximateReceiveCount)).toEqual(Array(25).fill(1));
  });

  test('does not hand out what was sent after its start, and does not go on for ever because of it', async () => {
    const queue = await filledQueue('arriving', 12);
    const startedAt = new Date();
    const look = new Look(sqs.client, queue, { startedAt });
    const first = await look.next();
    while (Date.now() <= startedAt.getTime()) await new Promise(setImmediate);
    await sqs.send(
      queue.name,
      Array.from({ length: 15 }, (_, index) => ({ body: eventBody(`late-${index}`) })),
    );
    const seen = [...(first ?? []), ...(await see(look))];
    await look.close();
    expect(seen).toHaveLength(12);
    expect(seen.some(({ event }) => event?.id.startsWith('late'))).toBe(false);
    expect((await sqs.contents(queue.name)).ready).toHaveLength(27);
  });

  test('ends when its signal is aborted', async () => {
    const queue = await filledQueue('aborted', 15);
    const controller = new AbortController();
    const look = new Look(sqs.client, queue, { startedAt: new Date(), signal: controller.signal });
    expect(await look.next()).toHaveLength(10);
    controller.abort();
    expect(await look.next()).toBeUndefined();
    await look.close();
    expect((await sqs.contents(queue.name)).held).toEqual([]);
  });

  test('sees up to ten letters of each message group of a FIFO queue, and the next when those are deleted', async () => {
    const queue = await filledQueue('ordered', 24, true);
    const look = new Look(sqs.client, queue, { startedAt: new Date() });
    const ids = async (): Promise<unknown[]> => ((await look.next()) ?? []).map(({ event }) => event?.id);
    const inGroup = (group: number, count: number, from = 0): string[] =>
      Array.from({ length: count }, (_, index) => `ordered-${(from + index) * 2 + group}`);
    expect(await ids()).toEqual(inGroup(0, 10));
    expect(await ids()).toEqual(inGroup(1, 10));
    expect(await ids()).toEqual([]);
    await look.close();

    const second = new Look(sqs.client, queue, { startedAt: new Date() });
    const letters = (await second.next()) ?? [];
    const group = Number(letters[0]?.messageGroupId?.at(-1));
    expect(letters.map(({ event }) => event?.id)).toEqual(inGroup(group, 10));
    await second.delete(letters);
    const next = ((await second.next()) ?? []).map(({ event }) => event?.id);
    expect(next).toEqual(expect.arrayContaining(inGroup(group, 2, 10)));
    await second.close();
    const { ready } = await sqs.contents(queue.name);
    expect(ready.map(({ body }) => JSON.parse(body).detail.metadata.id)).toEqual(
      expect.arrayContaining([...inGroup(group, 2, 10), ...inGroup(1 - group, 12)]),
    );
    expect(ready).toHaveLength(14);
  });
});

describe('a look at an SQS that misbehaves', () => {
  const queue: StageQueue = {
    name: 'millrace-look-dev-fake-dlq',
    url: 'https://sqs/fake',
    arn: 'arn:aws:sqs:us-east-1:1:fake',
    fifo: false,
    visible: 2,
    inFlight: 0,
    delayed: 0,
  };
  const message = (MessageId: string, ReceiptHandle: string) => ({
    MessageId,
    ReceiptHandle,
    Body: eventBody(MessageId),
    Attributes: { SentTimestamp: '0', ApproximateReceiveCount: '1' },
  });

  /** Answers receives with these, one after the other, and takes every other batch. */
  function client(receives: object[][]): RecordingClient {
    return new RecordingClient((name, input) => {
      if (name === 'ReceiveMessageCommand') return { Messages: receives.shift() };
      const { Entries = [] } = input as { Entries?: { Id: string }[] };
      return { Successful: Entries.map(({ Id }) => ({ Id })) };
    });
  }

  test('a letter received twice is handed out once, and deleted with its newest receipt', async () => {
    const fake = client([[message('a', 'first')], [message('a', 'second'), message('b', 'only')]]);
    const look = new Look(fake, queue, { startedAt: new Date() });
    const seen = await see(look);
    expect(seen.map(({ messageId }) => messageId)).toEqual(['a', 'b']);
    await look.delete(seen);
    expect(fake.inputs<{ Entries: { ReceiptHandle: string }[] }>('DeleteMessageBatchCommand')[0]?.Entries).toEqual([
      { Id: '0', ReceiptHandle: 'second' },
      { Id: '1', ReceiptHandle: 'only' },
    ]);
    await look.close();
  });

  test('a letter that comes back though it was deleted is deleted again', async () => {
    const fake = client([[message('a', 'first')], [message('a', 'second')], [message('b', 'only')]]);
    const look = new Look(fake, queue, { startedAt: new Date() });
    await look.delete((await look.next()) ?? []);
    expect((await see(look)).map(({ messageId }) => messageId)).toEqual(['b']);
    expect(fake.inputs<{ Entries: object[] }>('DeleteMessageBatchCommand').map(({ Entries }) => Entries)).toEqual([
      [{ Id: '0', ReceiptHandle: 'first' }],
      [{ Id: '0', ReceiptHandle: 'second' }],
    ]);
    await look.close();
  });

  test('hides letters for 30 s, and longer only while it lasts', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const fake = client([[message('a', 'first')]]);
    const look = new Look(fake, queue, { startedAt: new Date() });
    const [letter] = (await look.next()) ?? [];
    if (!letter) throw new Error('no letter');
    const changes = () =>
      fake
        .inputs<{ Entries: { VisibilityTimeout: number }[] }>('ChangeMessageVisibilityBatchCommand')
        .map(({ Entries }) => Entries.map(({ VisibilityTimeout }) => VisibilityTimeout));
    expect(fake.inputs('ReceiveMessageCommand')[0]).toMatchObject({ VisibilityTimeout: 30 });

    await jest.advanceTimersByTimeAsync(45_000);
    expect(changes().every(([seconds]) => seconds === 30)).toBe(true);
    expect(changes().length).toBeGreaterThanOrEqual(3);
    expect(look.holds(letter)).toBe(true);

    await look.close();
    expect(changes().at(-1)).toEqual([0]);
    const { length } = changes();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(changes()).toHaveLength(length);
  });

  test('a letter whose visibility could not be extended is not held any more', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const fake = new RecordingClient((name) => {
      if (name === 'ReceiveMessageCommand') return { Messages: [message('a', 'first')] };
      throw new Error('throttled');
    });
    const look = new Look(fake, queue, { startedAt: new Date() });
    const [letter] = (await look.next()) ?? [];
    if (!letter) throw new Error('no letter');
    await jest.advanceTimersByTimeAsync(25_000);
    expect(look.holds(letter)).toBe(true);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(look.holds(letter)).toBe(false);
    await look.close();
  });
});
