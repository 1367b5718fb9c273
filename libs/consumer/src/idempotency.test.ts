import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { defineEvent, type EmittableEvent } from '@millrace/events';
import { envelopeText, lambdaContext, RecordingClient, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import { idempotencyMarks } from './idempotency.ts';
import { consume } from './index.ts';

const Thanked = defineEvent({
  name: 'Thanked',
  version: 1,
  service: 'letters',
  category: 'domain',
  type: 'data',
  summary: 'Someone is to be thanked by mail.',
  data: z.object({ whom: z.string() }),
  example: { whom: 'ada' },
});

const table = 'idempotency';
let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table, ['id']);
  process.env.MILLRACE_IDEMPOTENCY_TABLE = table;
});
afterAll(() => dynamoDb.stop());

function setUp(effect: () => Promise<void>, consumer: string = randomUUID()) {
  const sqs = new RecordingClient();
  const settings = {
    consumer,
    queueUrl: 'queue',
    deadLetterQueueUrl: 'dlq',
    maxReceiveCount: 5,
    maxRetryDelaySeconds: 300,
    retentionSeconds: 345_600,
    replays: 'ignore' as const,
  };
  const handler = consume(
    [Thanked],
    (_event, { once }) => once('letter', effect),
    { deduplication: idempotencyMarks() },
    { sqs, settings },
  );
  const deliver = async (...events: EmittableEvent[]) =>
    (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
  return { deliver, sqs };
}

/** Sets the clock for whatever reads it; timers run on. */
function setClock(now: number): void {
  const doNotFake = [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ] as const;
  jest.useFakeTimers({ now, doNotFake: [...doNotFake, 'nextTick', 'queueMicrotask', 'hrtime', 'performance'] });
}

describe('the idempotency table', () => {
  test('a second delivery is acknowledged without the effect, by another container, too', async () => {
    let effects = 0;
    const consumer = randomUUID();
    const effect = async () => {
      effects += 1;
    };
    const event = sampleEvent(Thanked);

    expect(await setUp(effect, consumer).deliver(event)).toBe(0);
    expect(await setUp(effect, consumer).deliver(event)).toBe(0);

    expect(effects).toBe(1);
  });

  test('another event and another consumer have effects of their own', async () => {
    let effects = 0;
    const effect = async () => {
      effects += 1;
    };
    const event = sampleEvent(Thanked);
    const { deliver } = setUp(effect);

    await deliver(event);
    await deliver(sampleEvent(Thanked));
    await setUp(effect).deliver(event);

    expect(effects).toBe(3);
  });

  test('two deliveries at once have one effect, and the one that came second is deferred', async () => {
    let effects = 0;
    const { deliver, sqs } = setUp(async () => {
      effects += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const event = sampleEvent(Thanked);

    expect(await deliver(event, event)).toBe(0);
    expect(effects).toBe(1);
    expect(sqs.inputs('SendMessageCommand')).toMatchObject([{ QueueUrl: 'queue' }]);
    expect(await deliver(event)).toBe(0);
    expect(effects).toBe(1);
  });

  test('a container whose clock is two minutes ahead does not repeat an effect under way', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let effects = 0;
    const consumer = randomUUID();
    const effect = () => {
      effects += 1;
      begin();
      return ended;
    };
    const event = sampleEvent(Thanked);
    const first = setUp(effect, consumer).deliver(event);
    await begun;

    const ahead = setUp(effect, consumer);
    setClock(Date.now() + 2 * 60_000);
    try {
      await ahead.deliver(event);
    } finally {
      jest.useRealTimers();
      end();
    }

    expect(await first).toBe(0);
    expect(effects).toBe(1);
    expect(ahead.sqs.inputs('SendMessageCommand')).toMatchObject([{ QueueUrl: 'queue' }]);
  });

  test('a failed effect leaves no mark: it is tried again', async () => {
    let attempts = 0;
    const { deliver } = setUp(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not now');
    });
    const event = sampleEvent(Thanked);

    expect(await deliver(event)).toBe(1);
    expect(await deliver(event)).toBe(0);
    expect(await deliver(event)).toBe(0);

    expect(attempts).toBe(2);
  });

  test('marks outlive a dead-letter queue and hold nothing of the event', async () => {
    const { deliver } = setUp(async () => {});

    await deliver(sampleEvent(Thanked, { whom: 'someone private' }));

    const { Items = [] } = await dynamoDb.client.send(new ScanCommand({ TableName: table }));
    const inTwoWeeks = Date.now() / 1000 + 14 * 24 * 60 * 60;
    expect(Items.length).toBeGreaterThan(0);
    for (const item of Items) expect(Number(item.expiration?.N)).toBeGreaterThan(inTwoWeeks);
    expect(JSON.stringify(Items)).not.toContain('someone private');
  });

  test('an event is retried when the table cannot be reached', async () => {
    process.env.MILLRACE_IDEMPOTENCY_TABLE = 'no-such-table';
    let effects = 0;
    const { deliver } = setUp(async () => {
      effects += 1;
    });
    process.env.MILLRACE_IDEMPOTENCY_TABLE = table;

    expect(await deliver(sampleEvent(Thanked))).toBe(1);
    expect(effects).toBe(0);
  });
});
