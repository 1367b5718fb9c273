import type { AlarmState } from '../../core/observations.ts';
import { isCounter, type QueueMetric } from '../sqs/metrics.ts';
import type { AlarmDefinition, AlarmInput } from './alarm-definition.ts';
import { EXTRA_PERIODS, type PeriodValue } from './alarm-state.ts';
import { MetricSeries } from './metric-series.ts';
import type { ObservedMetrics } from './observed-metrics.ts';

/**
 * Reads a metric of a queue: a gauge, or what has been counted so far; undefined while there is no such queue.
 * `now` in milliseconds since 1970.
 */
export type ReadMetric = (queueName: string, metric: QueueMetric, now: number) => number | undefined;

/** Where the metrics come from. */
export interface MetricSources {
  read: ReadMetric;
  /** Metrics that are reported when something happens; none unless given. */
  observed?: Pick<ObservedMetrics, 'since'> | undefined;
}

interface Input {
  id: string;
  input: AlarmInput;
  series: MetricSeries;
  /** Of a counter: what had been counted the last time. */
  counted: number | undefined;
  /** Of an observed metric: up to where it has been taken. */
  position: number | undefined;
}

/** The metrics of one alarm as they come in, until there is something to decide. */
export class AlarmEvaluation {
  readonly #definition: AlarmDefinition;
  readonly #inputs: Input[];
  readonly #firstPeriod: number;
  #evaluatedUntil: number | undefined;

  constructor(definition: AlarmDefinition, now: number) {
    this.#definition = definition;
    this.#firstPeriod = this.#periodOf(now);
    this.#inputs = [...definition.inputs].map(([id, input]) => ({
      id,
      input,
      series: new MetricSeries(input.statistic, this.#range),
      counted: undefined,
      position: undefined,
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
  sample(now: number, sources: MetricSources, state: AlarmState): PeriodValue[] | undefined {
    const period = this.#periodOf(now);
    for (const input of this.#inputs) this.#take(input, now, sources);
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

  /** Adds to a series what has come since the last time. */
  #take(input: Input, now: number, { read, observed }: MetricSources): void {
    const of = input.input;
    if ('source' in of) {
      const { observations = [], position } = observed?.since(of.source, input.position) ?? {};
      input.position = position;
      for (const { value, at } of observations) input.series.add(this.#periodOf(at), value);
      return;
    }
    const value = read(of.queueName, of.metric, now);
    if (value === undefined) return;
    input.series.add(this.#periodOf(now), isCounter(of.metric) ? value - (input.counted ?? value) : value);
    input.counted = value;
  }

  #periodOf(now: number): number {
    return Math.floor(now / 1000 / this.#definition.periodSeconds);
  }
}
