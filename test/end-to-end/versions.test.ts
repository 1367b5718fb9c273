import { randomUUID } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { ProbeMeasured, ProbeMeasuredV2 } from '../fixtures/probe/events/index.ts';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import { type System, startSystem } from './system.ts';

/** The consumer knows the newer version alone; these events are of the older one. */
let system: System;
let aws: Aws;
let operator: Operator;
let queueUrl: string;
let startedAt: string;

beforeAll(async () => {
  // EventBridge gives events their time in whole seconds.
  startedAt = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
  system = await startSystem();
  aws = new Aws(system);
  operator = new Operator(system);
  queueUrl = await aws.queueUrl('probe', 'on-probe-measured');
});
afterAll(() => system?.stop());

const measured = async (probeId: string) => {
  const { Item } = await aws.dynamodb.send(
    new GetCommand({ TableName: 'millrace-probe-dev', Key: { pk: `probe#${probeId}` }, ConsistentRead: true }),
  );
  return Item && { measurements: Item.measurements, millimetres: Item.millimetres };
};

const replay = async () => {
  const { exitCode, stderr } = await operator.replay('--from', startedAt, '--rules', 'probe.onProbeMeasured');
  if (exitCode !== 0) throw new Error(`replay ended with ${exitCode}: ${stderr}`);
  await aws.quiet();
};

test('an event that stands in the queue when its consumer learns a new version is handled as that one, once', async () => {
  const probeId = randomUUID();
  const text = envelopeText(sampleEvent(ProbeMeasured, { probeId, centimetres: 2.5 }));

  for (const MessageBody of [text, text]) {
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
  }

  await eventually(async () => expect(await measured(probeId)).toBeDefined());
  await aws.quiet();
  expect(await measured(probeId)).toEqual({ measurements: 1, millimetres: 25 });
});

test('events of a producer that emits the older version, then the newer one, reach it', async () => {
  const probeId = randomUUID();

  await aws.put(sampleEvent(ProbeMeasured, { probeId, centimetres: 2.5 }));
  await aws.put(sampleEvent(ProbeMeasuredV2, { probeId, millimetres: 7 }));

  await eventually(async () => expect(await measured(probeId)).toEqual({ measurements: 2, millimetres: 32 }));
});

test('an event that it has missed comes from the archive, and is handled once however often it is replayed', async () => {
  const probeId = randomUUID();
  const resume = await aws.pause('probe', 'onProbeMeasured');
  await aws.put(sampleEvent(ProbeMeasured, { probeId, centimetres: 2.5 }));
  // Not the number of messages: one of an earlier test may come again.
  await eventually(async () => {
    const bodies = (await aws.takeAll(queueUrl)).map(({ Body = '' }) => Body);
    expect(bodies).toContainEqual(expect.stringContaining(probeId));
  });
  await resume();
  expect(await measured(probeId)).toBeUndefined();

  await replay();
  expect(await measured(probeId)).toEqual({ measurements: 1, millimetres: 25 });
  await replay();
  expect(await measured(probeId)).toEqual({ measurements: 1, millimetres: 25 });
});

test('what cannot be led up is a dead letter that says so', async () => {
  const deadLetterQueueUrl = await aws.queueUrl('probe', 'on-probe-measured-dlq');
  // The newer version knows whole millimetres alone.
  await aws.put(sampleEvent(ProbeMeasured, { centimetres: 0.25 }));

  await eventually(async () => {
    const [letter] = await aws.take(deadLetterQueueUrl);
    expect(letter?.MessageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'UPCAST_FAILED' },
      ErrorMessage: { StringValue: expect.stringMatching(/^ProbeMeasured\.v1 could not .*: data\.millimetres: /) },
      FailureKind: { StringValue: 'permanent' },
    });
  });
});
