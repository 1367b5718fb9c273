import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { pageOf } from '../../core/page.ts';
import { checkInput, millisecondsOf } from '../../core/shapes.ts';
import type { MetricRecorder } from './metric-recorder.ts';
import type { Dimension, MetricKey, MetricStore, Report } from './metric-store.ts';
import { inputs } from './shapes.ts';
import { merge, type StatisticSet, setOf, statisticNamed } from './statistic-set.ts';

interface Datum {
  MetricName: string;
  Dimensions?: Dimension[];
  Timestamp?: unknown;
  Value?: number;
  StatisticValues?: { SampleCount: number; Sum: number; Minimum: number; Maximum: number };
  Values?: number[];
  Counts?: number[];
  Unit?: string;
  StorageResolution?: number;
}

const HOUR_MS = 3_600_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
const FURTHEST_BACK_MS = 14 * 24 * HOUR_MS;
const FURTHEST_AHEAD_MS = 2 * HOUR_MS;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html */
const MAX_DATAPOINTS = 1440;
const METRICS_PER_PAGE = 500;
const LISTED_FOR_MS = 14 * 24 * HOUR_MS;
const RECENT_MS = 3 * HOUR_MS;
const LARGEST = 2 ** 360;

/** The operations that write, list and read metrics. */
export class Metrics {
  readonly #store: MetricStore;
  readonly #recorder: Pick<MetricRecorder, 'add'>;
  readonly #clock: Clock;

  constructor(store: MetricStore, recorder: Pick<MetricRecorder, 'add'>, clock: Clock) {
    this.#store = store;
    this.#recorder = recorder;
    this.#clock = clock;
  }

  put(input: Input): object {
    checkInput(inputs.PutMetricData, input, 'InvalidParameterValueException');
    const namespace = String(input.Namespace);
    if (namespace.startsWith('AWS/')) throw invalid('The value AWS/ for parameter Namespace is invalid.');
    const now = this.#clock.now();
    const data = (input.MetricData ?? []) as Datum[];
    this.#recorder.add(data.map((datum, index) => reportOf(namespace, datum, `MetricData.member.${index + 1}`, now)));
    return {};
  }

  list(input: Input): object {
    checkInput(inputs.ListMetrics, input, 'InvalidParameterValueException');
    const { Namespace, MetricName, Dimensions = [], RecentlyActive, NextToken } = input;
    const filters = Dimensions as { Name: string; Value?: string }[];
    const since = this.#clock.now() - (RecentlyActive === undefined ? LISTED_FOR_MS : RECENT_MS);
    const found = this.#store
      .metrics(since)
      .filter(({ namespace }) => Namespace === undefined || namespace === Namespace)
      .filter(({ name }) => MetricName === undefined || name === MetricName)
      .filter(({ dimensions }) =>
        filters.every((filter) =>
          dimensions.some(({ Name, Value }) => Name === filter.Name && (filter.Value ?? Value) === Value),
        ),
      );
    // In the order of the list, whatever the names are made of.
    const positions = new Map(found.map((metric, index) => [metric, String(index).padStart(9, '0')]));
    const page = pageOf(found, (metric) => positions.get(metric) ?? '', { MaxResults: METRICS_PER_PAGE, NextToken });
    return {
      Metrics: page.page.map(({ namespace, name, dimensions }) => ({
        Namespace: namespace,
        MetricName: name,
        Dimensions: dimensions,
      })),
      ...(page.NextToken !== undefined && { NextToken: page.NextToken }),
    };
  }

  statistics(input: Input): object {
    checkInput(inputs.GetMetricStatistics, input, 'InvalidParameterValueException');
    const { Statistics = [], ExtendedStatistics = [] } = input as Record<string, string[]>;
    if (Statistics.length + ExtendedStatistics.length === 0) {
      throw new AwsError(
        'InvalidParameterCombinationException',
        'Must specify either Statistics or ExtendedStatistics',
      );
    }
    const periodMs = readPeriod(Number(input.Period));
    const from = Number(millisecondsOf(input.StartTime));
    const to = Number(millisecondsOf(input.EndTime));
    if (from >= to) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
    const requested = Math.ceil((to - from) / periodMs);
    if (requested > MAX_DATAPOINTS) {
      throw new AwsError(
        'InvalidParameterCombinationException',
        `You have requested up to ${requested} datapoints, which exceeds the limit of ${MAX_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
      );
    }
    const key = keyOf(input);
    const extended = ExtendedStatistics.map((name) => [name, readStatistic(name)] as const);
    const sets = this.#store.periods(key, periodMs, from, to);
    const Unit = this.#store.unitOf(key);
    return {
      Label: key.name,
      Datapoints: [...sets].map(([start, set]) => ({
        Timestamp: new Date(start),
        ...Object.fromEntries(Statistics.map((name) => [name, readStatistic(name)(set)])),
        ...(extended.length > 0 && {
          ExtendedStatistics: Object.fromEntries(extended.map(([name, statistic]) => [name, statistic(set)])),
        }),
        Unit,
      })),
    };
  }
}

export function keyOf({ Namespace, MetricName, Dimensions = [] }: Input): MetricKey {
  return { namespace: String(Namespace), name: String(MetricName), dimensions: Dimensions as Dimension[] };
}

/** @throws AwsError InvalidParameterValueException for a name that is not known */
export function readStatistic(name: string): (set: StatisticSet) => number | undefined {
  const statistic = statisticNamed(name);
  if (!statistic) throw invalid(`The value ${name} for parameter Stat is not supported on this machine.`);
  return statistic;
}

/** @throws AwsError InvalidParameterValueException for a period that CloudWatch does not have */
export function readPeriod(seconds: number): number {
  if ([1, 5, 10, 20, 30].includes(seconds) || seconds % 60 === 0) return seconds * 1000;
  throw invalid('The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.');
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}

function reportOf(namespace: string, datum: Datum, place: string, now: number): Report {
  const timestamp = millisecondsOf(datum.Timestamp) ?? now;
  if (timestamp < now - FURTHEST_BACK_MS || timestamp > now + FURTHEST_AHEAD_MS) {
    throw invalid(
      `The parameter ${place}.Timestamp must specify a time within the past two weeks and the next two hours.`,
    );
  }
  return {
    namespace,
    name: datum.MetricName,
    dimensions: datum.Dimensions ?? [],
    timestamp,
    set: setOfDatum(datum, place),
    unit: datum.Unit,
    resolution: datum.StorageResolution === 1 ? 1 : 60,
  };
}

function setOfDatum({ Value, StatisticValues, Values, Counts }: Datum, place: string): StatisticSet {
  const given = [Value, StatisticValues, Values].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new AwsError(
      'InvalidParameterCombinationException',
      `The parameters ${place}.Value, ${place}.Values and ${place}.StatisticValues are mutually exclusive and you have specified ${given.length}.`,
    );
  }
  if (StatisticValues) {
    const { SampleCount, Sum, Minimum, Maximum } = StatisticValues;
    return { count: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum };
  }
  const values = Values ?? [Number(Value)];
  if (values.length === 0) throw invalid(`The parameter ${place}.Values must not be empty.`);
  if (Counts && Counts.length !== values.length) {
    throw invalid(`The parameters ${place}.Values and ${place}.Counts must be of the same length.`);
  }
  if (values.some((value) => !Number.isFinite(value) || Math.abs(value) > LARGEST)) {
    throw invalid(`The value for parameter ${place} must be a number between -2^360 and 2^360.`);
  }
  return values.map((value, index) => setOf(value, Counts?.[index])).reduce(merge);
}
