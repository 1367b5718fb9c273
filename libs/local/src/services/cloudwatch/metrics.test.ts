import {
  GetMetricStatisticsCommand,
  type MetricDatum,
  PutMetricDataCommand,
  paginateListMetrics,
} from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { at, type CloudWatchUnderTest, MINUTE_MS, startCloudWatch } from '../../../fixtures/cloudwatch-under-test.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;
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

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
describe('metrics', () => {
  it('are summed up by period: values, values with counts, and statistics', async () => {
    await put(
      { MetricName: 'Orders', Value: 2, Unit: 'Count', Timestamp: at(0) },
      { MetricName: 'Orders', Value: 4, Unit: 'Count', Timestamp: at(0.5) },
      { MetricName: 'Orders', Values: [1, 10], Counts: [3, 1], Unit: 'Count', Timestamp: at(1) },
      {
        MetricName: 'Orders',
        StatisticValues: { SampleCount: 2, Sum: 30, Minimum: 10, Maximum: 20 },
        Unit: 'Count',
        Timestamp: at(2),
      },
    );
    const read = async (Period: number) => {
      const { Datapoints = [], Label } = await client.send(
        new GetMetricStatisticsCommand({
          ...{ Namespace, MetricName: 'Orders', Period, StartTime: at(0), EndTime: at(10) },
          Statistics: ['SampleCount', 'Sum', 'Minimum', 'Maximum', 'Average'],
        }),
      );
      expect(Label).toBe('Orders');
      return Datapoints;
    };
    expect(await read(60)).toEqual([
      { Timestamp: at(0), SampleCount: 2, Sum: 6, Minimum: 2, Maximum: 4, Average: 3, Unit: 'Count' },
      { Timestamp: at(1), SampleCount: 4, Sum: 13, Minimum: 1, Maximum: 10, Average: 3.25, Unit: 'Count' },
      { Timestamp: at(2), SampleCount: 2, Sum: 30, Minimum: 10, Maximum: 20, Average: 15, Unit: 'Count' },
    ]);
    expect(await read(300)).toEqual([
      { Timestamp: at(0), SampleCount: 8, Sum: 49, Minimum: 1, Maximum: 20, Average: 49 / 8, Unit: 'Count' },
    ]);
  });

  it('have percentiles', async () => {
    await put({ MetricName: 'Latency', Values: Array.from({ length: 100 }, (_, index) => index + 1) });
    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...{ Namespace, MetricName: 'Latency', Period: 60, StartTime: at(0), EndTime: at(1) },
        ExtendedStatistics: ['p50', 'p99', 'p99.9'],
      }),
    );
    expect(Datapoints?.[0]?.ExtendedStatistics).toEqual({ p50: 50, p99: 99, 'p99.9': 100 });
  });

  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html */
  it('are told apart by their dimensions, in whatever order, and listed', async () => {
    const stage = { Name: 'stage', Value: 'dev' };
    const service = { Name: 'service', Value: 'orders' };
    await put(
      { MetricName: 'Orders', Value: 1, Dimensions: [stage, service] },
      { MetricName: 'Orders', Value: 1, Dimensions: [service, stage] },
      { MetricName: 'Orders', Value: 5, Dimensions: [stage] },
      { MetricName: 'Returns', Value: 1 },
    );
    const list = async (filter: object) => {
      const found: string[] = [];
      for await (const { Metrics = [] } of paginateListMetrics({ client }, filter)) {
        found.push(
          ...Metrics.map(({ MetricName, Dimensions = [] }) =>
            [MetricName, ...Dimensions.map(({ Name }) => Name)].join(' '),
          ),
        );
      }
      return found;
    };
    expect(await list({ Namespace })).toEqual(['Orders service stage', 'Orders stage', 'Returns']);
    expect(await list({ Dimensions: [{ Name: 'service' }] })).toEqual(['Orders service stage']);
    expect(await list({ Dimensions: [{ Name: 'stage', Value: 'prod' }] })).toEqual([]);
    expect(await list({ MetricName: 'Returns', RecentlyActive: 'PT3H' })).toEqual(['Returns']);
    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...{
          Namespace,
          MetricName: 'Orders',
          Dimensions: [stage, service],
          Period: 60,
          StartTime: at(0),
          EndTime: at(1),
        },
        Statistics: ['Sum'],
      }),
    );
    expect(Datapoints).toMatchObject([{ Sum: 2 }]);
  });

  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention */
  it('are kept for 15 days, seconds for 3 hours', async () => {
    await put(
      { MetricName: 'Fine', Value: 1, StorageResolution: 1, Timestamp: at(0) },
      { MetricName: 'Fine', Value: 2, StorageResolution: 1, Timestamp: new Date(at(0).getTime() + 1000) },
    );
    const read = async (Period: number) =>
      (
        await client.send(
          new GetMetricStatisticsCommand({
            ...{ Namespace, MetricName: 'Fine', Period, StartTime: at(0), EndTime: at(1), Statistics: ['Sum'] },
          }),
        )
      ).Datapoints?.map(({ Sum }) => Sum);
    expect(await read(1)).toEqual([1, 2]);
    await started.clock.advance(5 * 60 * MINUTE_MS);
    expect(await read(1)).toEqual([3]);
    await started.clock.advance(15 * DAY_MS);
    expect(await read(60)).toEqual([]);
  });

  it.each([
    [{ MetricName: 'x' }, 'InvalidParameterCombinationException', /mutually exclusive and you have specified 0/],
    [{ MetricName: 'x', Value: 1, Values: [1] }, 'InvalidParameterCombinationException', /you have specified 2/],
    [{ MetricName: 'x', Values: [1, 2], Counts: [1] }, 'InvalidParameterValueException', /same length/],
    [{ MetricName: 'x', Value: 1, Timestamp: at(-15 * 24 * 60) }, 'InvalidParameterValueException', /past two weeks/],
    [{ MetricName: 'x', Value: 1, Timestamp: at(121) }, 'InvalidParameterValueException', /next two hours/],
  ])('are refused: %j', async (datum, name, message) => {
    await expect(put(datum)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  it('of AWS are reported by the services alone', async () => {
    await expect(
      client.send(new PutMetricDataCommand({ Namespace: 'AWS/SQS', MetricData: [{ MetricName: 'x', Value: 1 }] })),
    ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    started.report({ namespace: 'AWS/Lambda', name: 'Errors', value: 1, dimensions: { FunctionName: 'relay' } });
    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...{ Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions: [{ Name: 'FunctionName', Value: 'relay' }] },
        ...{ Period: 60, StartTime: at(0), EndTime: at(1), Statistics: ['Sum'] },
      }),
    );
    expect(Datapoints).toMatchObject([{ Sum: 1 }]);
  });
});
