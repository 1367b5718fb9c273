import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runningOf, startCloud } from '../../fixtures/cloud-under-test.ts';
import type { Cloud } from '../core/cloud.ts';
import type { AwsService, MeteredCall } from '../core/service.ts';
import { type Meter, Usage } from '../core/usage.ts';
import { countStreamRead } from './dynamodb/stream-usage.ts';
import { countDynamoDb } from './dynamodb/usage.ts';
import { countPutEvents } from './events/usage.ts';
import { countHttpRequest } from './http-api/usage.ts';
import { services } from './index.ts';
import { countPutRecords } from './kinesis/usage.ts';
import { functionDefinition } from './lambda/function-definition.ts';
import { countLogLine } from './lambda/log-usage.ts';
import { countInvocation } from './lambda/usage.ts';
import { ses } from './ses/index.ts';
import { sns } from './sns/index.ts';
import { sqs } from './sqs/index.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud([sqs, sns, ses] as readonly AwsService[]);
});
afterAll(() => cloud[Symbol.asyncDispose]());

/** Meters a call of the function f. */
function meter(service: { name: string }, usage: Usage, call: Partial<MeteredCall>): void {
  const { operation = '', input = {} } = call;
  runningOf(cloud, service as AwsService).meter?.(usage, { operation, input, output: undefined, functionName: 'f' });
}

/** What was counted, a line each: `meter resource operation amount`. */
function counted(count: (usage: Usage) => unknown): string[] {
  const usage = new Usage();
  count(usage);
  return usage
    .entries()
    .map(({ meter, resource, operation, amount }) => [meter, resource, operation, amount].filter(Boolean).join(' '));
}

test('each meter is one service’s, which says what it counts', () => {
  const expected: Record<Meter, true> = {
    'lambda.invocations': true,
    'lambda.milliseconds': true,
    'lambda.gigabyteSeconds': true,
    'lambda.durableOperations': true,
    'lambda.durableBytes': true,
    'dynamodb.requests': true,
    'dynamodb.readUnits': true,
    'dynamodb.writeUnits': true,
    'dynamodb.keyWriteUnits': true,
    'dynamodb.streamReads': true,
    'dynamodb.streamRecords': true,
    'sqs.requests': true,
    'events.putCalls': true,
    'events.published': true,
    'events.delivered': true,
    'events.archivedBytes': true,
    'scheduler.created': true,
    'scheduler.invocations': true,
    'httpApi.requests': true,
    'httpApi.bytesOut': true,
    's3.reads': true,
    's3.writes': true,
    'ses.recipients': true,
    'sns.textMessages': true,
    'sns.notifications': true,
    'logs.bytes': true,
    'cloudwatch.metrics': true,
    'states.executions': true,
    'states.transitions': true,
    'pipes.requests': true,
    'kinesis.payloadUnits': true,
    'firehose.requests': true,
    'firehose.ingestedBytes': true,
    'firehose.deliveredBytes': true,
  };
  const declared = services.flatMap(({ meters = {} }) => Object.keys(meters));
  expect(declared.toSorted()).toEqual(Object.keys(expected).toSorted());
});

describe('usage', () => {
  test('adds up by meter, resource and operation', () => {
    const usage = new Usage();
    usage.add('sqs.requests', 'queue', 1, 'SendMessage');
    usage.add('sqs.requests', 'queue', 2, 'SendMessage');
    usage.add('sqs.requests', 'queue', 4, 'ReceiveMessage');
    usage.add('sqs.requests', 'other', 8, 'SendMessage');

    expect(usage.entries()).toEqual([
      { meter: 'sqs.requests', resource: 'other', operation: 'SendMessage', amount: 8 },
      { meter: 'sqs.requests', resource: 'queue', operation: 'ReceiveMessage', amount: 4 },
      { meter: 'sqs.requests', resource: 'queue', operation: 'SendMessage', amount: 3 },
    ]);
    expect(usage.total('sqs.requests')).toBe(15);
    expect(usage.total('sqs.requests', 'queue')).toBe(7);
    expect(usage.additions).toBe(4);
    usage.clear();
    expect(usage.entries()).toEqual([]);
    expect(usage.additions).toBe(4);
  });
});

describe('Lambda', () => {
  test('is billed in whole milliseconds, times its memory, and writes three lines of its own', () => {
    const usage = new Usage();
    countInvocation(usage, { name: 'f', memoryMb: 512 }, 99.01);
    countInvocation(usage, { name: 'f', memoryMb: 512 }, 0);

    expect(usage.total('lambda.invocations', 'f')).toBe(2);
    expect(usage.total('lambda.milliseconds', 'f')).toBe(101);
    expect(usage.total('lambda.gigabyteSeconds', 'f')).toBeCloseTo(0.0505, 10);
    expect(usage.total('logs.bytes', 'f')).toBe(2 * (71 + 52) + 143 + 140);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
  test.each([
    ['the format Text', {}, true],
    ['the system log level INFO', { LogFormat: 'JSON', SystemLogLevel: 'INFO' }, true],
    ['the system log level WARN', { LogFormat: 'JSON', SystemLogLevel: 'WARN' }, false],
  ])('writes such lines or not by %s', (_, LoggingConfig, writes) => {
    const usage = new Usage();
    const place = { name: 'f', arn: 'arn', codeDirectory: '.' };
    const definition = functionDefinition(place, { Handler: 'a.b', LoggingConfig }, { endpoints: {}, concurrency: 1 });

    countInvocation(usage, definition, 1);

    expect(usage.total('logs.bytes', 'f') > 0).toBe(writes);
  });
});

describe('logs', () => {
  test('count in bytes, a line break each', () => {
    expect(counted((usage) => countLogLine(usage, { functionName: 'f', line: 'grün' }))).toEqual(['logs.bytes f 6']);
  });

  test('in the embedded metric format make metrics, one for each set of dimensions', () => {
    const line = JSON.stringify({
      _aws: {
        CloudWatchMetrics: [
          { Namespace: 'N', Dimensions: [['service'], ['service', 'event']], Metrics: [{ Name: 'Handled' }] },
        ],
      },
      service: 'orders',
      event: 'OrderPlaced.v1',
      Handled: 1,
    });

    expect(counted((usage) => countLogLine(usage, { functionName: 'f', line }))).toEqual([
      'cloudwatch.metrics N Handled event=OrderPlaced.v1 service=orders 1',
      'cloudwatch.metrics N Handled service=orders 1',
      `logs.bytes f ${line.length + 1}`,
    ]);
  });

  test.each(['{"_aws": broken', '{"_aws":{}}', '{"message":"_aws"}'])('%s makes none', (line) => {
    expect(counted((usage) => countLogLine(usage, { functionName: 'f', line }))).toHaveLength(1);
  });
});

describe('EventBridge', () => {
  test('bills each accepted entry, by 64 KB', () => {
    const entry = (bytes: number) => ({ Source: '', DetailType: '', Detail: 'x'.repeat(bytes) });
    const input = { Entries: [entry(10), entry(64 * 1024), entry(64 * 1024 + 1), entry(10)] };
    const output = { Entries: [{ EventId: '1' }, { EventId: '2' }, { EventId: '3' }, { ErrorCode: 'No' }] };

    expect(counted((usage) => countPutEvents(usage, 'relay', input, output))).toEqual([
      'events.published relay 4',
      'events.putCalls relay 1',
    ]);
  });
});

describe('SQS', () => {
  test('bills what functions ask of it, by 64 KB of messages', () => {
    expect(counted((usage) => meter(sqs, usage, { operation: 'ChangeMessageVisibility' }))).toEqual([
      'sqs.requests f ChangeMessageVisibility 1',
    ]);
    const input = { QueueUrl: 'q', MessageBody: 'a'.repeat(65_537) };
    expect(counted((usage) => meter(sqs, usage, { operation: 'SendMessage', input }))).toEqual([
      'sqs.requests f SendMessage 2',
    ]);
  });
});

// https://aws.amazon.com/kinesis/data-streams/pricing/
describe('Kinesis', () => {
  const record = (bytes: number) => ({ Data: Buffer.alloc(bytes).toString('base64'), PartitionKey: 'k' });
  const put = (operation: string, input: object, output: object) =>
    counted((usage) => countPutRecords(usage, { functionName: 'f', operation, input, output }));

  test('bills each record that a stream took, by 25 KB', () => {
    const Records = [record(100), record(25 * 1024 + 1), record(10)];
    const taken = { SequenceNumber: '1' };
    const output = { Records: [taken, taken, { ErrorCode: 'ProvisionedThroughputExceededException' }] };
    expect(put('PutRecords', { Records }, output)).toEqual(['kinesis.payloadUnits f PutRecords 3']);
    expect(put('PutRecord', record(26 * 1024), taken)).toEqual(['kinesis.payloadUnits f PutRecord 2']);
  });

  test('bills no reads', () => {
    expect(put('GetRecords', { ShardIterator: 'i' }, { Records: [record(1)] })).toEqual([]);
  });
});

describe('mails and messages', () => {
  test('a mail is billed for each recipient', () => {
    const input = { Destination: { ToAddresses: ['a@b', 'c@d'], BccAddresses: ['e@f'] } };
    expect(counted((usage) => meter(ses, usage, { operation: 'SendEmail', input }))).toEqual(['ses.recipients f 3']);
  });

  test.each([
    [160, 'x', 1],
    [161, 'x', 2],
    [307, 'x', 3],
    [70, 'ü', 1],
    [71, 'ü', 2],
  ])('an SMS of %i × %s is billed as %i', (length, character, parts) => {
    const input = { PhoneNumber: '+1', Message: character.repeat(length) };
    expect(counted((usage) => meter(sns, usage, { operation: 'Publish', input }))).toEqual([
      `sns.textMessages f ${parts}`,
    ]);
  });

  test('publishing to a topic is something else', () => {
    const input = { TopicArn: 'arn', Message: 'x' };
    expect(counted((usage) => meter(sns, usage, { operation: 'Publish', input }))).toEqual(['sns.notifications f 1']);
  });
});

test('an HTTP API bills a request by 512 KB', () => {
  expect(counted((usage) => countHttpRequest(usage, 'f', 'x'.repeat(512 * 1024 + 1), 'answer'))).toEqual([
    'httpApi.bytesOut f 6',
    'httpApi.requests f 2',
  ]);
});

describe('DynamoDB', () => {
  const keyOf = () => 'pk';
  const item = (pk: string) => ({ pk: { S: pk }, v: { N: '1' } });

  test('a read is counted by the capacity of its answer', () => {
    const exchange = {
      operation: 'BatchGetItem',
      input: { RequestItems: { t: { Keys: [] } } },
      consumed: [{ TableName: 't', CapacityUnits: 1.5 }],
    };
    expect(counted((usage) => countDynamoDb(usage, exchange, keyOf))).toEqual([
      'dynamodb.readUnits t BatchGetItem 1.5',
      'dynamodb.requests t BatchGetItem 1',
    ]);
  });

  test('a transaction is counted by table, and shared among its keys', () => {
    const exchange = {
      operation: 'TransactWriteItems',
      input: {
        TransactItems: [
          { Put: { TableName: 't', Item: item('a') } },
          { Update: { TableName: 't', Key: { pk: { S: 'b' } } } },
          { ConditionCheck: { TableName: 'u', Key: { pk: { S: 'c' } } } },
        ],
      },
      consumed: [
        { TableName: 't', CapacityUnits: 4 },
        { TableName: 'u', CapacityUnits: 2 },
      ],
    };
    expect(counted((usage) => countDynamoDb(usage, exchange, keyOf))).toEqual([
      'dynamodb.keyWriteUnits t/a 2',
      'dynamodb.keyWriteUnits t/b 2',
      'dynamodb.keyWriteUnits u/c 2',
      'dynamodb.requests t TransactWriteItems 1',
      'dynamodb.writeUnits t TransactWriteItems 4',
      'dynamodb.writeUnits u TransactWriteItems 2',
    ]);
  });

  test.each([
    ['PutItem', { TableName: 't', Item: item('a') }, 'ConditionalCheckFailedException', 1],
    [
      'TransactWriteItems',
      { TransactItems: [{ Put: { TableName: 't', Item: item('a') } }, { Put: { TableName: 't', Item: item('b') } }] },
      'TransactionCanceledException',
      4,
    ],
  ])('a %s whose condition fails is billed', (operation, input, code, units) => {
    const usage = new Usage();
    countDynamoDb(usage, { operation, input, errorName: code }, keyOf);
    expect(usage.total('dynamodb.writeUnits', 't')).toBe(units);
  });

  test('a request that is refused otherwise costs nothing', () => {
    const exchange = { operation: 'GetItem', input: { TableName: 't' }, errorName: 'ThrottlingException' };
    expect(counted((usage) => countDynamoDb(usage, exchange, keyOf))).toEqual([]);
  });

  test('reads of a stream count when they bring something', () => {
    const arn = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026';
    expect(counted((usage) => countStreamRead(usage, arn, { Records: [] }))).toEqual([]);
    expect(counted((usage) => countStreamRead(usage, arn, { Records: [{}, {}] }))).toEqual([
      'dynamodb.streamReads t 1',
      'dynamodb.streamRecords t 2',
    ]);
  });
});
