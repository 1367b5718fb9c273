import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEDUPLICATION_SECONDS, defineEvent, type EmittableEvent, handledMarkId } from '@millrace/events';
import { envelopeText, lambdaContext, RecordingClient, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import { idempotencyMarks } from './idempotency.ts';
import { type ConsumeOptions, consume } from './index.ts';

const Thanked = defineEvent({
  name: 'Thanked',
  version: 1,
  service: 'letters',
  category: 'domain',
  type: 'data',
  summary: 'Someone is to be thanked by letter and by flowers.',
  data: z.object({ whom: z.string() }),
  example: { whom: 'ada' },
});

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('idempotency', ['id']);
  process.env.MILLRACE_IDEMPOTENCY_TABLE = 'idempotency';
});
afterAll(() => dynamoDb.stop());

/** A consumer with two effects, of which the second fails as often as told. */
function setUp(failures: number, options: ConsumeOptions = { deduplication: idempotencyMarks() }) {
  const effects: string[] = [];
  const sqs = new RecordingClient();
  const handler = consume(
    [Thanked],
    async ({ data }, { once }) => {
      await once('letter', async () => {
        effects.push(`letter to ${data.whom}`);
      });
      await once('flowers', async () => {
        effects.push(`flowers to ${data.whom}`);
        if (effects.filter((effect) => effect.startsWith('flowers')).length <= failures) throw new Error('no flowers');
      });
    },
    options,
    {
      sqs,
      settings: {
        consumer: 'letters.onThanked',
        queueUrl: 'queue',
        deadLetterQueueUrl: 'dlq',
        maxReceiveCount: 5,
        maxRetryDelaySeconds: 300,
        retentionSeconds: 345_600,
        replays: 'ignore' as const,
      },
    },
  );
  const deliver = async (event: EmittableEvent) =>
    (await handler(sqsEvent(envelopeText(event)), lambdaContext())).batchItemFailures.length;
  return { effects, deliver };
}

const handledMark = async (event: EmittableEvent<{ metadata: { id: string } }>) => {
  const Key = { id: { S: handledMarkId('letters.onThanked', event.event.metadata.id) } };
  return (await dynamoDb.client.send(new GetItemCommand({ TableName: 'idempotency', Key }))).Item;
};

test('an event of which all steps are done leaves a mark for as long as events are recognised', async () => {
  const { deliver } = setUp(1);
  const event = sampleEvent(Thanked);

  expect(await deliver(event)).toBe(1);
  expect(await handledMark(event)).toBeUndefined();
  expect(await deliver(event)).toBe(0);

  const expiration = Number((await handledMark(event))?.expiration?.N);
  expect(expiration - Date.now() / 1000).toBeGreaterThan(DEDUPLICATION_SECONDS - 60);
});

describe('once', () => {
  test('an effect that succeeded is left out when the event is tried again', async () => {
    const { deliver, effects } = setUp(1);
    const event = sampleEvent(Thanked);

    expect(await deliver(event)).toBe(1);
    expect(await deliver(event)).toBe(0);
    expect(await deliver(event)).toBe(0);

    expect(effects).toEqual(['letter to ada', 'flowers to ada', 'flowers to ada']);
  });

  test('each event has effects of its own', async () => {
    const { deliver, effects } = setUp(0);

    await deliver(sampleEvent(Thanked));
    await deliver(sampleEvent(Thanked, { whom: 'bob' }));

    expect(effects).toEqual(['letter to ada', 'flowers to ada', 'letter to bob', 'flowers to bob']);
  });

  test('without the idempotency table it refuses to run anything', async () => {
    const { deliver, effects } = setUp(0, { deduplication: 'inbox' });

    expect(await deliver(sampleEvent(Thanked))).toBe(1);

    expect(effects).toEqual([]);
  });
});
