import type { StatisticSet } from './statistic-set.ts';

/** A metric: namespace, name and dimensions. */
export type ObservedSource = string & { readonly observed: unique symbol };

/**
 * What a metric is known by here. The same dimensions in another order are the same metric.
 * @example metricSource('AWS/Lambda', 'Errors', { FunctionName: 'millrace-orders-dev-relay' })
 */
export function metricSource(
  namespace: string,
  name: string,
  dimensions: Readonly<Record<string, string>>,
): ObservedSource {
  const sorted = Object.keys(dimensions)
    .sort()
    .map((dimension) => [dimension, dimensions[dimension]]);
  return JSON.stringify([namespace, name, ...sorted]) as ObservedSource;
}

/** One report of a metric: a value, or several that were summed up. */
export interface Observation {
  value: number | StatisticSet;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Observations of one source that are kept until all who ask have come: alarms ask once a second. */
const MAX_KEPT = 4_000;

interface Log {
  observations: Observation[];
  /** How many came before the first that is kept. */
  forgotten: number;
}

/**
 * Metrics that are reported when something happens, and not once a minute: while nothing happens there is no datapoint. Only the
 * metrics that have been asked for are kept.
 *
 * @example
 * const { position } = observed.since(source, undefined);
 * observed.record(source, 1, Date.now());
 * observed.since(source, position).observations;
 */
export class ObservedMetrics {
  readonly #logs = new Map<ObservedSource, Log>();

  record(source: ObservedSource, value: Observation['value'], at: number): void {
    const log = this.#logs.get(source);
    if (!log) return;
    log.observations.push({ value, at });
    if (log.observations.length <= MAX_KEPT) return;
    // In one go: taking them off one by one takes the square of their number.
    log.forgotten += MAX_KEPT / 2;
    log.observations.splice(0, MAX_KEPT / 2);
  }

  /**
   * What has been observed since an earlier call.
   *
   * @param position that the earlier call returned; undefined for what comes from now on
   */
  since(
    source: ObservedSource,
    position: number | undefined,
  ): { observations: readonly Observation[]; position: number } {
    const log = this.#logs.get(source) ?? { observations: [], forgotten: 0 };
    this.#logs.set(source, log);
    const { observations, forgotten } = log;
    const end = forgotten + observations.length;
    const from = Math.max(0, (position ?? end) - forgotten);
    return { observations: observations.slice(from), position: end };
  }
}
