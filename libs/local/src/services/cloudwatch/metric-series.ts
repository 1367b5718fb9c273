import type { Datapoint } from './metric-math.ts';

/**
 * The statistics. Of a metric that SQS reports once a minute and this machine samples once a second, Sum and SampleCount mean
 * something else; see `readMetric` for which are available.
 */
export type Statistic = 'Maximum' | 'Minimum' | 'Average' | 'Sum' | 'SampleCount';

interface Period {
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
}

/**
 * The samples of one metric, by period. Periods are numbered since 1970, as CloudWatch aligns them.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#CloudWatchPeriods
 */
export class MetricSeries {
  readonly #statistic: Statistic;
  readonly #kept: number;
  readonly #periods = new Map<number, Period>();

  /** @param kept how many periods before the newest are still asked for */
  constructor(statistic: Statistic, kept: number) {
    this.#statistic = statistic;
    this.#kept = kept;
  }

  add(period: number, value: number): void {
    const known = this.#periods.get(period);
    if (known) {
      known.count += 1;
      known.sum += value;
      known.minimum = Math.min(known.minimum, value);
      known.maximum = Math.max(known.maximum, value);
      return;
    }
    this.#periods.set(period, { count: 1, sum: value, minimum: value, maximum: value });
    for (const old of this.#periods.keys()) if (old < period - this.#kept) this.#periods.delete(old);
  }

  /** The statistic of one period; undefined when it has no samples. */
  value(period: number): Datapoint {
    const samples = this.#periods.get(period);
    if (!samples) return undefined;
    switch (this.#statistic) {
      case 'Maximum':
        return samples.maximum;
      case 'Minimum':
        return samples.minimum;
      case 'Sum':
        return samples.sum;
      case 'SampleCount':
        return samples.count;
      case 'Average':
        return samples.sum / samples.count;
    }
  }
}
