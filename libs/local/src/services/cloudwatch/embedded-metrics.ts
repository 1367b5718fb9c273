import type { Dimension, Report } from './metric-store.ts';
import { merge, setOf } from './statistic-set.ts';

interface MetricDirective {
  Namespace?: unknown;
  Dimensions?: unknown;
  Metrics?: unknown;
}

/**
 * The metrics in a log entry of the embedded metric format.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @param timestamp of the log event, where the entry has none
 * @returns nothing for any other entry, and for directives that are not valid
 */
export function embeddedMetrics(message: string, timestamp: number): Report[] {
  if (!message.startsWith('{') || !message.includes('"_aws"')) return [];
  let root: Record<string, unknown>;
  try {
    root = JSON.parse(message) as Record<string, unknown>;
  } catch {
    return [];
  }
  if (!isObject(root._aws)) return [];
  const { Timestamp, CloudWatchMetrics } = root._aws;
  if (!Array.isArray(CloudWatchMetrics)) return [];
  const time = typeof Timestamp === 'number' && Timestamp > 0 ? Timestamp : timestamp;
  return CloudWatchMetrics.filter(isObject).flatMap((directive) => reportsOf(directive, root, time));
}

function reportsOf(
  { Namespace, Dimensions, Metrics }: MetricDirective,
  root: Record<string, unknown>,
  timestamp: number,
): Report[] {
  if (typeof Namespace !== 'string' || !Array.isArray(Metrics)) return [];
  const sets = Array.isArray(Dimensions) ? Dimensions : [[]];
  return Metrics.filter(isObject).flatMap(({ Name, Unit, StorageResolution }) => {
    const target = root[String(Name)];
    const values = (Array.isArray(target) ? target : [target]).filter((value) => Number.isFinite(value)) as number[];
    if (values.length === 0) return [];
    const set = values.map((value) => setOf(value)).reduce(merge);
    return sets.map(
      (names: unknown): Report => ({
        namespace: Namespace,
        name: String(Name),
        dimensions: dimensionsOf(names, root),
        timestamp,
        set,
        unit: Unit === undefined ? undefined : String(Unit),
        resolution: StorageResolution === 1 ? 1 : 60,
      }),
    );
  });
}

function dimensionsOf(names: unknown, root: Record<string, unknown>): Dimension[] {
  if (!Array.isArray(names)) return [];
  return names.flatMap((name) => {
    const value = root[String(name)];
    return value === undefined ? [] : [{ Name: String(name), Value: String(value) }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
