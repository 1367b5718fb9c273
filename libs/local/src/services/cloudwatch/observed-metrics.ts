/** What Lambda reports of a function. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
const FUNCTION_METRICS = [
  'Invocations',
  'Errors',
  'Throttles',
  'Duration',
  'ConcurrentExecutions',
  'IteratorAge',
] as const;

export type FunctionMetric = (typeof FUNCTION_METRICS)[number];

export const isFunctionMetric = (metric: string): metric is FunctionMetric =>
  FUNCTION_METRICS.some((name) => name === metric);

/** What is measured: `functionMetric(…)` or `streamReads(…)`. */
export type ObservedSource = string & { readonly observed: unique symbol };

/** A metric of a function. */
export function functionMetric(functionName: string, metric: FunctionMetric): ObservedSource {
  return `AWS/Lambda ${functionName} ${metric}` as ObservedSource;
}

/**
 * The reads of a table's stream, `SuccessfulRequestLatency` of the operation GetRecords: its SampleCount tells whether anybody
 * reads the stream, whatever is in it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
 */
export function streamReads(tableName: string, streamLabel: string): ObservedSource {
  return `AWS/DynamoDB ${tableName} ${streamLabel}` as ObservedSource;
}

/** Observations of one source that are kept until all who ask have come: alarms ask once a second. */
const MAX_KEPT = 4_000;

interface Log {
  values: number[];
  /** How many values came before the first that is kept. */
  forgotten: number;
}

/**
 * Metrics that are reported when something happens, and not once a minute: while nothing happens there is no datapoint.
 *
 * @example
 * observed.record(functionMetric('millrace-orders-dev-relay', 'Errors'), 1);
 */
export class ObservedMetrics {
  readonly #logs = new Map<ObservedSource, Log>();

  record(source: ObservedSource, value: number): void {
    const log = this.#logs.get(source) ?? { values: [], forgotten: 0 };
    this.#logs.set(source, log);
    log.values.push(value);
    if (log.values.length <= MAX_KEPT) return;
    // In one go: taking them off one by one takes the square of their number.
    log.forgotten += MAX_KEPT / 2;
    log.values.splice(0, MAX_KEPT / 2);
  }

  /**
   * What has been observed since an earlier call.
   *
   * @param position that the earlier call returned; undefined for what comes from now on
   */
  since(source: ObservedSource, position: number | undefined): { values: readonly number[]; position: number } {
    const { values, forgotten } = this.#logs.get(source) ?? { values: [], forgotten: 0 };
    const end = forgotten + values.length;
    return { values: position === undefined ? [] : values.slice(Math.max(0, position - forgotten)), position: end };
  }
}
