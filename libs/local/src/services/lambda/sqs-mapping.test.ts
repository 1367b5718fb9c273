import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../core/clock.ts';
import { type Sqs, startSqs } from '../sqs/sqs.ts';
import type { EventSourceMapping, EventSourceMappingProperties } from './event-source-mapping.ts';
import type { InvocationResult } from './function-pool.ts';
import { startSqsMapping } from './sqs-mapping.ts';

interface SqsEvent {
  Records: {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: Record<string, string>;
    messageAttributes: Record<string, unknown>;
  }[];
}

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:on-order-placed';
const REPORTING = { FunctionResponseTypes: ['ReportBatchItemFailures'] };

let service: Sqs;
let clock: SystemClock;
let mappings: EventSourceMapping[];
let events: SqsEvent[];
let warnings: string[];
let answer: (event: SqsEvent) => Promise<unknown> | unknown;

beforeEach(() => {
  const place = { accountId: '000000000000', region: 'us-east-1', origin: 'http://127.0.0.1:4566' };
  clock = new SystemClock();
  service = startSqs({ ...place, clock });
  mappings = [];
  events = [];
  warnings = [];
  answer = () => null;
});

afterEach(async () => {
  await Promise.all(mappings.map((mapping) => mapping.stop()));
  await service[Symbol.asyncDispose]();
});

async function sqs(operation: string, input: object): Promise<Record<string, never>> {
  return (await service.api.call(operation, input)) as Record<string, never>;
}

/** The bodies in a queue that can be received, and those that are in flight. */
function contents(queueArn: string): { ready: string[]; inFlight: string[] } {
  const queue = service.queues.byArn(queueArn);
  queue?.advance();
  const messages = [...(queue?.messages ?? [])];
  const inState = (wanted: string) => messages.filter(({ state }) => state === wanted).map(({ body }) => body);
  return { ready: inState('visible'), inFlight: inState('hidden') };
}

async function createQueue(
  attributes: Record<string, string> = {},
  name = 'orders',
): Promise<{ url: string; arn: string }> {
  const { QueueUrl } = await sqs('CreateQueue', {
    QueueName: name,
    Attributes: { VisibilityTimeout: '30', ...attributes },
  });
  return { url: String(QueueUrl), arn: `arn:aws:sqs:us-east-1:000000000000:${name}` };
}

function map(
  queueArn: string,
  properties: Partial<EventSourceMappingProperties> = {},
  functionTimeoutSeconds = 1,
): EventSourceMapping {
  const mapping = startSqsMapping({
    clock: new SystemClock(),
    properties: { EventSourceArn: queueArn, FunctionName: 'on-order-placed', ...properties },
    queue: service.source(queueArn),
    functionArn: FUNCTION_ARN,
    functionTimeoutSeconds,
    functionConcurrency: 5,
    onWarning: (message) => warnings.push(message),
    invoke: async (payload): Promise<InvocationResult> => {
      const event = JSON.parse(payload) as SqsEvent;
      events.push(event);
      try {
        const result = await answer(event);
        return {
          requestId: 'r',
          logTail: '',
          payload: typeof result === 'string' ? result : JSON.stringify(result ?? null),
        };
      } catch {
        return { requestId: 'r', logTail: '', payload: '{"errorMessage":"no"}', functionError: 'Unhandled' };
      }
    },
  });
  mappings.push(mapping);
  return mapping;
}

const bodies = (): string[] => events.flatMap(({ Records }) => Records.map(({ body }) => body));

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 4000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Never came true; events so far: ${JSON.stringify(bodies())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The bodies that are still in the queue, visible or not, once nothing is being handled. */
async function left(queueArn: string): Promise<string[]> {
  await Promise.all(mappings.map((mapping) => mapping.stop()));
  const { ready, inFlight } = contents(queueArn);
  return [...ready, ...inFlight].sort();
}

async function send(url: string, ...messages: string[]): Promise<void> {
  const Entries = messages.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  await sqs('SendMessageBatch', { QueueUrl: url, Entries });
}

// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
test('a record has the shape of SQS events on Lambda', async () => {
  const { url, arn } = await createQueue();
  map(arn);
  const { MessageId, MD5OfMessageBody } = await sqs('SendMessage', {
    QueueUrl: url,
    MessageBody: '{"a":1}',
    MessageAttributes: {
      reason: { DataType: 'String', StringValue: 'late' },
      raw: { DataType: 'Binary', BinaryValue: 'AQI=' },
    },
  });
  await until(() => events.length === 1);
  expect(events[0]).toEqual({
    Records: [
      {
        messageId: MessageId,
        receiptHandle: expect.any(String),
        body: '{"a":1}',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: '000000000000',
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {
          reason: { stringValue: 'late', stringListValues: [], binaryListValues: [], dataType: 'String' },
          raw: { binaryValue: 'AQI=', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
        },
        md5OfBody: MD5OfMessageBody,
        eventSource: 'aws:sqs',
        eventSourceARN: arn,
        awsRegion: 'us-east-1',
      },
    ],
  });
  expect(await left(arn)).toEqual([]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
describe('after a batch of a, b, c', () => {
  const reporting = (...identifiers: unknown[]) => ({
    batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })),
  });
  const idOf = (event: SqsEvent, body: string) => event.Records.find((record) => record.body === body)?.messageId;

  test.each<[string, (event: SqsEvent) => unknown, string[]]>([
    ['null', () => null, []],
    ['{}', () => ({}), []],
    ['no failures', () => reporting(), []],
    ['null failures', () => ({ batchItemFailures: null }), []],
    ['a known id', (event) => reporting(idOf(event, 'b')), ['b']],
    ['all ids', (event) => reporting(...event.Records.map(({ messageId }) => messageId)), ['a', 'b', 'c']],
    ['an unknown id beside a known one', (event) => reporting(idOf(event, 'b'), 'other'), ['a', 'b', 'c']],
    ['an empty id', () => reporting(''), ['a', 'b', 'c']],
    ['a null id', () => reporting(null), ['a', 'b', 'c']],
    ['a misspelt key', (event) => ({ batchItemFailures: [{ id: idOf(event, 'b') }] }), ['a', 'b', 'c']],
    ['failures that are no list', () => ({ batchItemFailures: 'b' }), ['a', 'b', 'c']],
    ['a null failure', () => ({ batchItemFailures: [null] }), ['a', 'b', 'c']],
    ['text', () => '"fine"', ['a', 'b', 'c']],
    ['a list', () => [], ['a', 'b', 'c']],
    ['an error', () => Promise.reject(new Error()), ['a', 'b', 'c']],
  ])('answered with %s, what stays is right', async (_name, response, expected) => {
    const { url, arn } = await createQueue();
    answer = response;
    await send(url, 'a', 'b', 'c');
    map(arn, REPORTING);
    await until(() => events.length > 0);
    expect(await left(arn)).toEqual(expected);
  });

  test('without ReportBatchItemFailures the response does not matter', async () => {
    const { url, arn } = await createQueue();
    answer = () => reporting('unknown');
    await send(url, 'a', 'b', 'c');
    map(arn);
    await until(() => events.length > 0);
    expect(await left(arn)).toEqual([]);
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
test('a failed message comes again after its visibility timeout, with a higher receive count, and then goes to the DLQ', async () => {
  const { arn: deadLetterTargetArn } = await createQueue({}, 'orders-dlq');
  const { url, arn } = await createQueue({
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }),
  });
  answer = ({ Records }) => ({
    batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({
      itemIdentifier: messageId,
    })),
  });
  map(arn, REPORTING);
  await send(url, 'good', 'bad');
  await until(() => contents(deadLetterTargetArn).ready.length === 1);
  const counts = events.flatMap(({ Records }) =>
    Records.map(({ body, attributes }) => `${body} ${attributes.ApproximateReceiveCount}`),
  );
  expect(counts).toEqual(['good 1', 'bad 1', 'bad 2']);
});

test('a queue that is deleted and created again is read on, after one warning', async () => {
  const { url, arn } = await createQueue();
  map(arn);
  await send(url, 'before');
  await until(() => events.length === 1);
  await sqs('DeleteQueue', { QueueUrl: url });
  await clock.advance(60_000);
  await until(() => warnings.length === 1);
  // Longer than the mapping leaves a queue alone that it cannot read.
  const later = Date.now() + 1_200;
  await until(() => Date.now() > later);
  await createQueue();
  await send(url, 'after');
  await until(() => events.length === 2);
  expect(bodies()).toEqual(['before', 'after']);
  expect(warnings).toEqual([`Cannot read ${arn}: The specified queue does not exist.`]);
  expect(await left(arn)).toEqual([]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
test('messages that no filter matches are deleted, without an invocation', async () => {
  const { url, arn } = await createQueue();
  map(arn, {
    FilterCriteria: {
      Filters: [{ Pattern: '{"body":{"kind":["order"]}}' }, { Pattern: '{"body":{"total":[{"numeric":[">",10]}]}}' }],
    },
  });
  await send(url, '{"kind":"order"}', '{"kind":"stock"}', 'no json', '{"kind":"stock","total":11}');
  await until(() => bodies().length === 2);
  expect(bodies()).toEqual(['{"kind":"order"}', '{"kind":"stock","total":11}']);
  expect(await left(arn)).toEqual([]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
test('MaximumConcurrency limits the batches at once', async () => {
  const { url, arn } = await createQueue();
  const gates: (() => void)[] = [];
  answer = () => new Promise<void>((resolve) => gates.push(resolve));
  map(arn, { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
  await send(url, 'a', 'b', 'c', 'd');
  await until(() => events.length === 2);
  expect(contents(arn).ready).toHaveLength(2);
  gates.shift()?.();
  await until(() => events.length === 3);
  await until(() => {
    for (const open of gates.splice(0)) open();
    return events.length === 4;
  });
  for (const open of gates) open();
  expect(await left(arn)).toEqual([]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
test('a batching window gathers messages, above ten with several receives, until the batch is full', async () => {
  const { url, arn } = await createQueue();
  map(arn, { BatchSize: 12, MaximumBatchingWindowInSeconds: 60 });
  for (const part of ['a', 'b', 'c', 'd']) await send(url, `${part}1`, `${part}2`, `${part}3`);
  await until(() => events.length === 1);
  expect(bodies()).toHaveLength(12);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
test('a batching window ends with what there is', async () => {
  const { url, arn } = await createQueue();
  map(arn, { BatchSize: 10, MaximumBatchingWindowInSeconds: 1 });
  await send(url, 'a');
  await send(url, 'b');
  await until(() => events.length === 1);
  expect(bodies()).toEqual(['a', 'b']);
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
test('messages too large for one invocation are split over several', async () => {
  const { url, arn } = await createQueue();
  const large = 'x'.repeat(1_000_000);
  for (let count = 0; count < 9; count += 1) await send(url, large);
  map(arn);
  await until(() => bodies().length === 9);
  expect(events.map(({ Records }) => Records.length)).toEqual([6, 3]);
  expect(await left(arn)).toEqual([]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
test('a FIFO queue keeps the order within each group, one batch of a group at a time', async () => {
  const { url, arn } = await createQueue({ FifoQueue: 'true' }, 'orders.fifo');
  const running = new Map<string, number>();
  let overlaps = 0;
  answer = async ({ Records }) => {
    const groups = new Set(Records.map(({ attributes }) => attributes.MessageGroupId ?? ''));
    for (const group of groups) {
      overlaps += running.get(group) ?? 0;
      running.set(group, (running.get(group) ?? 0) + 1);
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (const group of groups) running.set(group, (running.get(group) ?? 0) - 1);
  };
  for (let number = 0; number < 10; number += 1) {
    for (const group of ['x', 'y']) {
      await sqs('SendMessage', {
        QueueUrl: url,
        MessageBody: `${group}${number}`,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}${number}`,
      });
    }
  }
  map(arn);
  await until(() => bodies().length === 20);
  for (const group of ['x', 'y']) {
    expect(bodies().filter((body) => body.startsWith(group))).toEqual(
      Array.from({ length: 10 }, (_, number) => `${group}${number}`),
    );
  }
  expect(overlaps).toBe(0);
  expect(events[0]?.Records[0]?.attributes).toMatchObject({
    MessageGroupId: 'x',
    MessageDeduplicationId: 'x0',
    SequenceNumber: expect.any(String),
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
test('a disabled mapping receives nothing, and goes on when enabled; a batch under way is finished first', async () => {
  const { url, arn } = await createQueue();
  const gate = Promise.withResolvers<void>();
  answer = () => gate.promise;
  const mapping = map(arn);
  await send(url, 'a');
  await until(() => events.length === 1);
  let isDisabled = false;
  const disabled = mapping.update({ Enabled: false }).then(() => {
    isDisabled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDisabled).toBe(false);
  expect(mapping.configuration().State).toBe('Disabling');
  gate.resolve();
  await disabled;
  expect(mapping.configuration().State).toBe('Disabled');
  await send(url, 'b');
  expect(contents(arn)).toEqual({ ready: ['b'], inFlight: [] });
  await mapping.update({ Enabled: true, BatchSize: 5 });
  await until(() => events.length === 2);
  expect(mapping.configuration()).toMatchObject({
    State: 'Enabled',
    BatchSize: 5,
    EventSourceArn: arn,
    FunctionArn: FUNCTION_ARN,
  });
  expect(await left(arn)).toEqual([]);
});

test.each<[string, Partial<EventSourceMappingProperties>, number, RegExp]>([
  [
    'a function timeout above the visibility timeout',
    {},
    31,
    /visibility timeout: 30 seconds is less than Function timeout: 31/,
  ],
  ['a batch above ten without a window', { BatchSize: 11 }, 1, /must be greater than 0/],
  ['MaximumConcurrency of 1', { ScalingConfig: { MaximumConcurrency: 1 } }, 1, /greater than or equal to 2/],
  ['a batch size of 0', { BatchSize: 0 }, 1, /greater than or equal to 1/],
  ['an invalid filter', { FilterCriteria: { Filters: [{ Pattern: '{"body":"x"}' }] } }, 1, /filter pattern/],
])('%s is refused', async (_name, properties, timeout, message) => {
  const { arn } = await createQueue();
  expect(() => map(arn, properties, timeout)).toThrow(message);
});
