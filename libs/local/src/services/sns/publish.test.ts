import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTopicCommand, PublishBatchCommand, PublishCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { queueArn, type SnsUnderTest, startSnsUnderTest } from '../../../fixtures/sns-under-test.ts';

let sns: SnsUnderTest;

beforeEach(async () => {
  sns = await startSnsUnderTest();
});

afterEach(async () => {
  await sns[Symbol.asyncDispose]();
});

async function topic(Name: string, Attributes: Record<string, string> = {}): Promise<string> {
  const { TopicArn = '' } = await sns.client.send(new CreateTopicCommand({ Name, Attributes }));
  return TopicArn;
}

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
describe('Publish', () => {
  test('has texts of their own for protocols', async () => {
    const TopicArn = await topic('structured');
    await sns.client.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: queueArn('q'),
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
    await sns.client.send(new SubscribeCommand({ TopicArn, Protocol: 'sms', Endpoint: '+491701234567' }));
    const publish = (Message: string) =>
      sns.client.send(new PublishCommand({ TopicArn, Message, MessageStructure: 'json' }));
    await publish(JSON.stringify({ default: 'long', sms: 'short' }));
    await eventually(() => expect([sns.delivered[0]?.payload, sns.captured[0]?.text]).toEqual(['long', 'short']));
    await expect(publish('{"sms":"short"}')).rejects.toThrow('No default entry in JSON message body');
    await expect(publish('text')).rejects.toThrow('JSON message body failed to parse');
  });

  test('to a phone number is captured', async () => {
    const send = (PhoneNumber: string) => sns.client.send(new PublishCommand({ PhoneNumber, Message: 'Hello' }));
    expect((await send('+491701234567')).MessageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(sns.captured).toMatchObject([{ kind: 'sms', to: ['+491701234567'], text: 'Hello' }]);
    await expect(send('0170')).rejects.toThrow('is not valid to publish to');
  });

  test.each([
    [{ Message: '' }, 'Empty message'],
    [{ Message: 'x'.repeat(262_145) }, 'Message too long'],
    [{ Subject: 'two\nlines' }, 'Subject'],
    [{ Subject: 'x'.repeat(101) }, 'Subject'],
    [{ MessageDeduplicationId: 'a' }, 'not valid for this topic type'],
    [{ MessageAttributes: { a: { DataType: 'Number', StringValue: 'x' } } }, 'is not a number'],
    [{ MessageAttributes: { a: { DataType: 'Other', StringValue: 'x' } } }, 'invalid message attribute type'],
    [{ MessageAttributes: { '.a': { DataType: 'String', StringValue: 'x' } } }, 'invalid message attribute name'],
  ])('refuses %j', async (input, message) => {
    const TopicArn = await topic('checked');
    await expect(sns.client.send(new PublishCommand({ TopicArn, Message: 'Hello', ...input }))).rejects.toThrow(
      message,
    );
  });

  test('needs one topic that is there', async () => {
    await expect(sns.client.send(new PublishCommand({ Message: 'Hello' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const TopicArn = (await topic('one')).replace('one', 'other');
    await expect(sns.client.send(new PublishCommand({ TopicArn, Message: 'Hello' }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
    await expect(sns.client.send(new PublishCommand({ TopicArn: 'topic', Message: 'Hello' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });
});

// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
describe('PublishBatch', () => {
  test('tells of each entry', async () => {
    const TopicArn = await topic('batch');
    const entries = [
      { Id: 'a', Message: 'Hello' },
      { Id: 'b', Message: 'x', Subject: '' },
      { Id: 'c', Message: 'Hello', Subject: '\n' },
    ];
    const { Successful, Failed } = await sns.client.send(
      new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: entries }),
    );
    expect(Successful).toMatchObject([{ Id: 'a', MessageId: expect.any(String) }]);
    expect(Failed).toMatchObject([{ Id: 'b', Code: 'InvalidParameter', SenderFault: true }, { Id: 'c' }]);
  });

  const entry = (Id: string, Message = 'x') => ({ Id, Message });

  test.each([
    ['EmptyBatchRequestException', []],
    ['TooManyEntriesInBatchRequestException', Array.from({ length: 11 }, (_, index) => entry(String(index)))],
    ['BatchEntryIdsNotDistinctException', [entry('a'), entry('a')]],
    ['InvalidBatchEntryIdException', [entry('a b')]],
    ['BatchRequestTooLongException', [entry('a', 'x'.repeat(200_000)), entry('b', 'x'.repeat(200_000))]],
  ])('is refused with %s', async (name, PublishBatchRequestEntries) => {
    const TopicArn = await topic('batch');
    await expect(
      sns.client.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries })),
    ).rejects.toMatchObject({ name });
  });
});

// https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
describe('FIFO topics', () => {
  test('deliver a group in order, even if its first message has to be tried again', async () => {
    const TopicArn = await topic('ordered.fifo', { FifoTopic: 'true' });
    await sns.client.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: queueArn('q.fifo'),
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
    sns.failing.set('1', new Error('busy'));
    const publish = (Message: string, MessageGroupId: string) =>
      sns.client.send(new PublishCommand({ TopicArn, Message, MessageGroupId, MessageDeduplicationId: Message }));
    const numbers = [];
    for (const message of ['1', '2', '3']) numbers.push((await publish(message, 'a')).SequenceNumber);
    expect([...numbers].sort()).toEqual(numbers);
    expect(numbers[0]).toMatch(/^\d{20}$/);
    await publish('other-group', 'b');
    await eventually(() => expect(sns.delivered.map(({ payload }) => payload)).toEqual(['other-group']));
    sns.delivered.length = 0;
    sns.failing.clear();
    await eventually(async () => {
      await sns.clock.advance(1000);
      expect(sns.delivered.map(({ payload }) => payload)).toEqual(['1', '2', '3']);
    });
    expect(sns.delivered[0]?.options).toMatchObject({ messageGroupId: 'a', messageDeduplicationId: '1' });
  });

  test('take a message once in five minutes, by its id or its content', async () => {
    const TopicArn = await topic('once.fifo', { FifoTopic: 'true', ContentBasedDeduplication: 'true' });
    await sns.client.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn('q.fifo') }));
    const publish = (input: object = {}) =>
      sns.client.send(new PublishCommand({ TopicArn, Message: 'Hello', MessageGroupId: 'a', ...input }));
    const first = await publish();
    expect(await publish({ MessageGroupId: 'b' })).toMatchObject({
      MessageId: first.MessageId,
      SequenceNumber: first.SequenceNumber,
    });
    await sns.clock.advance(300_001);
    const later = await publish();
    expect(later.MessageId).not.toBe(first.MessageId);
    await eventually(() => expect(sns.delivered).toHaveLength(2));
  });

  test('need a group, and a way to know a message again', async () => {
    const TopicArn = await topic('strict.fifo', { FifoTopic: 'true' });
    const publish = (input: object) => sns.client.send(new PublishCommand({ TopicArn, Message: 'Hello', ...input }));
    await expect(publish({ MessageDeduplicationId: 'a' })).rejects.toThrow('MessageGroupId parameter is required');
    await expect(publish({ MessageGroupId: 'a' })).rejects.toThrow('ContentBasedDeduplication');
    await expect(
      sns.client.send(new SubscribeCommand({ TopicArn, Protocol: 'sms', Endpoint: '+491701234567' })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

test('what Publish has answered is delivered after a restart', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'sns-'));
  try {
    const before = await startSnsUnderTest({ dataDirectory });
    const { TopicArn } = before.sns.call('CreateTopic', { Name: 'kept' });
    before.sns.call('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queueArn('q') });
    const { certificate } = before.sns;
    before.failing.set(queueArn('q'), new Error('busy'));
    before.sns.call('Publish', { TopicArn, Message: 'Hello' });
    await before[Symbol.asyncDispose]();
    await using after = await startSnsUnderTest({ dataDirectory });
    await eventually(async () => {
      await after.clock.advance(1000);
      expect(after.delivered).toHaveLength(1);
    });
    expect(JSON.parse(after.delivered[0]?.payload ?? '')).toMatchObject({ Message: 'Hello' });
    expect(after.sns.certificate).toEqual(certificate);
  } finally {
    await rm(dataDirectory, { recursive: true });
  }
});
