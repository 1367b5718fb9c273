import type { Host } from '../../core/service.ts';

/** What Lambda reports of a function. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
const UNITS = {
  Invocations: 'Count',
  Errors: 'Count',
  Throttles: 'Count',
  Duration: 'Milliseconds',
  ConcurrentExecutions: 'Count',
  IteratorAge: 'Milliseconds',
  AsyncEventsReceived: 'Count',
  AsyncEventAge: 'Milliseconds',
  AsyncEventsDropped: 'Count',
  DestinationDeliveryFailures: 'Count',
  DeadLetterErrors: 'Count',
  DurableExecutionStarted: 'Count',
  DurableExecutionSucceeded: 'Count',
  DurableExecutionFailed: 'Count',
  DurableExecutionTimedOut: 'Count',
  DurableExecutionStopped: 'Count',
  DurableExecutionDuration: 'Milliseconds',
  DurableExecutionOperations: 'Count',
  DurableExecutionStorageWrittenBytes: 'Bytes',
} as const;

export type FunctionMetric = keyof typeof UNITS;
export const FUNCTION_METRICS: readonly string[] = Object.keys(UNITS);

export type ReportFunctionMetric = (metric: FunctionMetric, value: number) => void;

/** Makes the way to report metrics of a function. */
export function functionMetrics(host: Pick<Host, 'metric'>, FunctionName: string): ReportFunctionMetric {
  const dimensions = { FunctionName };
  return (name, value) => host.metric({ namespace: 'AWS/Lambda', name, value, dimensions, unit: UNITS[name] });
}
