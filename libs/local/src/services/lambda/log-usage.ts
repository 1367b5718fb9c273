import type { Usage } from '../../core/usage.ts';
import { embeddedMetrics } from '../cloudwatch/embedded-metrics.ts';

/** Counts the bytes of lines that go into a function's log group, a line break each. */
export function countLogBytes(usage: Usage, functionName: string, lines: readonly string[]): void {
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  usage.add('logs.bytes', functionName, bytes);
}

/** Counts a line that a function wrote and, when it is in the embedded metric format, the metrics that it makes. */
export function countLogLine(usage: Usage, { functionName, line }: { functionName: string; line: string }): void {
  countLogBytes(usage, functionName, [line]);
  for (const { namespace, name, dimensions } of embeddedMetrics(line, 0)) {
    // `Millrace EventHandled service=millrace-orders`
    const values = dimensions.map(({ Name, Value }) => `${Name}=${Value}`).toSorted();
    usage.add('cloudwatch.metrics', [namespace, name, ...values].join(' '), 1);
  }
}
