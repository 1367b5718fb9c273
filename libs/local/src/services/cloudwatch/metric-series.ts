import type { Datapoint } from './metric-math.ts';
import { merge, type StatisticSet, setOf, statisticNamed } from './statistic-set.ts';

/**
 * The samples of one metric, by period. Periods are numbered since 1970, as CloudWatch aligns them.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#CloudWatchPeriods
 */
export class MetricSeries {
  readonly #statistic: (set: StatisticSet) => Datapoint;
  readonly #needsValues: boolean;
  readonly #kept: number;
  readonly #periods = new Map<number, StatisticSet>();

  /**
   * @param statistic e.g. `Sum`, `p99`. Of a metric that SQS reports once a minute and this machine samples once a second, Sum and
   *   SampleCount mean something else; see `readMetric` for which are available.
   * @param kept how many periods before the newest are still asked for
   * @throws RangeError for a statistic that is not known
   */
  constructor(statistic: string, kept: number) {
    const read = statisticNamed(statistic);
    if (!read) throw new RangeError(`${statistic} is not a statistic`);
    this.#statistic = read;
    this.#needsValues = statistic.startsWith('p');
    this.#kept = kept;
  }

  add(period: number, value: number | StatisticSet): void {
    const known = this.#periods.get(period);
    if (known && typeof value === 'number' && !this.#needsValues) {
      // Queues are sampled each second: in place, since a copy would take most of the time.
      known.count += 1;
      known.sum += value;
      known.minimum = Math.min(known.minimum, value);
      known.maximum = Math.max(known.maximum, value);
      return;
    }
    const { values, ...summary } = typeof value === 'number' ? setOf(value) : value;
    const set: StatisticSet = this.#needsValues && values ? { ...summary, values } : summary;
    this.#periods.set(period, known ? merge(known, set) : set);
    if (known) return;
    for (const old of this.#periods.keys()) if (old < period - this.#kept) this.#periods.delete(old);
  }

  /** The statistic of one period; undefined when it has no samples. */
  value(period: number): Datapoint {
    const samples = this.#periods.get(period);
    return samples && this.#statistic(samples);
  }
}
