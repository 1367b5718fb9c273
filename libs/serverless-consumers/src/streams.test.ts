import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledService, compileTemplates } from '@millrace/workspace/packaging';
import { ConfigurationError } from './configuration-error.ts';
import { checkKind } from './consume-options.ts';
import { streamSettings } from './stream-options.ts';

const lib = join(import.meta.dirname, '..');
let tuned: CompiledService;

beforeAll(async () => {
  [tuned] = (await compileTemplates({
    directories: [join(lib, 'fixtures', 'tuned')],
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(lib, '.millrace', 'cache'),
    log: () => {},
  })) as [CompiledService];
});

const properties = (id: string) => tuned.template.Resources?.[id]?.Properties ?? {};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

describe('a consume of a stream becomes', () => {
  // https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
  test('a mapping that begins with the first record, divides what fails, and says what it gives up', () => {
    expect(properties('OnSignalEventSourceMapping')).toEqual({
      EventSourceArn: arn('Signals'),
      FunctionName: arn('OnSignalLambdaFunction'),
      Enabled: true,
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 2,
      ParallelizationFactor: 4,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 1000,
      MaximumRecordAgeInSeconds: 82_800,
      DestinationConfig: { OnFailure: { Destination: arn('OnSignalDeadLetterQueue') } },
    });
  });

  test('a dead-letter queue that no queue dead-letters into', () => {
    expect(properties('OnSignalDeadLetterQueue')).toMatchObject({
      QueueName: 'millrace-tuned-dev-on-signal-dlq',
      RedriveAllowPolicy: { redrivePermission: 'denyAll' },
    });
    expect(properties('OnSignalDeadLetterQueuePolicy')).toMatchObject({ Queues: [{ Ref: 'OnSignalDeadLetterQueue' }] });
  });

  test('a role that reads the stream and writes letters', () => {
    const [policy] = properties('OnSignalRole').Policies as [{ PolicyDocument: { Statement: object[] } }];
    expect(policy.PolicyDocument.Statement.slice(1)).toEqual([
      {
        Effect: 'Allow',
        Action: ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
          (name) => `kinesis:${name}`,
        ),
        Resource: arn('Signals'),
      },
      { Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: arn('OnSignalDeadLetterQueue') },
    ]);
  });

  test('variables by which the function knows itself and its letters', () => {
    expect(properties('OnSignalLambdaFunction').Environment).toMatchObject({
      Variables: { MILLRACE_CONSUMER: 'tuned.onSignal', MILLRACE_CONSUMER_DLQ_URL: { Ref: 'OnSignalDeadLetterQueue' } },
    });
  });

  test('five alarms', () => {
    expect(properties('OnSignalDeadLetterQueueDepthAlarm').AlarmName).toBe('millrace-tuned-dev-on-signal-dlq-depth');
    expect(properties('OnSignalStreamAgeAlarm')).toMatchObject({ MetricName: 'IteratorAge', Threshold: 120_000 });
    expect(properties('OnSignalStreamFailingAlarm')).toMatchObject({ MetricName: 'Errors', DatapointsToAlarm: 3 });
    expect(properties('OnSignalStreamThrottledAlarm')).toMatchObject({ MetricName: 'Throttles' });
    expect(properties('OnSignalStreamStoppedAlarm')).toMatchObject({
      ...{ Namespace: 'AWS/Kinesis', MetricName: 'GetRecords.Success', Statistic: 'SampleCount' },
      Dimensions: [{ Name: 'StreamName', Value: { Ref: 'Signals' } }],
      ...{ ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' },
    });
  });
});

test('a consume of another service’s stream reads what that exports, and its alarm knows the name by the ARN', () => {
  const exported = { 'Fn::ImportValue': 'millrace-dev:SignalsArn' };
  const settings = streamSettings({ stream: exported }, place);
  expect(settings.stream).toEqual({
    arn: exported,
    name: { 'Fn::Select': [1, { 'Fn::Split': ['/', exported] }] },
  });
});

const stream = arn('Signals');
const place = { key: 'functions.onSignal.events[0].consume', deadLetterRetention: 604_800 };

test.each([
  [{ stream: { Ref: 'Signals' } }, 'stream', /must be !GetAtt <logical id>\.Arn/],
  [{ stream: { 'Fn::ImportValue': { Ref: 'Name' } } }, 'stream', /or Fn::ImportValue/],
  [{ stream, batchSize: 0 }, 'batchSize', /is 0, but must be from 1 to 10000 records/],
  [{ stream, batchWindow: 301 }, 'batchWindow', /is 301, but must be from 0 to 300/],
  [{ stream, parallelizationFactor: 11 }, 'parallelizationFactor', /is 11, but must be from 1 to 10/],
  [{ stream, maximumRetryAttempts: 0 }, 'maximumRetryAttempts', /is 0, but must be from 1 to 10000/],
  [{ stream, maximumRecordAge: 86_400 }, 'maximumRecordAge', /is 86400, but must be from 60 to 86399/],
  [{ stream, ageAlarm: 59 }, 'ageAlarm', /is 59, but must be from 60 to 86400/],
])('%j is refused', (options, option, problem) => {
  const error = errorOf(() => streamSettings(options, place));
  expect([error.key, error.message]).toEqual([`${place.key}.${option}`, expect.stringMatching(problem)]);
});

test.each([
  [{ stream, events: ['ShelfFilled.v1'] }, 'events', /is for events of a bus, not for streams/],
  [{ stream, maxReceiveCount: 3 }, 'maxReceiveCount', /is for events of a bus, not for streams/],
  [{ events: ['ShelfFilled.v1'], parallelizationFactor: 2 }, 'parallelizationFactor', /is for streams/],
  [{ batchSize: 10 }, 'events', /is missing: list the events/],
])('%j does not go together', (options, option, problem) => {
  const error = errorOf(() => checkKind(options as never, place.key));
  expect([error.key, error.message]).toEqual([`${place.key}.${option}`, expect.stringMatching(problem)]);
});

function errorOf(run: () => unknown): ConfigurationError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
  }
  throw new Error('nothing was refused');
}
