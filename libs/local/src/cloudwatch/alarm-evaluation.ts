import type { AlarmDefinition } from './alarm-definition.ts';
import { type AlarmState, EXTRA_PERIODS, type PeriodValue } from './alarm-state.ts';
import { MetricSeries } from './metric-series.ts';
import { isCounter, type QueueMetric } from './queue-metrics.ts';

/**
 * Reads a metric of a queue: a gauge, or what has been counted so far; undefined while there is no such queue.
 * `now` in milliseconds since 1970.
 */
export type ReadMetric = (queueName: string, metric: QueueMetric, now: number) => number | undefined;

/** The metrics of one alarm as they come in, until there is something to decide. */
export class AlarmEvaluation {
  readonly #definition: AlarmDefinition;
  readonly #inputs: Array<{
    id: string;
    queueName: string;
    metric: QueueMetric;
    series: MetricSeries;
    counted: number | undefined;
  }>;
  readonly #firstPeriod: number;
  #evaluatedUntil: number | undefined;

  constructor(definition: AlarmDefinition, now: number) {
    this.#definition = definition;
    this.#firstPeriod = this.#periodOf(now);
    this.#inputs = [...definition.inputs].map(([id, { queueName, metric, statistic }]) => ({
      id,
      queueName,
      metric,
      series: new MetricSeries(statistic, this.#range),
      counted: undefined,
    }));
  }

  get rule() {
    return this.#definition.rule;
  }

  get periodSeconds() {
    return this.#definition.periodSeconds;
  }

  get #range(): number {
    return this.rule.evaluationPeriods + EXTRA_PERIODS;
  }

  /** Takes a sample. Returns the values to decide by, if there is anything new to decide. */
  sample(now: number, read: ReadMetric, state: AlarmState): PeriodValue[] | undefined {
    const period = this.#periodOf(now);
    for (const input of this.#inputs) {
      const value = read(input.queueName, input.metric, now);
      if (value === undefined) continue;
      if (!isCounter(input.metric)) {
        input.series.add(period, value);
        continue;
      }
      input.series.add(period, value - (input.counted ?? value));
      input.counted = value;
    }
    const current = this.#valueOf(period);
    const breaks =
      state !== 'ALARM' &&
      this.#definition.breachIsFinal &&
      current.value !== undefined &&
      this.rule.breaches(current.value);
    if (this.#evaluatedUntil === period && !breaks) return undefined;
    this.#evaluatedUntil = period;
    const first = Math.max(this.#firstPeriod, period - this.#range);
    const values = Array.from({ length: period - first }, (_, index) => this.#valueOf(first + index));
    return breaks ? [...values, current] : values;
  }

  #valueOf(period: number): PeriodValue {
    const { value, periodSeconds } = this.#definition;
    const read = (id: string) => this.#inputs.find((input) => input.id === id)?.series.value(period);
    return { startedAt: period * periodSeconds * 1000, value: value(read) };
  }

  #periodOf(now: number): number {
    return Math.floor(now / 1000 / this.#definition.periodSeconds);
  }
}
