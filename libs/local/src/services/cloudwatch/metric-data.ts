import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { checkInput, millisecondsOf } from '../../core/shapes.ts';
import { type Datapoint, type Expression, parseExpression } from './metric-math.ts';
import type { MetricStore } from './metric-store.ts';
import { invalid, keyOf, readPeriod, readStatistic } from './metrics.ts';
import { inputs } from './shapes.ts';

interface Query {
  Id: string;
  MetricStat?: { Metric: Input; Period: number; Stat: string };
  Expression?: string;
  Label?: string;
  ReturnData?: boolean;
  Period?: number;
}

/** A query that was read: the times it has and its value at one of them. */
interface Series {
  label: string;
  periodMs: number;
  valueAt: (time: number) => Datapoint;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
const MAX_DATAPOINTS = 100_800;

/**
 * GetMetricData: metrics, and expressions over them that work on one period at a time.
 * @throws AwsError ValidationError for a query that cannot be evaluated
 */
export function getMetricData(store: MetricStore, input: Input): object {
  checkInput(inputs.GetMetricData, input, 'InvalidParameterValueException');
  const { ScanBy = 'TimestampDescending', MaxDatapoints = MAX_DATAPOINTS, NextToken } = input;
  const from = Number(millisecondsOf(input.StartTime));
  const to = Number(millisecondsOf(input.EndTime));
  if (from >= to) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
  const queries = input.MetricDataQueries as Query[];
  const series = new Map<string, Series>();
  for (const query of queries)
    if (query.MetricStat) series.set(query.Id, readMetric(store, query, query.MetricStat, from, to));
  // Expressions may refer to others, in any order.
  const waiting = new Map(queries.filter(({ MetricStat }) => !MetricStat).map((query) => [query.Id, query]));
  for (const id of waiting.keys()) readExpression(id, waiting, series, []);

  const shown = queries.filter(({ ReturnData = true }) => ReturnData);
  const all = shown.flatMap(({ Id }) => datapointsOf(Id, series, from, to, ScanBy === 'TimestampAscending'));
  const start = NextToken === undefined ? 0 : Number(NextToken);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidNextToken', 'The token is not valid.');
  const end = start + Number(MaxDatapoints);
  const page = all.slice(start, end);
  return {
    MetricDataResults: shown.map(({ Id }) => {
      const own = page.filter(({ id }) => id === Id);
      const isCut = end < all.length && all.slice(end).some(({ id }) => id === Id);
      return {
        Id,
        Label: series.get(Id)?.label,
        Timestamps: own.map(({ time }) => new Date(time)),
        Values: own.map(({ value }) => value),
        StatusCode: isCut ? 'PartialData' : 'Complete',
      };
    }),
    Messages: [],
    ...(end < all.length && { NextToken: String(end) }),
  };
}

function datapointsOf(
  id: string,
  series: ReadonlyMap<string, Series>,
  from: number,
  to: number,
  isAscending: boolean,
): { id: string; time: number; value: number }[] {
  const found = series.get(id);
  if (!found) return [];
  const { periodMs, valueAt } = found;
  const points: { id: string; time: number; value: number }[] = [];
  for (let time = Math.floor(from / periodMs) * periodMs; time < to; time += periodMs) {
    const value = valueAt(time);
    if (value !== undefined) points.push({ id, time, value });
  }
  return isAscending ? points : points.reverse();
}

function readMetric(
  store: MetricStore,
  { Label }: Query,
  { Metric, Period, Stat }: NonNullable<Query['MetricStat']>,
  from: number,
  to: number,
): Series {
  const periodMs = readPeriod(Period);
  checkSpan(from, to, periodMs);
  const statistic = readStatistic(Stat);
  const key = keyOf(Metric);
  const sets = store.periods(key, periodMs, from, to);
  return {
    label: Label ?? key.name,
    periodMs,
    valueAt: (time) => {
      const set = sets.get(time);
      return set && statistic(set);
    },
  };
}

function readExpression(
  id: string,
  waiting: ReadonlyMap<string, Query>,
  series: Map<string, Series>,
  from: readonly string[],
): void {
  if (series.has(id)) return;
  const query = waiting.get(id);
  if (!query?.Expression) throw validation(`Unknown metric or expression "${id}"`);
  if (from.includes(id)) throw validation(`The expression "${id}" refers to itself`);
  const expression = parse(query.Expression, id);
  for (const reference of expression.references) readExpression(reference, waiting, series, [...from, id]);
  const inputsOfIt = [...expression.references].flatMap((reference) => series.get(reference) ?? []);
  const periodMs =
    query.Period === undefined ? Math.max(...inputsOfIt.map((one) => one.periodMs)) : readPeriod(query.Period);
  if (!Number.isFinite(periodMs)) throw validation(`The expression "${id}" refers to no metric: give it a Period`);
  series.set(id, {
    label: query.Label ?? id,
    periodMs,
    valueAt: (time) => expression.evaluate((reference) => series.get(reference)?.valueAt(time)),
  });
}

function parse(text: string, id: string): Expression {
  try {
    return parseExpression(text);
  } catch (error) {
    throw validation(`Error in expression '${id}': ${(error as Error).message}`);
  }
}

function checkSpan(from: number, to: number, periodMs: number): void {
  if ((to - from) / periodMs > MAX_DATAPOINTS) {
    throw validation(`The time range has more than ${MAX_DATAPOINTS} periods: make it shorter or the period longer`);
  }
}

function validation(message: string): AwsError {
  return new AwsError('ValidationError', message);
}
