import { decimal, flag, list, oneOf, required, type Shape, structure, text, time, whole } from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html

const namespace = text({ min: 1, max: 255, pattern: /^[^:].*$/ });
const name = text({ min: 1, max: 255 });
const dimensions = list(
  structure({ Name: required(text({ min: 1, max: 255 })), Value: required(text({ min: 1, max: 1024 })) }),
  { max: 30 },
);
const period = whole({ min: 1 });

const putMetricData = structure({
  Namespace: required(namespace),
  MetricData: list(
    structure({
      MetricName: required(name),
      Dimensions: dimensions,
      Timestamp: time(),
      Value: decimal(),
      StatisticValues: structure({
        SampleCount: required(decimal()),
        Sum: required(decimal()),
        Minimum: required(decimal()),
        Maximum: required(decimal()),
      }),
      Values: list(decimal(), { max: 150 }),
      Counts: list(decimal(), { max: 150 }),
      Unit: text({ min: 1, max: 50 }),
      StorageResolution: whole({ min: 1 }),
    }),
    { max: 1000 },
  ),
});

const getMetricStatistics = structure({
  Namespace: required(namespace),
  MetricName: required(name),
  Dimensions: dimensions,
  StartTime: required(time()),
  EndTime: required(time()),
  Period: required(period),
  Statistics: list(oneOf('SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'), { min: 1, max: 5 }),
  ExtendedStatistics: list(text(), { min: 1, max: 10 }),
});

const getMetricData = structure({
  MetricDataQueries: required(
    list(
      structure({
        Id: required(text({ min: 1, max: 255, pattern: /^[a-z]\w*$/ })),
        MetricStat: structure({
          Metric: required(structure({ Namespace: namespace, MetricName: name, Dimensions: dimensions })),
          Period: required(period),
          Stat: required(text()),
        }),
        Expression: text({ min: 1, max: 2048 }),
        Label: text(),
        ReturnData: flag(),
        Period: period,
      }),
      { max: 500 },
    ),
  ),
  StartTime: required(time()),
  EndTime: required(time()),
  NextToken: text(),
  ScanBy: oneOf('TimestampDescending', 'TimestampAscending'),
  MaxDatapoints: whole({ min: 1 }),
});

const listMetrics = structure({
  Namespace: namespace,
  MetricName: name,
  Dimensions: list(structure({ Name: required(text({ min: 1 })), Value: text({ min: 1 }) }), { max: 10 }),
  NextToken: text(),
  RecentlyActive: oneOf('PT3H'),
});

const stateValue = oneOf('OK', 'ALARM', 'INSUFFICIENT_DATA');

const describeAlarms = structure({
  AlarmNames: list(text({ min: 1, max: 255 }), { max: 100 }),
  AlarmNamePrefix: text({ min: 1, max: 255 }),
  AlarmTypes: list(oneOf('CompositeAlarm', 'MetricAlarm')),
  StateValue: stateValue,
  ActionPrefix: text({ min: 1, max: 1024 }),
  MaxRecords: whole({ min: 1, max: 100 }),
  NextToken: text(),
});

const setAlarmState = structure({
  AlarmName: required(text({ min: 1, max: 255 })),
  StateValue: required(stateValue),
  StateReason: required(text({ max: 1023 })),
  StateReasonData: text({ max: 4000 }),
});

export const inputs = {
  PutMetricData: putMetricData,
  GetMetricStatistics: getMetricStatistics,
  GetMetricData: getMetricData,
  ListMetrics: listMetrics,
  DescribeAlarms: describeAlarms,
  SetAlarmState: setAlarmState,
} satisfies Record<string, Shape>;
