import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { Clock } from '../../core/clock.ts';
import type { AlarmChange } from '../../core/observations.ts';
import type { QueueMetric } from '../sqs/metrics.ts';
import { Alarms } from './alarms.ts';
import { metricSource, ObservedMetrics, type ObservedSource } from './observed-metrics.ts';

const functionMetric = (FunctionName: string, name: string) => metricSource('AWS/Lambda', name, { FunctionName });
const streamReads = (TableName: string, StreamLabel: string) =>
  metricSource('AWS/DynamoDB', 'SuccessfulRequestLatency', { TableName, StreamLabel, Operation: 'GetRecords' });
const topic = 'arn:aws:sns:us-east-1:000000000000:alarms';

/** One alarm in a world where a second takes no time. */
function watch(properties: Record<string, unknown>, options: { periodSeconds?: number } = {}) {
  let now = Date.UTC(2026, 0, 1, 12, 0, 0);
  const values: Partial<Record<QueueMetric, number>> = {};
  const changes: AlarmChange[] = [];
  const observed = new ObservedMetrics();
  const published: Array<{ topicArn: string; Subject: string; message: Record<string, unknown> }> = [];
  const warnings: string[] = [];
  const alarms = new Alarms({
    resources: [{ name: 'the-alarm', arn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:the-alarm', properties }],
    accountId: '000000000000',
    region: 'us-east-1',
    ...options,
    observed,
    read: (queueName, metric) => (queueName === 'q' ? values[metric] : undefined),
    publish: async (topicArn, { Subject, Message }) => {
      published.push({ topicArn, Subject, message: JSON.parse(Message) });
    },
    onChange: (change) => changes.push(change),
    onWarning: (line) => warnings.push(line),
    clock: { now: () => now } as Clock,
    reports: (namespace, name) => namespace !== 'AWS/EC2' && name !== 'DeadLetterErrors',
  });
  return {
    changes,
    published,
    warnings,
    /** Sets metrics; undefined is a queue that does not report one. */
    set: (given: Partial<Record<QueueMetric, number | undefined>>) => Object.assign(values, given),
    /** Lets seconds pass, each with its sample, and gives the state. */
    pass: (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        alarms.tick();
        now += 1000;
      }
      return alarms.list()[0]?.state;
    },
    /** Something happens that is measured. */
    observe: (source: ObservedSource, value: number) => observed.record(source, value, now),
    status: () => alarms.list()[0],
    alarms,
  };
}

const depth = {
  AlarmDescription: 'A message is dead',
  Namespace: 'AWS/SQS',
  MetricName: 'ApproximateNumberOfMessagesVisible',
  Dimensions: [{ Name: 'QueueName', Value: 'q' }],
  Statistic: 'Maximum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'notBreaching',
  AlarmActions: [topic],
  OKActions: [topic],
};

const age = { ...depth, MetricName: 'ApproximateAgeOfOldestMessage', Threshold: 300, EvaluationPeriods: 3 };

const metric = (Id: string, MetricName: string, Stat: string) => ({
  Id,
  MetricStat: { Metric: { Namespace: 'AWS/SQS', MetricName, Dimensions: depth.Dimensions }, Stat, Period: 60 },
  ReturnData: false,
});

const stopped = {
  ...depth,
  Namespace: undefined,
  MetricName: undefined,
  Dimensions: undefined,
  Statistic: undefined,
  Period: undefined,
  Metrics: [
    metric('waiting', 'ApproximateNumberOfMessagesVisible', 'Minimum'),
    metric('received', 'NumberOfMessagesReceived', 'Sum'),
    { Id: 'stopped', Expression: 'IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)', ReturnData: true },
  ],
  EvaluationPeriods: 5,
};

const visible = (count: number | undefined) => ({ ApproximateNumberOfMessagesVisible: count });

describe('a dead-letter queue that is not empty', () => {
  test('is an alarm with the first sample, and over when a whole period was without', () => {
    const { set, pass, changes } = watch(depth);
    set(visible(0));
    expect(pass(90)).toBe('OK');
    set(visible(2));
    expect(pass(1)).toBe('ALARM');
    set(visible(0));
    // 29 s are left of the period that had a message; the next one has none.
    expect(pass(29 + 60)).toBe('ALARM');
    expect(pass(1)).toBe('OK');
    expect(changes).toMatchObject([
      {
        name: 'the-alarm',
        description: 'A message is dead',
        previousState: 'OK',
        state: 'ALARM',
        reason:
          'Threshold Crossed: 1 out of the last 1 datapoints [2.0 (12:01:00)] was greater than the threshold (0.0)',
      },
      {
        previousState: 'ALARM',
        state: 'OK',
        reason:
          'Threshold Crossed: 1 out of the last 1 datapoints [0.0 (12:02:00)] was not greater than the threshold (0.0)',
      },
    ]);
  });

  test('stays an alarm for as long as it is not, and tells of it once', () => {
    const { set, pass, changes } = watch(depth);
    set(visible(1));
    expect(pass(600)).toBe('ALARM');
    expect(changes).toHaveLength(1);
  });

  test('a message that was there for a moment counts for its period', () => {
    const { set, pass } = watch(depth);
    set(visible(0));
    pass(10);
    set(visible(1));
    pass(1);
    set(visible(0));
    expect(pass(60)).toBe('ALARM');
  });

  test('the first state is news only if it is an alarm', () => {
    const quiet = watch(depth);
    quiet.set(visible(0));
    expect(quiet.pass(1)).toBe('OK');
    expect(quiet.changes).toEqual([]);
    const loud = watch(depth);
    loud.set(visible(1));
    expect(loud.pass(1)).toBe('ALARM');
    expect(loud.changes).toMatchObject([{ previousState: 'INSUFFICIENT_DATA', state: 'ALARM' }]);
  });

  test('another period replaces the template’s', () => {
    const { set, pass } = watch(depth, { periodSeconds: 2 });
    set(visible(1));
    expect(pass(1)).toBe('ALARM');
    set(visible(0));
    expect(pass(4)).toBe('OK');
  });
});

describe('a queue that is emptied too slowly', () => {
  test('is an alarm when the third period in a row has passed the threshold', () => {
    const { set, pass } = watch(age);
    set({ ApproximateAgeOfOldestMessage: 301 });
    expect(pass(120)).not.toBe('ALARM');
    expect(pass(1)).toBe('ALARM');
  });

  test('two late messages with one in time between them are none', () => {
    const { set, pass } = watch(age);
    for (const seconds of [301, 10, 301, 301]) {
      set({ ApproximateAgeOfOldestMessage: seconds });
      expect(pass(60)).toBe('OK');
    }
  });

  test('the threshold itself is not beyond it', () => {
    const { set, pass } = watch(age);
    set({ ApproximateAgeOfOldestMessage: 300 });
    expect(pass(600)).toBe('OK');
  });
});

describe('a consumer that has stopped', () => {
  test('is an alarm when messages wait and none is received for five whole periods', () => {
    const { set, pass, changes } = watch(stopped);
    set({ ...visible(3), NumberOfMessagesReceived: 7 });
    expect(pass(300)).toBe('OK');
    expect(pass(1)).toBe('ALARM');
    set({ NumberOfMessagesReceived: 8 });
    expect(pass(60)).toBe('OK');
    expect(changes.map(({ state }) => state)).toEqual(['ALARM', 'OK']);
  });

  test('is none while it receives, however many wait', () => {
    const { set, pass } = watch(stopped);
    for (let received = 0; received < 20; received += 1) {
      set({ ...visible(1000), NumberOfMessagesReceived: received });
      expect(pass(60)).toBe('OK');
    }
  });

  test('is none when nothing waits, nor when the queue is empty for a moment in every period', () => {
    const { set, pass } = watch(stopped);
    set({ ...visible(0), NumberOfMessagesReceived: 0 });
    expect(pass(600)).toBe('OK');
    for (let minute = 0; minute < 10; minute += 1) {
      set(visible(1));
      pass(59);
      set(visible(0));
      expect(pass(1)).toBe('OK');
    }
  });
});

describe('a function', () => {
  const ofFunction = (changes: Record<string, unknown>) => ({
    ...depth,
    Namespace: 'AWS/Lambda',
    Dimensions: [{ Name: 'FunctionName', Value: 'f' }],
    Period: 300,
    EvaluationPeriods: 2,
    ...changes,
  });

  test('that fails again and again is an alarm, and over when it has not failed for a period', () => {
    const { observe, pass } = watch(ofFunction({ MetricName: 'Errors', Statistic: 'Sum' }));
    const fails = (error: 0 | 1) => observe(functionMetric('f', 'Errors'), error);
    pass(1);
    fails(1);
    expect(pass(300)).toBe('OK');
    fails(1);
    expect(pass(300)).toBe('ALARM');
    fails(0);
    expect(pass(300)).toBe('OK');
  });

  test('that is not called has no datapoints: they are missing, and not 0', () => {
    const alarm = ofFunction({ MetricName: 'IteratorAge', Statistic: 'Maximum', Threshold: 300_000, Period: 60 });
    const { observe, pass } = watch({ ...alarm, TreatMissingData: 'missing', EvaluationPeriods: 1 });
    pass(1);
    observe(functionMetric('f', 'IteratorAge'), 300_001);
    expect(pass(1)).toBe('ALARM');
    expect(pass(600)).toBe('INSUFFICIENT_DATA');
  });

  test.each([
    ['Invocations', 'Sum', [1, 1, 1], 3],
    ['Duration', 'Average', [1, 2, 6], 3],
    ['Duration', 'SampleCount', [9, 9, 9], 3],
    ['ConcurrentExecutions', 'Maximum', [1, 3, 2], 3],
    ['Throttles', 'Minimum', [3, 4, 5], 3],
  ] as const)('%s has %s', (MetricName, Statistic, values, result) => {
    const alarm = ofFunction({ MetricName, Statistic, Period: 60, EvaluationPeriods: 1, Threshold: result });
    const beyond = watch({ ...alarm, ComparisonOperator: 'GreaterThanOrEqualToThreshold' });
    const within = watch({ ...alarm, ComparisonOperator: 'GreaterThanThreshold' });
    for (const { observe, pass } of [beyond, within]) {
      pass(1);
      for (const value of values) observe(functionMetric('f', MetricName), value);
      observe(functionMetric('g', MetricName), 1_000);
      pass(60);
    }
    expect([beyond.status()?.state, within.status()?.state]).toEqual(['ALARM', 'OK']);
  });
});

describe('a stream that nobody reads', () => {
  const { resources } = parse(readFileSync(new URL('../../../../../serverless.outbox.yml', import.meta.url), 'utf8'), {
    logLevel: 'error',
  });
  const dimensions = { TableName: 't', Operation: 'GetRecords', StreamLabel: 'l' };
  const relayStopped = {
    ...resources.Resources.RelayStoppedAlarm.Properties,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };

  test('is an alarm after ten minutes without a read, and over with the next one', () => {
    const { observe, pass } = watch(relayStopped);
    const read = () => observe(streamReads('t', 'l'), 2);
    pass(1);
    read();
    expect(pass(60 * 10)).toBe('OK');
    expect(pass(60 * 3)).toBe('ALARM');
    read();
    expect(pass(60)).toBe('OK');
  });

  test('is none while it is read, be it that nothing is in it', () => {
    const { observe, pass } = watch(relayStopped);
    for (let minute = 0; minute < 30; minute += 1) {
      observe(streamReads('t', 'l'), 2);
      expect(pass(60)).not.toBe('ALARM');
    }
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
describe('some of several datapoints', () => {
  test('two of three are enough where DatapointsToAlarm says so', () => {
    const { set, pass } = watch({ ...age, DatapointsToAlarm: 2 });
    for (const [seconds, state] of [
      [301, 'OK'],
      [10, 'OK'],
      [301, 'ALARM'],
      [10, 'ALARM'],
      [10, 'OK'],
    ] as const) {
      set({ ApproximateAgeOfOldestMessage: seconds });
      expect(pass(60)).toBe(state);
    }
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
describe('comparisons', () => {
  test.each([
    ['GreaterThanThreshold', 5, 6],
    ['GreaterThanOrEqualToThreshold', 4, 5],
    ['LessThanThreshold', 5, 4],
    ['LessThanOrEqualToThreshold', 6, 5],
  ])('%s: %d is within and %d beyond 5', (ComparisonOperator, within, beyond) => {
    const { set, pass } = watch({ ...depth, ComparisonOperator, Threshold: 5, Statistic: 'Average' });
    set(visible(within));
    expect(pass(121)).toBe('OK');
    set(visible(beyond));
    expect(pass(120)).toBe('ALARM');
  });

  test('a minimum that must not be fallen below is an alarm at once', () => {
    const { set, pass } = watch({
      ...depth,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Statistic: 'Minimum',
    });
    set(visible(1));
    expect(pass(70)).toBe('OK');
    set(visible(0));
    expect(pass(1)).toBe('ALARM');
  });

  test('a count that must not be too low is one only when the period is over', () => {
    const { set, pass } = watch({
      ...depth,
      MetricName: 'NumberOfMessagesSent',
      Statistic: 'Sum',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
    });
    set({ NumberOfMessagesSent: 0 });
    expect(pass(60)).toBe('OK');
    expect(pass(1)).toBe('ALARM');
  });

  test('an average is one only when the period is over', () => {
    const { set, pass, changes } = watch({ ...depth, Statistic: 'Average', Threshold: 5 });
    set(visible(100));
    pass(1);
    set(visible(0));
    expect(pass(60)).toBe('OK');
    expect(changes).toEqual([]);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
describe('missing data', () => {
  const after = (TreatMissingData: string | undefined, value: number) => {
    const { set, pass } = watch({ ...depth, TreatMissingData, Statistic: 'Average', EvaluationPeriods: 2 });
    set(visible(value));
    pass(121);
    set(visible(undefined));
    return pass(600);
  };

  test.each([
    ['notBreaching', 1, 'OK'],
    ['notBreaching', 0, 'OK'],
    ['breaching', 1, 'ALARM'],
    ['breaching', 0, 'ALARM'],
    ['ignore', 1, 'ALARM'],
    ['ignore', 0, 'OK'],
    ['missing', 1, 'INSUFFICIENT_DATA'],
    ['missing', 0, 'INSUFFICIENT_DATA'],
    [undefined, 1, 'INSUFFICIENT_DATA'],
  ])('treated as %s, after a value of %d', (treatment, value, state) => {
    expect(after(treatment, value)).toBe(state);
  });

  test('does not matter while there is data enough a little further back', () => {
    const { set, pass } = watch({ ...depth, TreatMissingData: 'breaching' });
    set(visible(0));
    pass(60);
    set(visible(undefined));
    expect(pass(120)).toBe('OK');
    expect(pass(120)).toBe('ALARM');
  });

  test('a single breach among missing data does not look like three', () => {
    const { set, pass } = watch({ ...age, Statistic: 'Average', TreatMissingData: 'missing' });
    set({ ApproximateAgeOfOldestMessage: 301 });
    pass(60);
    set({ ApproximateAgeOfOldestMessage: undefined });
    expect(pass(1)).toBe('INSUFFICIENT_DATA');
    // Two more periods without data: the breach is now as old as the alarm wants it.
    expect(pass(120)).toBe('ALARM');
  });

  test('before the start is not held against an alarm', () => {
    const { set, pass, changes } = watch({
      ...depth,
      TreatMissingData: 'breaching',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 1,
    });
    set(visible(0));
    expect(pass(600)).toBe('OK');
    expect(changes).toEqual([]);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
describe('notifications', () => {
  test('go to the topics as CloudWatch writes them', () => {
    const { set, pass, published } = watch(depth);
    set(visible(0));
    pass(1);
    set(visible(1));
    pass(1);
    expect(published).toEqual([
      {
        topicArn: topic,
        Subject: 'ALARM: "the-alarm" in us-east-1',
        message: {
          AlarmName: 'the-alarm',
          AlarmDescription: 'A message is dead',
          AWSAccountId: '000000000000',
          NewStateValue: 'ALARM',
          NewStateReason: expect.stringContaining('Threshold Crossed: 1 out of the last 1 datapoints [1.0 (12:00:00)]'),
          StateChangeTime: '2026-01-01T12:00:01.000+0000',
          Region: 'us-east-1',
          AlarmArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:the-alarm',
          OldStateValue: 'OK',
          OKActions: [topic],
          AlarmActions: [topic],
          InsufficientDataActions: [],
          Trigger: {
            MetricName: 'ApproximateNumberOfMessagesVisible',
            Namespace: 'AWS/SQS',
            StatisticType: 'Statistic',
            Statistic: 'MAXIMUM',
            Unit: null,
            Dimensions: [{ value: 'q', name: 'QueueName' }],
            Period: 60,
            EvaluationPeriods: 1,
            ComparisonOperator: 'GreaterThanThreshold',
            Threshold: 0,
            TreatMissingData: 'notBreaching',
            EvaluateLowSampleCountPercentile: '',
          },
        },
      },
    ]);
  });

  test('follow the state, and other actions than topics are left alone', () => {
    const { set, pass, published } = watch({
      ...depth,
      AlarmActions: ['arn:aws:lambda:us-east-1:000000000000:function:f'],
      OKActions: [`${topic}-ok`],
    });
    set(visible(1));
    pass(1);
    expect(published).toEqual([]);
    set(visible(0));
    pass(120);
    expect(published).toMatchObject([{ topicArn: `${topic}-ok`, message: { NewStateValue: 'OK' } }]);
  });

  test('are not sent where ActionsEnabled is off', () => {
    const { set, pass, published, changes } = watch({ ...depth, ActionsEnabled: false });
    set(visible(1));
    pass(1);
    expect(changes).toHaveLength(1);
    expect(published).toEqual([]);
  });
});

describe('what cannot be evaluated here', () => {
  test('a metric of AWS that no service of this machine reports is listed, and warned of', () => {
    const { pass, status, warnings } = watch({ ...depth, Namespace: 'AWS/EC2', MetricName: 'CPUUtilization' });
    pass(120);
    expect(status()).toMatchObject({
      name: 'the-alarm',
      state: 'INSUFFICIENT_DATA',
      reason: 'Not evaluated here: this machine does not report CPUUtilization of AWS/EC2',
      stateUpdatedAt: '2026-01-01T12:00:00.000Z',
    });
    expect(warnings).toEqual([
      'The alarm the-alarm is not evaluated: this machine does not report CPUUtilization of AWS/EC2',
    ]);
  });

  const [waiting, received, expression] = stopped.Metrics;
  test.each([
    [
      'an expression',
      { ...stopped, Metrics: [waiting, { ...expression, Expression: 'RATE(waiting)' }] },
      'the expression "RATE(waiting)" cannot be evaluated: RATE of 1 is not available',
    ],
    ['an id', { ...stopped, Metrics: [waiting, expression] }, 'there is no metric "received"'],
    [
      'a circle',
      {
        ...stopped,
        Metrics: [
          { Id: 'a', Expression: 'b' },
          { Id: 'b', Expression: 'a', ReturnData: false },
        ],
      },
      'the expression "a" refers to itself',
    ],
    ['nothing to watch', { ...stopped, Metrics: [waiting, received] }, 'none of its metrics returns data'],
    ['a percentile', { ...depth, Statistic: undefined, ExtendedStatistic: 'p90' }, 'p90 of Approximate'],
    ['a sum of a gauge', { ...depth, Statistic: 'Sum' }, 'Sum of ApproximateNumberOfMessagesVisible is not available'],
    ['another metric', { ...depth, MetricName: 'SentMessageSize' }, 'Maximum of SentMessageSize is not available'],
    ['no queue', { ...depth, Dimensions: [] }, 'ApproximateNumberOfMessagesVisible has no QueueName'],
    [
      'another metric of a function',
      {
        ...depth,
        Namespace: 'AWS/Lambda',
        MetricName: 'DeadLetterErrors',
        Dimensions: [{ Name: 'FunctionName', Value: 'f' }],
      },
      'this machine does not report DeadLetterErrors of AWS/Lambda',
    ],
    ['an unknown statistic', { ...depth, Namespace: 'Shop', Statistic: 'Mode' }, 'Mode of Approximate'],
    [
      'anomaly detection',
      { ...depth, ComparisonOperator: 'GreaterThanUpperThreshold', Threshold: undefined },
      'the comparison GreaterThanUpperThreshold is not available',
    ],
  ])('%s is a warning', (_name, properties, problem) => {
    const { pass, warnings } = watch(properties);
    expect(pass(120)).toBe('INSUFFICIENT_DATA');
    expect(warnings).toEqual([expect.stringContaining(`The alarm the-alarm is not evaluated: ${problem}`)]);
  });

  test('one expression may use another', () => {
    const { set, pass } = watch({
      ...stopped,
      EvaluationPeriods: 1,
      Metrics: [
        waiting,
        { Id: 'twice', Expression: 'waiting * 2', ReturnData: false },
        { Id: 'e', Expression: 'twice > 7' },
      ],
    });
    set(visible(3));
    expect(pass(120)).toBe('OK');
    set(visible(4));
    expect(pass(120)).toBe('ALARM');
  });
});
