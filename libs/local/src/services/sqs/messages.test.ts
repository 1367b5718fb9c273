import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';

const text = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
describe('SendMessage', () => {
  test('a message with its attributes is at most as large as the queue allows, 1 MiB by default', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const MessageAttributes = { k: text('v') };
    // The name, the type and the value of the attribute: 1 + 6 + 1 bytes.
    const send = (bytes: number) =>
      sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'a'.repeat(bytes - 8), MessageAttributes });
    expect(await send(1_048_576)).toBe('accepted');
    expect(await send(1_048_577)).toBe('InvalidParameterValue');
    await sqs.api.call('SetQueueAttributes', { QueueUrl, Attributes: { MaximumMessageSize: '1024' } });
    expect(await send(1024)).toBe('accepted');
    expect(await send(1025)).toBe('InvalidParameterValue');
  });

  test.each([
    ['a\u0000', 'InvalidMessageContents'],
    ['\ufffe', 'InvalidMessageContents'],
    ['half of a pair: \ud83d', 'InvalidMessageContents'],
    ['\t\n\r ~\ud7ff\ue000\ufffd😀\u{10ffff}', 'accepted'],
    ['', 'MissingParameter'],
  ])('a body has characters of XML 1.0: %j is %s', async (MessageBody, expected) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    expect(await sqs.codeOf('SendMessage', { QueueUrl, MessageBody })).toBe(expected);
  });

  test('DelaySeconds, from 0 to 900, takes the place of the delay of the queue', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q', { DelaySeconds: '10' });
    await sqs.send(QueueUrl, 'queue');
    await sqs.send(QueueUrl, 'none', { DelaySeconds: 0 });
    await sqs.send(QueueUrl, 'longer', { DelaySeconds: 900 });
    expect(await sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x', DelaySeconds: 901 })).toBe(
      'InvalidParameterValue',
    );
    expect(await sqs.counts(QueueUrl)).toBe('1/0/2');
    expect(await sqs.bodies(QueueUrl)).toEqual(['none']);
    await sqs.clock.seconds(10);
    expect(await sqs.bodies(QueueUrl)).toEqual(['queue']);
    await sqs.clock.seconds(889);
    expect(await sqs.counts(QueueUrl)).toMatch(/\/1$/);
    await sqs.clock.seconds(1);
    expect(await sqs.bodies(QueueUrl)).toContain('longer');
  });

  test('the only message system attribute is AWSTraceHeader, a String that has a digest of its own', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const send = (MessageSystemAttributes: object) =>
      sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x', MessageSystemAttributes });
    expect(await send({ SenderId: text('me') })).toBe('InvalidParameterValue');
    expect(await send({ AWSTraceHeader: text('1', 'Number') })).toBe('InvalidParameterValue');
    const sent = await sqs.send(QueueUrl, 'x', { MessageSystemAttributes: { AWSTraceHeader: text('Root=1') } });
    expect(sent.MD5OfMessageSystemAttributes).toMatch(/^[0-9a-f]{32}$/);
    expect(sent.MD5OfMessageAttributes).toBeUndefined();
    const message = await sqs.receiveOne(QueueUrl);
    expect(message.Attributes?.AWSTraceHeader).toBe('Root=1');
  });

  test('a deduplication id is for FIFO queues; a group id is for both', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const send = (ids: object) => sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x', ...ids });
    expect(await send({ MessageDeduplicationId: 'd' })).toBe('InvalidParameterValue');
    expect(await send({ MessageGroupId: 'tenant-1' })).toBe('accepted');
    expect((await sqs.receiveOne(QueueUrl)).Attributes).toMatchObject({ MessageGroupId: 'tenant-1' });
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
describe('message metadata', () => {
  const cases: [string, object, string][] = [
    ['a String', { a: text('x') }, 'accepted'],
    ['a String with a label', { a: text('x', 'String.json') }, 'accepted'],
    ['a Number of 38 digits', { a: text('1'.repeat(38), 'Number') }, 'accepted'],
    ['a Number of 39 digits', { a: text('1'.repeat(39), 'Number') }, 'InvalidParameterValue'],
    ['a Number of 10^126', { a: text('1e126', 'Number') }, 'accepted'],
    ['a Number of 10^127', { a: text('1e127', 'Number') }, 'InvalidParameterValue'],
    ['a Number of 10^-128', { a: text('-1e-128', 'Number.float') }, 'accepted'],
    ['text for a Number', { a: text('ten', 'Number') }, 'InvalidParameterValue'],
    ['Binary', { a: { DataType: 'Binary', BinaryValue: 'AAEC' } }, 'accepted'],
    ['Binary that is not base64', { a: { DataType: 'Binary', BinaryValue: '?' } }, 'InvalidParameterValue'],
    ['Binary as text', { a: text('x', 'Binary') }, 'InvalidParameterValue'],
    ['a String that is empty', { a: text('') }, 'InvalidParameterValue'],
    ['a String without a value', { a: { DataType: 'String' } }, 'InvalidParameterValue'],
    ['no type', { a: { StringValue: 'x' } }, 'InvalidParameterValue'],
    ['a type of its own', { a: text('x', 'Date') }, 'InvalidParameterValue'],
    ['a list', { a: { ...text('x'), StringListValues: ['y'] } }, 'InvalidParameterValue'],
    ['ten', Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`a${n}`, text('x')])), 'accepted'],
    ['eleven', Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`a${n}`, text('x')])), 'InvalidParameterValue'],
    ['a name of 256', { ['a'.repeat(256)]: text('x') }, 'accepted'],
    ['a name of 257', { ['a'.repeat(257)]: text('x') }, 'InvalidParameterValue'],
    ['a name with two dots in a row', { 'a..b': text('x') }, 'InvalidParameterValue'],
    ['a name that begins with a dot', { '.a': text('x') }, 'InvalidParameterValue'],
    ['a name with a reserved prefix', { 'Amazon.a': text('x') }, 'InvalidParameterValue'],
    ['an empty name', { '': text('x') }, 'InvalidParameterValue'],
  ];
  test.each(cases)('message attributes: %s', async (_what, MessageAttributes, expected) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    expect(await sqs.codeOf('SendMessage', { QueueUrl, MessageBody: 'x', MessageAttributes })).toBe(expected);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
describe('ReceiveMessage', () => {
  test('attributes come only when they are asked for', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const sentAt = sqs.clock.now();
    await sqs.send(QueueUrl, 'x', {
      MessageAttributes: { kind: text('order'), 'kind.of': text('y'), other: text('z') },
    });
    const receive = (wanted: object) =>
      sqs.receiveOne(QueueUrl, {
        MessageSystemAttributeNames: [],
        MessageAttributeNames: [],
        VisibilityTimeout: 0,
        ...wanted,
      });
    expect(Object.keys(await receive({}))).toEqual(['MessageId', 'ReceiptHandle', 'MD5OfBody', 'Body']);
    expect((await receive({ MessageSystemAttributeNames: ['All'] })).Attributes).toEqual({
      SenderId: '000000000000',
      SentTimestamp: String(sentAt),
      ApproximateReceiveCount: '2',
      ApproximateFirstReceiveTimestamp: String(sentAt),
    });
    const names = async (...MessageAttributeNames: string[]) =>
      Object.keys((await receive({ MessageAttributeNames })).MessageAttributes ?? {});
    expect(await names('kind')).toEqual(['kind']);
    expect(await names('kind.*')).toEqual(['kind', 'kind.of']);
    expect(await names('All')).toEqual(['kind', 'kind.of', 'other']);
    expect(await names('.*')).toEqual(['kind', 'kind.of', 'other']);
    expect(await names('missing')).toEqual([]);
    const unknown = { QueueUrl, MessageSystemAttributeNames: ['Colour'] };
    expect(await sqs.codeOf('ReceiveMessage', unknown)).toBe('InvalidAttributeName');
  });

  test.each([
    ['MaxNumberOfMessages', 1, 10],
    ['VisibilityTimeout', 0, 43_200],
    ['WaitTimeSeconds', 0, 20],
  ])('%s is from %d to %d', async (name, min, max) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const codeOf = async (value: number) => {
      await sqs.send(QueueUrl, 'x');
      return sqs.codeOf('ReceiveMessage', { QueueUrl, [name]: value });
    };
    expect([await codeOf(min), await codeOf(max), await codeOf(min - 1), await codeOf(max + 1)]).toEqual([
      'accepted',
      'accepted',
      'InvalidParameterValue',
      'InvalidParameterValue',
    ]);
  });

  test('a long poll waits for the first message and returns it at once', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const waiting = sqs.bodies(QueueUrl, { WaitTimeSeconds: 20 });
    await sqs.send(QueueUrl, 'one');
    expect(await waiting).toEqual(['one']);
    expect(sqs.clock.pending).toBe(0);
  });

  test('a long poll is over when its time is over', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q', { ReceiveMessageWaitTimeSeconds: '5' });
    let answered = false;
    const waiting = sqs.bodies(QueueUrl).finally(() => {
      answered = true;
    });
    await turn();
    await sqs.clock.advance(4999);
    await turn();
    expect(answered).toBe(false);
    await sqs.clock.advance(1);
    expect(await waiting).toEqual([]);
  });

  test('a long poll returns a message whose delay or visibility timeout ends meanwhile', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'delayed', { DelaySeconds: 3 });
    const first = sqs.bodies(QueueUrl, { WaitTimeSeconds: 20, VisibilityTimeout: 7 });
    await turn();
    await sqs.clock.seconds(3);
    expect(await first).toEqual(['delayed']);
    const second = sqs.bodies(QueueUrl, { WaitTimeSeconds: 20 });
    await turn();
    await sqs.clock.seconds(7);
    expect(await second).toEqual(['delayed']);
  });

  test('several long polls share the messages that are sent: each message goes to one of them', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const waiting = Array.from({ length: 3 }, () =>
      sqs.bodies(QueueUrl, { WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }),
    );
    await Promise.all(['a', 'b', 'c'].map((body) => sqs.send(QueueUrl, body)));
    expect((await Promise.all(waiting)).flat().sort()).toEqual(['a', 'b', 'c']);
  });

  test('a long poll that is aborted takes no message', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const abort = new AbortController();
    const waiting = sqs.api.call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 }, {}, abort.signal);
    await turn();
    await sqs.send(QueueUrl, 'kept');
    abort.abort();
    expect(await waiting).toEqual({});
    expect(await sqs.bodies(QueueUrl)).toEqual(['kept']);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
describe('visibility timeout', () => {
  test('a message that is received is hidden until its timeout ends, and counts its receives', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const first = await sqs.receiveOne(QueueUrl);
    await sqs.clock.advance(29_999);
    expect(await sqs.counts(QueueUrl)).toBe('0/1/0');
    expect(await sqs.bodies(QueueUrl)).toEqual([]);
    await sqs.clock.advance(1);
    const second = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 100 });
    expect(second.ReceiptHandle).not.toBe(first.ReceiptHandle);
    expect(second.Attributes?.ApproximateReceiveCount).toBe('2');
    await sqs.clock.seconds(99);
    expect(await sqs.bodies(QueueUrl)).toEqual([]);
  });

  test('a timeout that is changed counts from now, up to 12 hours after the receive', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const message = await sqs.receiveOne(QueueUrl);
    await sqs.clock.seconds(20);
    await sqs.hide(QueueUrl, message, 30);
    await sqs.clock.seconds(29);
    expect(await sqs.bodies(QueueUrl)).toEqual([]);
    const change = (VisibilityTimeout: number) =>
      sqs.codeOf('ChangeMessageVisibility', { QueueUrl, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout });
    expect(await change(43_200 - 49)).toBe('accepted');
    expect(await change(43_200 - 48)).toBe('InvalidParameterValue');
    expect(await change(43_201)).toBe('InvalidParameterValue');
    await sqs.hide(QueueUrl, message, 0);
    expect(await sqs.bodies(QueueUrl)).toEqual(['x']);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
describe('ChangeMessageVisibility', () => {
  test('a standard queue takes the handle of a message whose timeout has ended', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const message = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 1 });
    await sqs.clock.seconds(2);
    await sqs.hide(QueueUrl, message, 10);
    expect(await sqs.bodies(QueueUrl)).toEqual([]);
  });

  test('a message that is deleted, or that was received again since, is refused', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const first = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 0 });
    const second = await sqs.receiveOne(QueueUrl);
    const codeOf = (ReceiptHandle: string) =>
      sqs.codeOf('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 10 });
    expect(await codeOf(first.ReceiptHandle)).toBe('InvalidParameterValue');
    await sqs.delete(QueueUrl, second);
    expect(await codeOf(second.ReceiptHandle)).toBe('InvalidParameterValue');
    expect(await codeOf('garbage')).toBe('ReceiptHandleIsInvalid');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
describe('DeleteMessage', () => {
  test('only the newest handle deletes; an older one, or a second deletion, changes nothing', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const first = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 0 });
    const second = await sqs.receiveOne(QueueUrl);
    await sqs.delete(QueueUrl, first);
    expect(await sqs.counts(QueueUrl)).toBe('0/1/0');
    await sqs.delete(QueueUrl, second);
    await sqs.delete(QueueUrl, second);
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
  });

  test('a standard queue deletes a message whose timeout has ended', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    await sqs.send(QueueUrl, 'x');
    const message = await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 1 });
    await sqs.clock.seconds(2);
    await sqs.delete(QueueUrl, message);
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
  });

  test('a handle of another queue, or one that was tampered with, is invalid', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const other = await sqs.create('other');
    await sqs.send(QueueUrl, 'x');
    const { ReceiptHandle } = await sqs.receiveOne(QueueUrl);
    const codeOf = (url: string, handle: string) =>
      sqs.codeOf('DeleteMessage', { QueueUrl: url, ReceiptHandle: handle });
    expect(await codeOf(other, ReceiptHandle)).toBe('ReceiptHandleIsInvalid');
    const text = Buffer.from(ReceiptHandle, 'base64').toString();
    const next = text.replace(/:1:/, ':2:');
    for (const handle of [
      '',
      'garbage',
      `${ReceiptHandle}=`,
      `${ReceiptHandle} `,
      Buffer.from(next).toString('base64'),
    ]) {
      expect(await codeOf(QueueUrl, handle)).toBe('ReceiptHandleIsInvalid');
    }
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-basic-architecture.html
describe('basic architecture', () => {
  test('a message is deleted when the retention period ends, in whatever state it is', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q', { MessageRetentionPeriod: '60' });
    await sqs.send(QueueUrl, 'received');
    await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 3600 });
    await sqs.send(QueueUrl, 'delayed', { DelaySeconds: 900 });
    await sqs.clock.seconds(30);
    await sqs.send(QueueUrl, 'younger');
    expect(await sqs.counts(QueueUrl)).toBe('1/1/1');
    await sqs.clock.seconds(30);
    expect(await sqs.counts(QueueUrl)).toBe('1/0/0');
    await sqs.clock.seconds(30);
    expect(await sqs.counts(QueueUrl)).toBe('0/0/0');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
describe('SendMessageBatch', () => {
  test('each entry succeeds or fails alone', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    const output = await sqs.api.call('SendMessageBatch', {
      QueueUrl,
      Entries: [
        { Id: 'good', MessageBody: 'x' },
        { Id: 'nul', MessageBody: '\u0000' },
        { Id: 'late', MessageBody: 'x', DelaySeconds: 901 },
      ],
    });
    expect(output).toMatchObject({
      Successful: [{ Id: 'good', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' }],
      Failed: [
        { Id: 'nul', SenderFault: true, Code: 'InvalidMessageContents' },
        { Id: 'late', SenderFault: true, Code: 'InvalidParameterValue' },
      ],
    });
  });

  const entries = (count: number, MessageBody = 'x') =>
    Array.from({ length: count }, (_, index) => ({ Id: `e${index}`, MessageBody }));
  test.each([
    ['no entries', [], 'AWS.SimpleQueueService.EmptyBatchRequest'],
    ['eleven entries', entries(11), 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest'],
    ['an id twice', [...entries(1), ...entries(1)], 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct'],
    ['an id with a colon', [{ Id: 'a:b', MessageBody: 'x' }], 'AWS.SimpleQueueService.InvalidBatchEntryId'],
    ['an empty id', [{ Id: '', MessageBody: 'x' }], 'AWS.SimpleQueueService.InvalidBatchEntryId'],
    ['more than 1 MiB in all', entries(2, 'a'.repeat(524_289)), 'AWS.SimpleQueueService.BatchRequestTooLong'],
  ])('%s', async (_what, Entries, code) => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    expect(await sqs.codeOf('SendMessageBatch', { QueueUrl, Entries })).toBe(code);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
describe('ChangeMessageVisibilityBatch', () => {
  test('each entry has a timeout of its own, and fails alone', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('q');
    for (const body of ['a', 'b']) await sqs.send(QueueUrl, body);
    const [a, b] = await sqs.receive(QueueUrl);
    const output = await sqs.api.call('ChangeMessageVisibilityBatch', {
      QueueUrl,
      Entries: [
        { Id: 'a', ReceiptHandle: a?.ReceiptHandle ?? '', VisibilityTimeout: 0 },
        { Id: 'b', ReceiptHandle: b?.ReceiptHandle ?? '', VisibilityTimeout: 43_201 },
        { Id: 'c', ReceiptHandle: 'garbage', VisibilityTimeout: 0 },
      ],
    });
    expect(output).toMatchObject({
      Successful: [{ Id: 'a' }],
      Failed: [
        { Id: 'b', Code: 'InvalidParameterValue' },
        { Id: 'c', Code: 'ReceiptHandleIsInvalid' },
      ],
    });
    expect(await sqs.bodies(QueueUrl)).toEqual(['a']);
  });
});
