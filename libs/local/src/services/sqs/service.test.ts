import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';
import type { DeclaredResource, Host } from '../../core/service.ts';
import { sqsAccess } from './access.ts';
import { inputs } from './protocol/inputs.ts';
import { sqsResourceTypes } from './resource-types.ts';
import { billedRequests, type QueueUsage } from './usage.ts';

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
describe('api permissions reference', () => {
  test.each([
    [
      'SendMessageBatch',
      { QueueUrl: 'http://localhost/000000000000/q' },
      [{ action: 'sqs:SendMessage', resource: arn('sqs', 'q') }],
    ],
    ['GetQueueUrl', { QueueName: 'q' }, [{ action: 'sqs:GetQueueUrl', resource: arn('sqs', 'q') }]],
    ['ListQueues', {}, [{ action: 'sqs:ListQueues', resource: '*' }]],
    ['StartMessageMoveTask', { SourceArn: 'source' }, [{ action: 'sqs:StartMessageMoveTask', resource: 'source' }]],
    [
      'CreateQueue',
      { QueueName: 'q', tags: { k: 'v' } },
      ['CreateQueue', 'TagQueue'].map((name) => ({ action: `sqs:${name}`, resource: arn('sqs', 'q') })),
    ],
    [
      'CancelMessageMoveTask',
      { TaskHandle: Buffer.from('{"taskId":"t","sourceArn":"source"}').toString('base64') },
      [{ action: 'sqs:CancelMessageMoveTask', resource: 'source' }],
    ],
  ])('%s of %j needs its permission', (operation, input, expected) => {
    expect(sqsAccess(operation, input, arn)).toEqual(expected);
  });

  test('every operation has one, and nothing else has', () => {
    for (const operation of Object.keys(inputs)) expect(sqsAccess(operation, {}, arn)).not.toHaveLength(0);
    for (const operation of ['', 'FlyAway', 'constructor']) {
      expect(sqsAccess(operation, {}, arn)).toBeUndefined();
    }
  });
});

describe('resources of templates', () => {
  const create = (sqs: SqsUnderTest, type: string, name: string, properties: Record<string, unknown>) =>
    sqsResourceTypes[type]?.create?.({ name, properties } as DeclaredResource, sqs.sqs, {} as Host);
  const read = async (sqs: SqsUnderTest, QueueUrl: string) =>
    (await sqs.api.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })).Attributes ?? {};

  test('a queue has what its properties say, as numbers, booleans and objects', async () => {
    await using sqs = new SqsUnderTest();
    await create(sqs, 'AWS::SQS::Queue', 'dlq.fifo', { QueueName: 'dlq.fifo', FifoQueue: true });
    await create(sqs, 'AWS::SQS::Queue', 'q.fifo', {
      FifoQueue: 'true',
      ContentBasedDeduplication: true,
      VisibilityTimeout: 90,
      RedrivePolicy: { deadLetterTargetArn: sqs.arn('dlq.fifo'), maxReceiveCount: '4' },
      Tags: [{ Key: 'team', Value: 'orders' }],
    });
    expect(await read(sqs, 'q.fifo')).toMatchObject({
      ContentBasedDeduplication: 'true',
      VisibilityTimeout: '90',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: sqs.arn('dlq.fifo'), maxReceiveCount: 4 }),
    });
    expect(await sqs.api.call('ListQueueTags', { QueueUrl: 'q.fifo' })).toEqual({ Tags: { team: 'orders' } });
  });

  test('a queue that is there keeps its messages, and loses what the template no longer says', async () => {
    await using sqs = new SqsUnderTest();
    await create(sqs, 'AWS::SQS::Queue', 'dlq', {});
    await create(sqs, 'AWS::SQS::Queue', 'q', {
      VisibilityTimeout: 90,
      KmsMasterKeyId: 'alias/orders',
      RedrivePolicy: { deadLetterTargetArn: sqs.arn('dlq'), maxReceiveCount: 4 },
      Tags: [{ Key: 'team', Value: 'orders' }],
    });
    await create(sqs, 'AWS::SQS::QueuePolicy', 'policy', {
      Queues: ['http://127.0.0.1:4566/000000000000/q'],
      PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' }] },
    });
    expect(sqs.sqs.policyOf(sqs.arn('q'))).toContain('sqs:SendMessage');
    await sqs.send('q', 'still here');
    await create(sqs, 'AWS::SQS::Queue', 'q', { FifoQueue: false, DelaySeconds: 0 });
    const attributes = await read(sqs, 'q');
    expect(attributes).toMatchObject({ VisibilityTimeout: '30', SqsManagedSseEnabled: 'true' });
    for (const name of ['Policy', 'RedrivePolicy', 'KmsMasterKeyId']) expect(attributes).not.toHaveProperty(name);
    expect(await sqs.api.call('ListQueueTags', { QueueUrl: 'q' })).toEqual({});
    expect(await sqs.bodies('q')).toEqual(['still here']);
  });

  test('values out of range and policies that cannot be evaluated stop a deployment', async () => {
    await using sqs = new SqsUnderTest();
    await expect(create(sqs, 'AWS::SQS::Queue', 'q', { VisibilityTimeout: 99_999 })).rejects.toThrow(
      'VisibilityTimeout',
    );
    await sqs.create('q');
    const PolicyDocument = { Statement: { Effect: 'Allow', Principal: '*', Action: 7 } };
    await expect(create(sqs, 'AWS::SQS::QueueInlinePolicy', 'p', { Queue: 'q', PolicyDocument })).rejects.toThrow(
      'Action',
    );
  });
});

describe('what SQS would bill', () => {
  test.each([
    ['SendMessage', { MessageBody: 'a'.repeat(65_536) }, {}, 1],
    ['SendMessage', { MessageBody: 'a'.repeat(65_537) }, {}, 2],
    ['SendMessageBatch', { Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: 'a'.repeat(40_000) })) }, {}, 2],
    ['ReceiveMessage', {}, { Messages: [{ Body: 'ä'.repeat(40_000) }] }, 2],
    ['ReceiveMessage', {}, {}, 1],
    ['DeleteMessage', { ReceiptHandle: 'a'.repeat(100_000) }, {}, 1],
  ])('%s is as many requests as it has 64 KiB of messages', (operation, input, output, requests) => {
    expect(billedRequests(operation, input, output)).toBe(requests);
  });

  test('what services do with a queue is its owner’s', async () => {
    const usage: QueueUsage[] = [];
    await using sqs = new SqsUnderTest({ onUsage: (entry) => usage.push(entry) });
    const url = await sqs.create('q');
    await sqs.send(url, 'a call of the API');
    await sqs.sqs.deliver(sqs.arn('q'), 'a'.repeat(65_537));
    const source = sqs.sqs.source(sqs.arn('q'));
    const { signal } = new AbortController();
    const received = await source.receive({ max: 10, waitSeconds: 0, signal });
    await source.receive({ max: 10, waitSeconds: 0, signal });
    await source.deleteBatch(received.map(({ receiptHandle }) => receiptHandle));
    expect(usage.map(({ operation, requests, queueName }) => [operation, requests, queueName])).toEqual([
      ['SendMessage', 2, 'q'],
      ['ReceiveMessage', 2, 'q'],
      ['DeleteMessageBatch', 1, 'q'],
    ]);
  });
});

test('a console shows how many messages the queues have, and no content of them', async () => {
  await using sqs = new SqsUnderTest();
  await sqs.create('dlq');
  const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
  await sqs.send(url, 'ada@example.com');
  await sqs.send(url, 'x', { DelaySeconds: 10 });
  await sqs.clock.seconds(5);
  const shown = sqs.sqs.console();
  expect(shown).toMatchObject({
    queues: [
      { name: 'dlq', visible: 0 },
      { name: 'q', visible: 1, inFlight: 0, delayed: 1, oldestSeconds: 5, sent: 2, deadLetterQueue: 'dlq' },
    ],
  });
  expect(JSON.stringify(shown)).not.toContain('ada@example.com');
});
