import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
describe('FIFO queues understanding logic', () => {
  test('a receiver gets as many messages of a group as there are, then those of the next', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'b-1', 'a-2', 'c-1', 'a-3', 'b-2']);
    expect(await sqs.bodies(url, { MaxNumberOfMessages: 4 })).toEqual(['a-1', 'a-2', 'a-3', 'b-1']);
    expect(await sqs.bodies(url)).toEqual(['c-1']);
  });

  test('no message of a group is received while one before it is in flight', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'a-3']);
    const first = await sqs.receiveOne(url, { MaxNumberOfMessages: 1 });
    expect(await sqs.bodies(url)).toEqual([]);
    await sqs.delete(url, first);
    expect(await sqs.bodies(url)).toEqual(['a-2', 'a-3']);
  });

  test('a message that comes back comes before those behind it', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'a-3']);
    const [one, two] = await sqs.receive(url, { MaxNumberOfMessages: 2 });
    if (!one || !two) throw new Error('not both');
    await sqs.delete(url, two);
    expect(await sqs.bodies(url)).toEqual([]);
    await sqs.hide(url, one, 0);
    expect(await sqs.bodies(url)).toEqual(['a-1', 'a-3']);
  });

  test('a group whose messages fail does not keep others waiting', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'b-1']);
    await sqs.clock.seconds(1);
    const failed = await sqs.receiveOne(url, { MaxNumberOfMessages: 1 });
    await sqs.hide(url, failed, 0);
    expect(await sqs.bodies(url, { MaxNumberOfMessages: 1 })).toEqual(['b-1']);
  });

  test('a delay is that of the queue, and keeps the order of the group', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo', { DelaySeconds: '10' });
    await sqs.sendInGroups(url, ['a-1']);
    await sqs.clock.seconds(5);
    await sqs.sendInGroups(url, ['a-2']);
    await sqs.clock.seconds(5);
    expect(await sqs.bodies(url, { VisibilityTimeout: 0 })).toEqual(['a-1']);
    await sqs.clock.seconds(5);
    expect(await sqs.bodies(url)).toEqual(['a-1', 'a-2']);
    const delayed = { QueueUrl: url, MessageBody: 'x', MessageGroupId: 'a', MessageDeduplicationId: 'x' };
    expect(await sqs.codeOf('SendMessage', { ...delayed, DelaySeconds: 1 })).toBe('InvalidParameterValue');
  });

  test('the visibility timeout may be 0: each message still comes once in an answer', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'b-1']);
    await sqs.clock.seconds(1);
    expect(await sqs.bodies(url, { VisibilityTimeout: 0 })).toEqual(['a-1', 'a-2', 'b-1']);
    expect(await sqs.bodies(url)).toEqual(['a-1', 'a-2', 'b-1']);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
describe('delay queues', () => {
  test.each([
    ['q.fifo', '1/0/2'],
    ['q', '2/0/1'],
  ])(
    'another delay of the queue holds for messages that are there already in a FIFO queue alone: %s',
    async (name, expected) => {
      await using sqs = new SqsUnderTest();
      const QueueUrl = await sqs.create(name, { DelaySeconds: '10' });
      const send = (body: string) =>
        sqs.send(QueueUrl, body, name === 'q' ? {} : { MessageGroupId: body, MessageDeduplicationId: body });
      const change = (DelaySeconds: string) =>
        sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { DelaySeconds } });
      await send('a');
      await sqs.clock.seconds(5);
      await send('b');
      await sqs.clock.seconds(10);
      await send('c');
      await change('11');
      expect(await sqs.counts(QueueUrl)).toBe(expected);
      await change('0');
      expect(await sqs.counts(QueueUrl)).toBe(name === 'q' ? '2/0/1' : '3/0/0');
    },
  );
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
describe('SendMessage', () => {
  const send = (sqs: SqsUnderTest, QueueUrl: string, more: object) =>
    sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x', ...more });

  test('a FIFO queue needs a group id, and a deduplication id unless it takes the content', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    expect(await send(sqs, url, { MessageDeduplicationId: 'd' })).toBe('MissingParameter');
    expect(await send(sqs, url, { MessageGroupId: 'g' })).toBe('InvalidParameterValue');
    const byContent = await sqs.create('content.fifo', { ContentBasedDeduplication: 'true' });
    expect(await send(sqs, byContent, { MessageGroupId: 'g' })).toBe('accepted');
  });

  test('ids have up to 128 letters, digits and punctuation', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    const ids = ['a'.repeat(128), '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', 'a'.repeat(129), '', 'a b', 'ä'];
    const bad = 'InvalidParameterValue';
    const expected = ['accepted', 'accepted', bad, bad, bad, bad];
    expect(
      await Promise.all(
        ids.map((MessageGroupId) => send(sqs, url, { MessageGroupId, MessageDeduplicationId: MessageGroupId || 'd' })),
      ),
    ).toEqual(expected);
    const codes = ids.map((MessageDeduplicationId) => send(sqs, url, { MessageGroupId: 'g', MessageDeduplicationId }));
    expect(await Promise.all(codes)).toEqual(expected);
  });

  test('sequence numbers have 20 digits, grow, and are what a receiver sees', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo', { ContentBasedDeduplication: 'true' });
    const sent: string[] = [];
    for (const body of ['a', 'b', 'c']) {
      sent.push((await sqs.send(url, body, { MessageGroupId: 'g' })).SequenceNumber ?? '');
    }
    expect(sent).toEqual([...sent].sort());
    for (const number of sent) expect(number).toMatch(/^\d{20}$/);
    expect((await sqs.receive(url)).map(({ Attributes }) => Attributes?.SequenceNumber)).toEqual(sent);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
describe('using messagededuplicationid property', () => {
  const sendTwice = async (sqs: SqsUnderTest, url: string, between: () => unknown = () => {}) => {
    const ids = { MessageGroupId: 'g', MessageDeduplicationId: 'same' };
    const first = await sqs.send(url, 'first', ids);
    await between();
    const second = await sqs.send(url, 'second', ids);
    return { first, second };
  };

  test('a message with the same id is accepted and not delivered for five minutes', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    const { first, second } = await sendTwice(sqs, url, () => sqs.clock.advance(299_999));
    expect(second.MessageId).toBe(first.MessageId);
    expect(second.SequenceNumber).toBe(first.SequenceNumber);
    expect(await sqs.counts(url)).toBe('1/0/0');
    await sqs.clock.advance(1);
    await sqs.send(url, 'third', { MessageGroupId: 'g', MessageDeduplicationId: 'same' });
    expect(await sqs.bodies(url)).toEqual(['first', 'third']);
  });

  test('also after the first one has been received and deleted', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sendTwice(sqs, url, async () => sqs.delete(url, await sqs.receiveOne(url)));
    expect(await sqs.counts(url)).toBe('0/0/0');
  });

  test('a purge forgets the ids', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q.fifo');
    await sendTwice(sqs, QueueUrl, () => sqs.api.call('PurgeQueue', { QueueUrl }));
    expect(await sqs.bodies(QueueUrl)).toEqual(['second']);
  });

  test('the content counts where the sender gives no id; one that is given takes its place', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo', { ContentBasedDeduplication: 'true' });
    await sqs.send(url, 'same', { MessageGroupId: 'a' });
    await sqs.send(url, 'same', { MessageGroupId: 'b' });
    await sqs.send(url, 'same', { MessageGroupId: 'c', MessageDeduplicationId: 'mine' });
    const received = await sqs.receive(url);
    expect(received.map(({ Attributes }) => Attributes?.MessageGroupId)).toEqual(['a', 'c']);
    expect(received.map(({ Attributes }) => Attributes?.MessageDeduplicationId)).toEqual([
      '0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5',
      'mine',
    ]);
  });

  test('with the scope messageGroup, the same id in another group is another message', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo', { DeduplicationScope: 'messageGroup' });
    for (const MessageGroupId of ['a', 'b', 'a']) {
      await sqs.send(url, MessageGroupId, { MessageGroupId, MessageDeduplicationId: 'same' });
    }
    expect(await sqs.bodies(url)).toEqual(['a', 'b']);
  });

  test('another scope does not forget what was sent before', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q.fifo');
    await sqs.send(QueueUrl, 'first', { MessageGroupId: 'a', MessageDeduplicationId: 'same' });
    const Attributes = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' };
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes });
    await sqs.send(QueueUrl, 'second', { MessageGroupId: 'b', MessageDeduplicationId: 'same' });
    expect(await sqs.bodies(QueueUrl)).toEqual(['first']);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
describe('SendMessageBatch', () => {
  test('a FIFO batch in which an entry lacks an id is refused as a whole', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q.fifo');
    const good = { Id: 'a', MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
    const send = (entry: object) =>
      sqs.codeOf('SendMessageBatch', { QueueUrl, Entries: [good, { ...good, Id: 'b', ...entry }] });
    expect(await send({ MessageGroupId: undefined })).toBe('InvalidParameterValue');
    expect(await send({ MessageDeduplicationId: undefined })).toBe('InvalidParameterValue');
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
describe('DeleteMessage', () => {
  test('a FIFO queue refuses a handle whose visibility timeout has ended', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q.fifo');
    await sqs.sendInGroups(QueueUrl, ['a-1']);
    const { ReceiptHandle } = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 1 });
    await sqs.clock.seconds(1);
    expect(await sqs.codeOf('DeleteMessage', { QueueUrl, ReceiptHandle })).toBe('InvalidParameterValue');
    expect(await sqs.codeOf('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 1 })).toBe(
      'InvalidParameterValue',
    );
    expect(await sqs.bodies(QueueUrl)).toEqual(['a-1']);
    expect(await sqs.codeOf('DeleteMessage', { QueueUrl, ReceiptHandle })).toBe('InvalidParameterValue');
  });

  test('deleting a message of a FIFO queue again succeeds', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1']);
    const message = await sqs.receiveOne(url);
    await sqs.delete(url, message);
    await sqs.delete(url, message);
    expect(await sqs.counts(url)).toBe('0/0/0');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html
describe('using receiverequestattemptid request parameter', () => {
  test('a receive can be repeated: the same messages and handles, hidden anew, and not counted', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'b-1']);
    const ReceiveRequestAttemptId = 'attempt-1';
    const first = await sqs.receive(url, { ReceiveRequestAttemptId, MaxNumberOfMessages: 2 });
    await sqs.clock.seconds(20);
    const again = await sqs.receive(url, { ReceiveRequestAttemptId, MaxNumberOfMessages: 2 });
    expect(again).toEqual(first);
    await sqs.clock.seconds(20);
    expect(await sqs.bodies(url, { MaxNumberOfMessages: 1 })).toEqual(['b-1']);
  });

  test('not when one of the messages has been deleted or changed since', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'b-1']);
    const ReceiveRequestAttemptId = 'attempt-1';
    const [first] = await sqs.receive(url, { ReceiveRequestAttemptId, MaxNumberOfMessages: 2 });
    if (!first) throw new Error('nothing');
    await sqs.delete(url, first);
    expect(await sqs.bodies(url, { ReceiveRequestAttemptId })).toEqual(['b-1']);
  });

  test('nor when the visibility timeout of one of them was changed', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'b-1']);
    const ReceiveRequestAttemptId = 'attempt-1';
    await sqs.hide(url, await sqs.receiveOne(url, { ReceiveRequestAttemptId, MaxNumberOfMessages: 1 }), 100);
    expect(await sqs.bodies(url, { ReceiveRequestAttemptId })).toEqual(['b-1']);
  });

  test('the id is for FIFO queues', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const input = { QueueUrl, ReceiveRequestAttemptId: 'a' };
    expect(await sqs.codeOf('ReceiveMessage', input)).toBe('InvalidParameterValue');
  });
});
