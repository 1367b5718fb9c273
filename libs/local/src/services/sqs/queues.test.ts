import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
describe('CreateQueue', () => {
  test.each([
    ['a'.repeat(80), 'accepted'],
    ['a'.repeat(81), 'InvalidParameterValue'],
    ['', 'InvalidParameterValue'],
    ['with space', 'InvalidParameterValue'],
    ['dot.ted', 'InvalidParameterValue'],
    ['no-attribute.fifo', 'InvalidParameterValue'],
  ])('a name has 1 to 80 letters, digits, hyphens and underscores: "%s" is %s', async (QueueName, expected) => {
    await using sqs = new SqsUnderTest();
    expect(await sqs.codeOf('CreateQueue', { QueueName })).toBe(expected);
  });

  test.each([
    [`${'a'.repeat(75)}.fifo`, 'accepted'],
    [`${'a'.repeat(76)}.fifo`, 'InvalidParameterValue'],
    ['no-suffix', 'InvalidParameterValue'],
  ])('the name of a FIFO queue ends with .fifo, which is part of the 80: "%s" is %s', async (QueueName, expected) => {
    await using sqs = new SqsUnderTest();
    expect(await sqs.codeOf('CreateQueue', { QueueName, Attributes: { FifoQueue: 'true' } })).toBe(expected);
  });

  test('a queue can be created again with attributes that it has, and only then', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('orders', { VisibilityTimeout: '60', DelaySeconds: '5' });
    expect(await sqs.create('orders')).toBe(url);
    expect(await sqs.create('orders', { DelaySeconds: '5' })).toBe(url);
    const again = { QueueName: 'orders', Attributes: { VisibilityTimeout: '61' } };
    expect(await sqs.codeOf('CreateQueue', again)).toBe('QueueAlreadyExists');
  });

  test('a queue that exists is found whatever the text of its redrive policy looks like', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('orders', 'dlq', 3);
    const RedrivePolicy = `{ "maxReceiveCount" : "3", "deadLetterTargetArn": "${sqs.arn('dlq')}" }`;
    expect(await sqs.create('orders', { RedrivePolicy })).toBe(url);
  });

  test.each([
    ['VisibilityTimeout', 0, 43_200],
    ['DelaySeconds', 0, 900],
    ['MessageRetentionPeriod', 60, 1_209_600],
    ['MaximumMessageSize', 1024, 1_048_576],
    ['ReceiveMessageWaitTimeSeconds', 0, 20],
  ])('%s is a whole number from %d to %d', async (name, min, max) => {
    await using sqs = new SqsUnderTest();
    const codeOf = (value: string, index: number) =>
      sqs.codeOf('CreateQueue', { QueueName: `q${index}`, Attributes: { [name]: value } });
    const values = [String(min), String(max), String(min - 1), String(max + 1), '', 'abc', '1.5', '9'.repeat(30)];
    const bad = 'InvalidAttributeValue';
    expect(await Promise.all(values.map(codeOf))).toEqual(['accepted', 'accepted', bad, bad, bad, bad, bad, bad]);
  });

  test('FIFO attributes are unknown to a standard queue', async () => {
    await using sqs = new SqsUnderTest();
    for (const name of ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit']) {
      const input = { QueueName: 'q', Attributes: { [name]: 'false' } };
      expect(await sqs.codeOf('CreateQueue', input)).toBe('InvalidAttributeName');
    }
  });

  test('a throughput limit per message group needs deduplication per message group', async () => {
    await using sqs = new SqsUnderTest();
    const create = (DeduplicationScope: string) =>
      sqs.codeOf('CreateQueue', {
        QueueName: `${DeduplicationScope}.fifo`,
        Attributes: { FifoQueue: 'true', DeduplicationScope, FifoThroughputLimit: 'perMessageGroupId' },
      });
    expect(await create('queue')).toBe('InvalidAttributeValue');
    expect(await create('messageGroup')).toBe('accepted');
  });

  test('a queue can be created with tags', async () => {
    await using sqs = new SqsUnderTest();
    const { QueueUrl } = await sqs.api.call('CreateQueue', { QueueName: 'q', tags: { team: 'orders' } });
    expect(await sqs.api.call('ListQueueTags', { QueueUrl })).toEqual({ Tags: { team: 'orders' } });
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
describe('SetQueueAttributes', () => {
  test('attributes that SQS does not have, or sets itself, are refused by name', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    for (const name of ['Foobar', 'QueueArn', 'ApproximateNumberOfMessages', '__proto__', 'constructor']) {
      const Attributes = Object.fromEntries([[name, '1']]);
      expect(await sqs.codeOf('SetQueueAttributes', { QueueUrl, Attributes })).toBe('InvalidAttributeName');
    }
  });

  test('nothing is set when one of the attributes is refused', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.codeOf('SetQueueAttributes', { QueueUrl, Attributes: { DelaySeconds: '5', VisibilityTimeout: 'x' } });
    const { Attributes } = await sqs.api.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['DelaySeconds'] });
    expect(Attributes).toEqual({ DelaySeconds: '0' });
  });

  test('an empty policy removes the one that is there', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('dlq');
    const QueueUrl = await sqs.createWithDeadLetterQueue('q', 'dlq');
    const Policy = JSON.stringify({
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: sqs.arn('q') }],
    });
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
    expect(sqs.sqs.policyOf(sqs.arn('q'))).toBe(Policy);
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { Policy: '', RedrivePolicy: '' } });
    const { Attributes = {} } = await sqs.api.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] });
    expect(Object.keys(Attributes)).not.toEqual(expect.arrayContaining(['Policy']));
    expect(Object.keys(Attributes)).not.toEqual(expect.arrayContaining(['RedrivePolicy']));
    expect(sqs.sqs.policyOf(sqs.arn('q'))).toBeUndefined();
  });

  test.each([
    '{',
    '[]',
    '{"Statement": {"Effect": "Maybe", "Principal": "*", "Action": "*"}}',
    '{"Version": "2012-10-17"}',
  ])('a policy that is not a valid policy document is refused: %s', async (Policy) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    expect(await sqs.codeOf('SetQueueAttributes', { QueueUrl, Attributes: { Policy } })).toBe('InvalidAttributeValue');
  });

  test('a KMS key turns encryption with keys of SQS off, and the other way round', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q', { KmsMasterKeyId: 'alias/orders' });
    const names = ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'];
    const read = async () => (await sqs.api.call('GetQueueAttributes', { QueueUrl, AttributeNames: names })).Attributes;
    expect(await read()).toEqual({
      KmsMasterKeyId: 'alias/orders',
      KmsDataKeyReusePeriodSeconds: '300',
      SqsManagedSseEnabled: 'false',
    });
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { SqsManagedSseEnabled: 'true' } });
    expect(await read()).toEqual({ SqsManagedSseEnabled: 'true' });
  });

  test('LastModifiedTimestamp follows, CreatedTimestamp stays', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const created = Math.floor(sqs.clock.now() / 1000);
    await sqs.clock.seconds(100);
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { DelaySeconds: '1' } });
    const AttributeNames = ['CreatedTimestamp', 'LastModifiedTimestamp'];
    expect((await sqs.api.call('GetQueueAttributes', { QueueUrl, AttributeNames })).Attributes).toEqual({
      CreatedTimestamp: String(created),
      LastModifiedTimestamp: String(created + 100),
    });
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
describe('ListQueues', () => {
  test('lists by prefix, page by page where MaxResults is given', async () => {
    await using sqs = new SqsUnderTest();
    const urls = [];
    for (const name of ['a1', 'a2', 'a3', 'b1']) urls.push(await sqs.create(name));
    expect(await sqs.api.call('ListQueues', { QueueNamePrefix: 'a' })).toEqual({ QueueUrls: urls.slice(0, 3) });
    const first = await sqs.api.call('ListQueues', { QueueNamePrefix: 'a', MaxResults: 2 });
    expect(first.QueueUrls).toEqual(urls.slice(0, 2));
    const { NextToken } = first;
    expect(NextToken).toBeDefined();
    const second = await sqs.api.call('ListQueues', { QueueNamePrefix: 'a', MaxResults: 2, NextToken });
    expect(second).toEqual({ QueueUrls: [urls[2]] });
    expect(await sqs.api.call('ListQueues', { QueueNamePrefix: 'none' })).toEqual({});
  });

  test('MaxResults is from 1 to 1000, and a token comes from an earlier answer', async () => {
    await using sqs = new SqsUnderTest();
    for (const input of [{ MaxResults: 0 }, { MaxResults: 1001 }, { NextToken: 'garbage' }]) {
      expect(await sqs.codeOf('ListQueues', input)).toBe('InvalidParameterValue');
    }
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
describe('PurgeQueue', () => {
  test('deletes messages in any state, once in 60 seconds', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'in flight');
    const { ReceiptHandle } = await sqs.receiveOne(QueueUrl);
    await sqs.send(QueueUrl, 'visible');
    await sqs.send(QueueUrl, 'delayed', { DelaySeconds: 10 });
    expect(await sqs.counts(QueueUrl)).toBe('1/1/1');
    await sqs.api.call('PurgeQueue', { QueueUrl });
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
    expect(await sqs.codeOf('DeleteMessage', { QueueUrl, ReceiptHandle })).toBe('accepted');
    expect(await sqs.codeOf('PurgeQueue', { QueueUrl })).toBe('AWS.SimpleQueueService.PurgeQueueInProgress');
    await sqs.clock.seconds(60);
    expect(await sqs.codeOf('PurgeQueue', { QueueUrl })).toBe('accepted');
    expect(await sqs.bodies(QueueUrl)).toEqual([]);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
describe('DeleteQueue', () => {
  test('a new queue of the same name is empty, and refuses the handles of the old one', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'old');
    const { ReceiptHandle } = await sqs.receiveOne(QueueUrl);
    await sqs.api.call('DeleteQueue', { QueueUrl });
    expect(await sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x' })).toBe(
      'AWS.SimpleQueueService.NonExistentQueue',
    );
    await sqs.clock.seconds(60);
    await sqs.create('q');
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
    expect(await sqs.codeOf('DeleteMessage', { QueueUrl, ReceiptHandle })).toBe('ReceiptHandleIsInvalid');
  });

  test('for 60 seconds there cannot be another queue of the same name', async () => {
    await using sqs = new SqsUnderTest();
    const recreate = () => sqs.codeOf('CreateQueue', { QueueName: 'q' });
    await sqs.api.call('DeleteQueue', { QueueUrl: await sqs.create('q') });
    await sqs.clock.advance(59_999);
    expect(await recreate()).toBe('AWS.SimpleQueueService.QueueDeletedRecently');
    expect(await sqs.codeOf('CreateQueue', { QueueName: 'other' })).toBe('accepted');
    await sqs.clock.advance(1);
    expect(await recreate()).toBe('accepted');
    await sqs.api.call('DeleteQueue', { QueueUrl: 'q' });
    expect(await recreate()).toBe('AWS.SimpleQueueService.QueueDeletedRecently');
  });

  test('a long poll ends with an error when the queue is deleted', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const waiting = sqs.codeOf('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 });
    await sqs.api.call('DeleteQueue', { QueueUrl });
    expect(await waiting).toBe('AWS.SimpleQueueService.NonExistentQueue');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
describe('AddPermission', () => {
  test('adds a statement to the policy, which RemovePermission takes away again', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const permission = {
      QueueUrl,
      Label: 'one',
      AWSAccountIds: ['111111111111'],
      Actions: ['SendMessage', 'PurgeQueue'],
    };
    await sqs.api.call('AddPermission', permission);
    expect(JSON.parse(sqs.sqs.policyOf(sqs.arn('q')) ?? '')).toEqual({
      Version: '2012-10-17',
      Id: `${sqs.arn('q')}/SQSDefaultPolicy`,
      Statement: [
        {
          Sid: 'one',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111111111111:root' },
          Action: ['SQS:SendMessage', 'SQS:PurgeQueue'],
          Resource: sqs.arn('q'),
        },
      ],
    });
    expect(await sqs.codeOf('AddPermission', permission)).toBe('InvalidParameterValue');
    await sqs.api.call('RemovePermission', { QueueUrl, Label: 'one' });
    expect(sqs.sqs.policyOf(sqs.arn('q'))).toBeUndefined();
    expect(await sqs.codeOf('RemovePermission', { QueueUrl, Label: 'one' })).toBe('InvalidParameterValue');
  });

  test.each([
    [{ Actions: ['FlyAway'] }, 'InvalidParameterValue'],
    [{ Actions: [] }, 'MissingParameter'],
    [{ AWSAccountIds: ['42'] }, 'InvalidParameterValue'],
    [{ AWSAccountIds: [] }, 'MissingParameter'],
    [{ Label: 'with space' }, 'InvalidParameterValue'],
    [{ Actions: Array.from({ length: 8 }, () => 'SendMessage') }, 'OverLimit'],
  ])('%j is refused with %s', async (change, code) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const permission = { QueueUrl, Label: 'one', AWSAccountIds: ['111111111111'], Actions: ['SendMessage'] };
    expect(await sqs.codeOf('AddPermission', { ...permission, ...change })).toBe(code);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
describe('queue tags', () => {
  test.each([
    [{ 'aws:owner': 'x' }, 'InvalidParameterValue'],
    [{ '': 'x' }, 'InvalidParameterValue'],
    [{ ['k'.repeat(129)]: 'x' }, 'InvalidParameterValue'],
    [{ k: 'v'.repeat(257) }, 'InvalidParameterValue'],
    [Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])), 'InvalidParameterValue'],
    [{ ['k'.repeat(128)]: 'v'.repeat(256) }, 'accepted'],
    [{ k: '' }, 'accepted'],
  ])('up to 50 tags with a key of 1 to 128 characters and a value of up to 256: %j is %s', async (Tags, expected) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    expect(await sqs.codeOf('TagQueue', { QueueUrl, Tags })).toBe(expected);
  });
});
