import type { Usage } from '../../core/usage.ts';

/** What an EMF line says about its metrics. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
interface EmbeddedMetrics extends Record<string, unknown> {
  _aws?: {
    CloudWatchMetrics?: { Namespace?: string; Dimensions?: string[][]; Metrics?: { Name?: string }[] }[];
  };
}

/** Counts the bytes of lines that go into a function's log group, a line break each. */
export function countLogBytes(usage: Usage, functionName: string, lines: readonly string[]): void {
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  usage.add('logs.bytes', functionName, bytes);
}

/** Counts a line that a function wrote and, when it is in the embedded metric format, the metrics that it makes. */
export function countLogLine(usage: Usage, { functionName, line }: { functionName: string; line: string }): void {
  countLogBytes(usage, functionName, [line]);
  for (const metric of embeddedMetrics(line)) usage.add('cloudwatch.metrics', metric, 1);
}

/** `Millrace EventHandled service=millrace-orders`, once for each metric and set of dimensions. */
function embeddedMetrics(line: string): string[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return [];
  let document: EmbeddedMetrics;
  try {
    document = JSON.parse(line) as EmbeddedMetrics;
  } catch {
    return [];
  }
  return (document._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions = [[]], Metrics = [] }) =>
    Metrics.flatMap(({ Name }) =>
      Dimensions.map((names) =>
        [Namespace, Name, ...names.toSorted().map((name) => `${name}=${document[name]}`)].join(' '),
      ),
    ),
  );
}
