import {
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricDatum,
  PutMetricDataCommand,
  paginateGetMetricData,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { at, type CloudWatchUnderTest, startCloudWatch } from '../../../fixtures/cloudwatch-under-test.ts';
import { embeddedMetrics } from './embedded-metrics.ts';

const Namespace = 'Shop';

let started: CloudWatchUnderTest;
let client: CloudWatchUnderTest['client'];

const put = (...MetricData: MetricDatum[]) => client.send(new PutMetricDataCommand({ Namespace, MetricData }));

beforeEach(async () => {
  started = await startCloudWatch();
  client = started.client;
});

afterEach(async () => {
  await started[Symbol.asyncDispose]();
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
describe('GetMetricData', () => {
  const stat = (Id: string, MetricName: string, ReturnData = false) => ({
    ...{ Id, ReturnData },
    MetricStat: { Metric: { Namespace, MetricName }, Period: 60, Stat: 'Sum' },
  });

  beforeEach(async () => {
    await put(
      { MetricName: 'Errors', Value: 1, Timestamp: at(1) },
      { MetricName: 'Calls', Value: 10, Timestamp: at(0) },
      { MetricName: 'Calls', Value: 4, Timestamp: at(1) },
    );
  });

  it('evaluates expressions period by period, newest first unless asked otherwise', async () => {
    const range = { StartTime: at(0), EndTime: at(3) };
    const MetricDataQueries = [
      { Id: 'rate', Expression: 'percent / 100', Label: 'Error rate' },
      { Id: 'percent', Expression: '100 * FILL(errors, 0) / calls', ReturnData: false },
      stat('errors', 'Errors', true),
      stat('calls', 'Calls'),
    ];
    const { MetricDataResults } = await client.send(new GetMetricDataCommand({ ...range, MetricDataQueries }));
    expect(MetricDataResults).toEqual([
      { Id: 'rate', Label: 'Error rate', Timestamps: [at(1), at(0)], Values: [0.25, 0], StatusCode: 'Complete' },
      { Id: 'errors', Label: 'Errors', Timestamps: [at(1)], Values: [1], StatusCode: 'Complete' },
    ]);
    const ascending = await client.send(
      new GetMetricDataCommand({ ...range, MetricDataQueries, ScanBy: 'TimestampAscending' }),
    );
    expect(ascending.MetricDataResults?.[0]?.Values).toEqual([0, 0.25]);
  });

  it('gives page by page', async () => {
    const found: unknown[] = [];
    const request = {
      StartTime: at(0),
      EndTime: at(3),
      MetricDataQueries: [stat('calls', 'Calls', true)],
      MaxDatapoints: 1,
    };
    for await (const { MetricDataResults = [] } of paginateGetMetricData({ client }, request)) {
      found.push(...MetricDataResults.map(({ Values, StatusCode }) => [Values, StatusCode]));
    }
    expect(found).toEqual([
      [[4], 'PartialData'],
      [[10], 'Complete'],
    ]);
  });

  it.each([
    ['a + b', 'Unknown metric or expression "a"'],
    ['e + 1', 'The expression "e" refers to itself'],
    ['ANOMALY_DETECTION_BAND(calls)', "Error in expression 'e': ANOMALY_DETECTION_BAND of 1 is not available"],
    ['1 + 1', 'The expression "e" refers to no metric: give it a Period'],
  ])('refuses %s', async (Expression, message) => {
    const MetricDataQueries = [{ Id: 'e', Expression }, stat('calls', 'Calls')];
    await expect(
      client.send(new GetMetricDataCommand({ StartTime: at(0), EndTime: at(3), MetricDataQueries })),
    ).rejects.toMatchObject({ message });
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
describe('the embedded metric format', () => {
  const entry = {
    _aws: {
      Timestamp: at(0).getTime(),
      CloudWatchMetrics: [
        {
          Namespace,
          Dimensions: [['service'], ['service', 'stage']],
          Metrics: [{ Name: 'Published', Unit: 'Count' }, { Name: 'Lag' }, { Name: 'Missing' }],
        },
      ],
    },
    service: 'orders',
    stage: 'dev',
    Published: [1, 2],
    Lag: 5,
  };

  it('in log events becomes metrics, once for each set of dimensions', async () => {
    started.handle.readEvents([
      { timestamp: at(0).getTime(), message: JSON.stringify(entry) },
      { timestamp: at(0).getTime(), message: 'plain text with "_aws"' },
    ]);
    const MetricDataQueries = [{ Name: 'service', Value: 'orders' }].map((dimension) => ({
      Id: 'published',
      MetricStat: { Metric: { Namespace, MetricName: 'Published', Dimensions: [dimension] }, Period: 60, Stat: 'Sum' },
    }));
    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({ StartTime: at(0), EndTime: at(1), MetricDataQueries }),
    );
    expect(MetricDataResults).toMatchObject([{ Values: [3] }]);
    expect(
      embeddedMetrics(JSON.stringify(entry), 0).map(({ name, dimensions }) => `${name} ${dimensions.length}`),
    ).toEqual(['Published 1', 'Published 2', 'Lag 1', 'Lag 2']);
  });

  it.each([
    '{"_aws":null}',
    '{"_aws":{"CloudWatchMetrics":{}}}',
    '{"_aws":{"CloudWatchMetrics":[null,{"Namespace":1,"Metrics":[]},{"Namespace":"x","Metrics":[null]}]}}',
    '{"_aws"',
  ])('is not read from %s', (message) => {
    expect(embeddedMetrics(message, 0)).toEqual([]);
  });

  it('without a valid time has that of its log event', () => {
    const message = JSON.stringify({ ...entry, _aws: { ...entry._aws, Timestamp: 'now' } });
    expect(embeddedMetrics(message, 42)[0]?.timestamp).toBe(42);
  });
});

describe('alarms', () => {
  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html */
  it('are described, and put in a state that is published', async () => {
    await client.send(
      new SetAlarmStateCommand({ AlarmName: 'dead-letters', StateValue: 'ALARM', StateReason: 'trying the alarm' }),
    );
    expect(started.published).toEqual([
      { topicArn: 'arn:aws:sns:eu-central-1:000000000000:alarms', Subject: 'ALARM: "dead-letters" in eu-central-1' },
    ]);
    const { MetricAlarms } = await client.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
    expect(MetricAlarms).toEqual([
      {
        AlarmName: 'dead-letters',
        AlarmArn: 'arn:aws:cloudwatch:eu-central-1:000000000000:alarm:dead-letters',
        AlarmDescription: 'A message is dead.',
        ActionsEnabled: true,
        OKActions: [],
        AlarmActions: ['arn:aws:sns:eu-central-1:000000000000:alarms'],
        InsufficientDataActions: [],
        StateValue: 'ALARM',
        StateReason: 'trying the alarm',
        StateUpdatedTimestamp: at(0),
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'missing',
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: 'orders-dlq' }],
        Statistic: 'Maximum',
        Period: 60,
      },
    ]);
    expect((await client.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'other' }))).MetricAlarms).toEqual([]);
    await expect(
      client.send(new SetAlarmStateCommand({ AlarmName: 'none', StateValue: 'OK', StateReason: '' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFound' });
  });
});

/** Clients of other ages and languages speak other protocols: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/making-api-requests.html */
describe.each([
  ['the query protocol', AwsQueryProtocol],
  ['CBOR', AwsSmithyRpcV2CborProtocol],
])('over %s', (_name, protocol) => {
  it('metrics are written and read, and errors told', async () => {
    const other = started.connect({ protocol });
    const Dimensions = [{ Name: 'stage', Value: 'dev' }];
    await other.send(
      new PutMetricDataCommand({
        Namespace,
        MetricData: [
          { MetricName: 'Orders', Dimensions, Value: 2.5, Timestamp: at(0) },
          { MetricName: 'Orders', Dimensions, Values: [1, 2], Counts: [1, 3], Timestamp: at(0) },
        ],
      }),
    );
    const MetricDataQueries = [
      {
        Id: 'orders',
        MetricStat: { Metric: { Namespace, MetricName: 'Orders', Dimensions }, Period: 60, Stat: 'Sum' },
      },
      { Id: 'twice', Expression: 'orders * 2', ReturnData: true },
    ];
    const { MetricDataResults } = await other.send(
      new GetMetricDataCommand({ StartTime: at(0), EndTime: at(1), MetricDataQueries }),
    );
    expect(MetricDataResults).toMatchObject([
      { Id: 'orders', Timestamps: [at(0)], Values: [9.5] },
      { Id: 'twice', Timestamps: [at(0)], Values: [19] },
    ]);
    await expect(
      other.send(new PutMetricDataCommand({ Namespace: 'AWS/SQS', MetricData: [{ MetricName: 'x', Value: 1 }] })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });
});
