import type { Clock, Timer } from '../../core/clock.ts';
import { expendable } from '../../core/expendable.ts';
import type { MetricReport } from '../../core/observations.ts';
import type { MetricKey, MetricStore, Report } from './metric-store.ts';
import { metricSource, type ObservedMetrics, type ObservedSource } from './observed-metrics.ts';
import { SetBuilder } from './statistic-set.ts';

const MINUTE_MS = 60_000;
/** How long single values are summed up before they are stored. */
const GATHER_MS = 10_000;

interface Gathered {
  key: MetricKey;
  unit: string | undefined;
  /** Start of the minute. */
  minute: number;
  values: SetBuilder;
}

/**
 * Takes what is reported of metrics, for those who read them and for alarms. Services report several values for each invocation and
 * request, so single values are summed up in memory first; they are stored before a read.
 */
export class MetricRecorder {
  readonly #store: MetricStore;
  readonly #observed: ObservedMetrics;
  readonly #clock: Clock;
  /** By metric and minute. */
  #gathered = new Map<string, Gathered>();
  /** By the object of the dimensions: a service that reports often reuses it for all of its reports. */
  readonly #sources = new WeakMap<MetricReport['dimensions'], Map<string, ObservedSource>>();
  #timer: Timer | undefined;

  /** Stores what has been gathered. It does not fail: what is measured goes on when its metrics cannot be kept. */
  readonly flush: () => void;

  /** @param warn gets a line when something could not be stored */
  constructor(store: MetricStore, observed: ObservedMetrics, clock: Clock, warn: (line: string) => void) {
    this.#store = store;
    this.#observed = observed;
    this.#clock = clock;
    this.flush = expendable('Metrics are lost', warn, () => this.#flush());
  }

  /** Takes one value of a metric. */
  report({ namespace, name, dimensions, value, unit }: MetricReport): void {
    const now = this.#clock.now();
    const source = this.#sourceOf(namespace, name, dimensions);
    this.#observed.record(source, value, now);
    const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    const id = `${minute} ${source}`;
    let gathered = this.#gathered.get(id);
    if (!gathered) {
      const list = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
      gathered = { key: { namespace, name, dimensions: list }, unit, minute, values: new SetBuilder() };
      this.#gathered.set(id, gathered);
    }
    gathered.values.add(value);
    this.#timer ??= this.#clock.setTimer(now + GATHER_MS, () => this.flush());
  }

  #sourceOf(namespace: string, name: string, dimensions: MetricReport['dimensions']): ObservedSource {
    const known = this.#sources.get(dimensions) ?? new Map<string, ObservedSource>();
    this.#sources.set(dimensions, known);
    const id = `${namespace} ${name}`;
    const source = known.get(id) ?? metricSource(namespace, name, dimensions);
    known.set(id, source);
    return source;
  }

  /** Takes what a caller has summed up, all or none of it. */
  add(reports: readonly Report[]): void {
    this.#store.add(reports, this.#clock.now());
    for (const { namespace, name, dimensions, set, timestamp } of reports) {
      const named = Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, Value]));
      this.#observed.record(metricSource(namespace, name, named), set, timestamp);
    }
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const gathered = [...this.#gathered.values()];
    this.#gathered = new Map();
    if (gathered.length === 0) return;
    const reports = gathered.map(
      ({ key, unit, minute, values }): Report => ({ ...key, timestamp: minute, set: values.toSet(), unit }),
    );
    this.#store.add(reports, this.#clock.now());
  }
}
