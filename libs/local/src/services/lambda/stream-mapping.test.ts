import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AwsError } from '../../core/aws-error.ts';
import { ManualClock, SystemClock } from '../../core/clock.ts';
import { EmbeddedDynamoDb } from '../dynamodb/embedded-dynamodb.ts';
import { type DynamoDbRecord, dynamoDbSource, type StreamsCall } from './dynamodb-source.ts';
import type { EventSourceMapping, EventSourceMappingProperties } from './event-source-mapping.ts';
import type { InvocationResult } from './function-pool.ts';
import type { Checkpoints } from './shard-checkpoint.ts';
import { type StreamMappingOptions, startStreamMapping } from './stream-mapping.ts';
import type { StreamSource } from './stream-source.ts';

const FUNCTION_ARN = 'arn:aws:lambda:eu-west-1:000000000000:function:relay';
const QUEUE_ARN = 'arn:aws:sqs:eu-west-1:000000000000:relay-failures';
const REPORTING = { FunctionResponseTypes: ['ReportBatchItemFailures'] };

let mappings: EventSourceMapping[];
let events: DynamoDbRecord[][];
let sent: { destination: string; document: Record<string, unknown> }[];
let warnings: string[];
let answer: (records: DynamoDbRecord[]) => unknown;

beforeEach(() => {
  mappings = [];
  events = [];
  sent = [];
  warnings = [];
  answer = () => null;
});

afterEach(async () => {
  await Promise.all(mappings.map((mapping) => mapping.stop()));
});

function map(
  call: StreamsCall,
  streamArn: string,
  properties: Partial<EventSourceMappingProperties> = {},
  { onRecords, ...options }: Partial<StreamMappingOptions> & Partial<Pick<StreamSource, 'onRecords'>> = {},
): EventSourceMapping {
  const mapping = startStreamMapping({
    clock: new SystemClock(),
    properties: { EventSourceArn: streamArn, FunctionName: 'relay', StartingPosition: 'TRIM_HORIZON', ...properties },
    functionArn: FUNCTION_ARN,
    source: dynamoDbSource({ arn: streamArn, call, ...(onRecords && { onRecords }) }),
    invoke: async (payload): Promise<InvocationResult> => {
      const { Records } = JSON.parse(payload) as { Records: DynamoDbRecord[] };
      events.push(Records);
      try {
        return {
          requestId: `request-${events.length}`,
          logTail: '',
          payload: JSON.stringify((await answer(Records)) ?? null),
        };
      } catch {
        return { requestId: `request-${events.length}`, logTail: '', payload: '{}', functionError: 'Unhandled' };
      }
    },
    sendToDestination: async (destination, body) => void sent.push({ destination, document: JSON.parse(body) }),
    retryDelay: () => 1,
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  mappings.push(mapping);
  return mapping;
}

const key = (record: DynamoDbRecord): string => (record.dynamodb.Keys as { pk: { S: string } }).pk.S;
const calls = (): string[] => events.map((records) => records.map(key).join(' '));
const failing =
  (...keys: string[]) =>
  (records: DynamoDbRecord[]) => ({
    batchItemFailures: records
      .filter((record) => keys.includes(key(record)))
      .map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })),
  });
const throwing = (bad: string) => async (records: DynamoDbRecord[]) => {
  if (records.some((record) => key(record) === bad)) throw new Error('bad record');
};

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 4000;
  while (!condition()) {
    if (Date.now() > deadline)
      throw new Error(`Never came true; calls: ${JSON.stringify(calls().slice(0, 20))}, warnings: ${warnings}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Shards in memory, which can be closed, as DynamoDB closes them after hours. */
class FakeStream {
  readonly shards: { ShardId: string; ParentShardId?: string; closed?: boolean; records: DynamoDbRecord[] }[] = [];
  readonly requests: { operation: string; input: Record<string, unknown> }[] = [];
  expire = false;

  add(shardId: string, ...keys: string[]): void {
    const shard = this.shards.find(({ ShardId }) => ShardId === shardId);
    for (const pk of keys) {
      shard?.records.push({
        eventID: pk,
        eventName: 'INSERT',
        eventSource: 'aws:dynamodb',
        awsRegion: '',
        dynamodb: {
          SequenceNumber: String(1000 + (shard?.records.length ?? 0)),
          ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
          Keys: { pk: { S: pk } },
        },
      });
    }
  }

  readonly call: StreamsCall = async (operation, input) => {
    this.requests.push({ operation, input });
    if (operation === 'DescribeStream') {
      // One shard a page.
      const index = this.shards.findIndex(({ ShardId }) => ShardId === input.ExclusiveStartShardId) + 1;
      const { ShardId, ParentShardId } = this.shards[index] ?? {};
      const more = index + 1 < this.shards.length;
      return {
        StreamDescription: {
          Shards: ShardId ? [{ ShardId, ParentShardId }] : [],
          ...(more ? { LastEvaluatedShardId: ShardId } : {}),
        },
      };
    }
    if (operation === 'GetShardIterator') {
      const records = this.shards.find(({ ShardId }) => ShardId === input.ShardId)?.records ?? [];
      const at = records.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === input.SequenceNumber);
      const from = { TRIM_HORIZON: 0, LATEST: records.length, AT_SEQUENCE_NUMBER: at, AFTER_SEQUENCE_NUMBER: at + 1 };
      return { ShardIterator: `${input.ShardId} ${from[input.ShardIteratorType as keyof typeof from]}` };
    }
    if (this.expire) {
      this.expire = false;
      throw new AwsError('ExpiredIteratorException', 'Iterator expired');
    }
    const [shardId, from] = String(input.ShardIterator).split(' ');
    const shard = this.shards.find(({ ShardId }) => ShardId === shardId);
    const Records = shard?.records.slice(Number(from), Number(from) + Number(input.Limit)) ?? [];
    const end = Number(from) + Records.length;
    return shard?.closed && end === shard.records.length
      ? { Records }
      : { Records, NextShardIterator: `${shardId} ${end}` };
  };
}

function oneShard(...keys: string[]): FakeStream {
  const stream = new FakeStream();
  stream.shards.push({ ShardId: 'shard-1', records: [] });
  stream.add('shard-1', ...keys);
  return stream;
}

const STREAM_ARN = 'arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/2026';

// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
describe('a batch that fails', () => {
  test('holds up the shard until it succeeds', async () => {
    let attempts = 0;
    answer = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
    };
    map(oneShard('a', 'b', 'c').call, STREAM_ARN, { BatchSize: 2 });
    await until(() => events.length === 4);
    expect(calls()).toEqual(['a b', 'a b', 'a b', 'c']);
  });

  test('is tried again when the clock says so', async () => {
    const clock = new ManualClock(0);
    answer = throwing('a');
    map(oneShard('a').call, STREAM_ARN, {}, { clock, retryDelay: () => 60_000 });
    await until(() => events.length === 1);
    await clock.advance(59_999);
    expect(events.length).toBe(1);
    await clock.advance(1);
    await until(() => events.length === 2);
  });

  test('starts again at the lowest failed sequence number', async () => {
    let attempts = 0;
    answer = (records) => {
      attempts += 1;
      return attempts === 1 ? failing('d', 'b')(records) : null;
    };
    map(oneShard('a', 'b', 'c', 'd', 'e').call, STREAM_ARN, REPORTING);
    await until(() => events.length === 2);
    expect(calls()).toEqual(['a b c d e', 'b c d e']);
  });

  test.each([
    ['an unknown id', { batchItemFailures: [{ itemIdentifier: '7' }] }],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null id', { batchItemFailures: [{ itemIdentifier: null }] }],
  ])('is tried whole again after %s', async (_name, response) => {
    answer = () => (events.length === 1 ? response : { batchItemFailures: [] });
    map(oneShard('a', 'b').call, STREAM_ARN, REPORTING);
    await until(() => events.length === 2);
    expect(calls()).toEqual(['a b', 'a b']);
  });

  test('is given up after the retries, with a document at the destination, and the shard goes on', async () => {
    answer = throwing('b');
    map(oneShard('a', 'b', 'c').call, STREAM_ARN, {
      BatchSize: 2,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } },
    });
    await until(() => events.length === 4);
    expect(calls()).toEqual(['a b', 'a b', 'a b', 'c']);
    expect(sent).toEqual([
      {
        destination: QUEUE_ARN,
        document: {
          requestContext: {
            requestId: 'request-3',
            functionArn: FUNCTION_ARN,
            condition: 'RetryAttemptsExhausted',
            approximateInvokeCount: 3,
          },
          responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
          version: '1.0',
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          DDBStreamBatchInfo: {
            shardId: 'shard-1',
            startSequenceNumber: '1000',
            endSequenceNumber: '1001',
            approximateArrivalOfFirstRecord: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
            approximateArrivalOfLastRecord: expect.any(String),
            batchSize: 2,
            streamArn: STREAM_ARN,
          },
        },
      },
    ]);
  });

  test('is split in two where bisecting is on, so that one bad record is given up alone', async () => {
    answer = throwing('c');
    map(oneShard('a', 'b', 'c', 'd', 'e').call, STREAM_ARN, {
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } },
    });
    await until(() => calls().at(-1) === 'd e');
    expect(calls()).toEqual(['a b c d e', 'a b c', 'a b', 'c', 'c', 'd e']);
    expect(sent.map(({ document }) => document.DDBStreamBatchInfo)).toMatchObject([
      { startSequenceNumber: '1002', batchSize: 1 },
    ]);
  });

  test('with bisecting and partial responses gives up exactly the bad record', async () => {
    answer = failing('c');
    map(oneShard('a', 'b', 'c', 'd', 'e').call, STREAM_ARN, {
      ...REPORTING,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } },
    });
    await until(() => sent.length === 1 && calls().at(-1) === 'e');
    const handled = new Set(events.flat().map(key));
    expect([...handled].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(sent.map(({ document }) => document.DDBStreamBatchInfo)).toMatchObject([
      { startSequenceNumber: '1002', batchSize: 1 },
    ]);
  });

  test('is given up without a call when its records are too old', async () => {
    const stream = oneShard('old', 'new');
    const [first] = stream.shards[0]?.records ?? [];
    if (first) first.dynamodb.ApproximateCreationDateTime = Math.floor(Date.now() / 1000) - 120;
    map(stream.call, STREAM_ARN, {
      MaximumRecordAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } },
    });
    await until(() => events.length === 1);
    expect(calls()).toEqual(['new']);
    expect(sent[0]?.document).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded' },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
  });

  test('waits for its destination', async () => {
    let failures = 0;
    answer = throwing('a');
    map(
      oneShard('a', 'b').call,
      STREAM_ARN,
      { BatchSize: 1, MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } } },
      {
        sendToDestination: async () => {
          failures += 1;
          if (failures < 3) throw new Error('queue is away');
        },
      },
    );
    await until(() => calls().at(-1) === 'b');
    expect(failures).toBe(3);
    expect(warnings[0]).toContain('queue is away');
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
describe('reading', () => {
  test('skips what no filter matches, for good', async () => {
    const stream = oneShard('a', 'b', 'c');
    const saved: string[] = [];
    map(
      stream.call,
      STREAM_ARN,
      { FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":["b"]}}}}' }] } },
      { checkpoints: { load: async () => undefined, save: async (_key, value) => void saved.push(value) } },
    );
    await until(() => saved.at(-1) === '1002');
    expect(calls()).toEqual(['b']);
  });

  test('goes on after the checkpoint when restarted', async () => {
    const stream = oneShard('a', 'b', 'c');
    const saved = new Map<string, string>();
    const checkpoints: Checkpoints = {
      load: async (name) => saved.get(name),
      save: async (name, value) => void saved.set(name, value),
    };
    answer = failing('b');
    const first = map(stream.call, STREAM_ARN, REPORTING, { checkpoints });
    await until(() => events.length >= 3);
    await first.stop();
    events = [];
    answer = () => null;
    map(stream.call, STREAM_ARN, REPORTING, { checkpoints });
    await until(() => events.length === 1);
    expect(calls()).toEqual(['b c']);
  });

  test('from LATEST begins with what is written afterwards, and loses nothing when its first batch fails', async () => {
    const stream = oneShard('before');
    answer = throwing('a');
    const mapping = map(stream.call, STREAM_ARN, { StartingPosition: 'LATEST' });
    await until(() => stream.requests.some(({ operation }) => operation === 'GetRecords'));
    stream.add('shard-1', 'a', 'b');
    await until(() => events.length > 1);
    await mapping.update({ Enabled: false });
    expect(mapping.configuration().State).toBe('Disabled');
    events = [];
    answer = () => null;
    await mapping.update({ Enabled: true });
    await until(() => events.length === 1);
    expect(calls()).toEqual(['a b']);
  });

  test('takes a new iterator where it stopped when the old one expired', async () => {
    const stream = oneShard('a');
    map(stream.call, STREAM_ARN);
    await until(() => events.length === 1);
    stream.expire = true;
    stream.add('shard-1', 'b');
    await until(() => events.length === 2);
    expect(calls()).toEqual(['a', 'b']);
  });

  test('reads children after their parent, and side by side what is not related', async () => {
    const stream = oneShard('a', 'b');
    stream.shards.push({ ShardId: 'other', records: [] }, { ShardId: 'child', ParentShardId: 'shard-1', records: [] });
    stream.add('child', 'c');
    stream.add('other', 'x');
    const gate = Promise.withResolvers<void>();
    answer = async (records) => {
      if (records.some((record) => key(record) === 'a')) await gate.promise;
    };
    map(stream.call, STREAM_ARN);
    await until(() => events.length === 2);
    expect(calls().sort()).toEqual(['a b', 'x']);
    if (stream.shards[0]) stream.shards[0].closed = true;
    gate.resolve();
    await until(() => events.length === 3);
    expect(calls()[2]).toBe('c');
  });

  test('rests between reads of an idle stream, and wakes at once', async () => {
    const stream = oneShard();
    const mapping = map(stream.call, STREAM_ARN);
    const reads = () => stream.requests.filter(({ operation }) => operation === 'GetRecords').length;
    await until(() => reads() === 4);
    stream.add('shard-1', 'a');
    const started = performance.now();
    mapping.wake();
    await until(() => events.length === 1);
    // It would have rested for twice as long as before its last read: 400 ms.
    expect(performance.now() - started).toBeLessThan(300);
  });

  test('gathers a batch during the batching window', async () => {
    const stream = oneShard('a');
    const mapping = map(stream.call, STREAM_ARN, { BatchSize: 3, MaximumBatchingWindowInSeconds: 60 });
    await until(() => stream.requests.filter(({ operation }) => operation === 'GetRecords').length > 1);
    stream.add('shard-1', 'b', 'c', 'd');
    mapping.wake();
    await until(() => events.length === 1);
    expect(calls()).toEqual(['a b c']);
  });

  test.each<[string, Partial<EventSourceMappingProperties>, RegExp]>([
    ['no starting position', { StartingPosition: 'AT_TIMESTAMP' }, /TRIM_HORIZON or LATEST/],
    ['a batch that is too large', { BatchSize: 10_001 }, /less than or equal to 10000/],
    ['an unknown response type', { FunctionResponseTypes: ['Other'] }, /Other/],
  ])('%s is refused', (_name, properties, message) => {
    expect(() => map(oneShard().call, STREAM_ARN, properties)).toThrow(message);
  });
});

describe('over the embedded DynamoDB', () => {
  let clock: SystemClock;
  let database: EmbeddedDynamoDb;

  beforeAll(() => {
    clock = new SystemClock();
    database = new EmbeddedDynamoDb({ region: 'eu-west-1', accountId: '000000000000', clock });
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    clock[Symbol.dispose]();
  });

  test('records come in order, in the shape of DynamoDB events on Lambda', async () => {
    const { TableDescription } = await database.call('CreateTable', {
      TableName: 'orders',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    });
    const streamArn = (TableDescription as { LatestStreamArn: string }).LatestStreamArn;
    const call: StreamsCall = (operation, input) => database.call(operation, input);
    map(call, streamArn, { BatchSize: 10 }, { onRecords: (listener) => database.onRecords(streamArn, listener) });
    for (let number = 0; number < 40; number += 1) {
      await database.call('PutItem', {
        TableName: 'orders',
        Item: { pk: { S: `order-${number}` }, total: { N: String(number) }, raw: { B: 'AQI=' } },
      });
    }
    await until(() => events.flat().length === 40);
    expect(events.flat().map(key)).toEqual(Array.from({ length: 40 }, (_, number) => `order-${number}`));
    expect(Math.max(...events.map(({ length }) => length))).toBeLessThanOrEqual(10);
    expect(events[0]?.[0]).toEqual({
      eventID: expect.any(String),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'eu-west-1',
      eventSourceARN: streamArn,
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: { pk: { S: 'order-0' } },
        NewImage: { pk: { S: 'order-0' }, total: { N: '0' }, raw: { B: 'AQI=' } },
        SequenceNumber: expect.any(String),
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_IMAGE',
      },
    });
    expect(warnings).toEqual([]);
  });
});
