import type { MetricReport } from '../../core/observations.ts';

/** Of a stream. https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html */
const UNITS = {
  'GetRecords.Bytes': 'Bytes',
  'GetRecords.IteratorAgeMilliseconds': 'Milliseconds',
  'GetRecords.Latency': 'Milliseconds',
  'GetRecords.Records': 'Count',
  'GetRecords.Success': 'Count',
  IncomingBytes: 'Bytes',
  IncomingRecords: 'Count',
  'PutRecord.Bytes': 'Bytes',
  'PutRecord.Latency': 'Milliseconds',
  'PutRecord.Success': 'Count',
  'PutRecords.Bytes': 'Bytes',
  'PutRecords.FailedRecords': 'Count',
  'PutRecords.Latency': 'Milliseconds',
  'PutRecords.SuccessfulRecords': 'Count',
  'PutRecords.Success': 'Count',
  'PutRecords.ThrottledRecords': 'Count',
  'PutRecords.TotalRecords': 'Count',
  ReadProvisionedThroughputExceeded: 'Count',
  WriteProvisionedThroughputExceeded: 'Count',
} as const;

export type KinesisMetric = keyof typeof UNITS;
export const KINESIS_METRICS: readonly string[] = Object.keys(UNITS);

/** Reports values of metrics of a stream. */
export type ReportMetrics = (streamName: string, values: Partial<Record<KinesisMetric, number>>) => void;

export function metricReports(metric: (report: MetricReport) => void): ReportMetrics {
  return (StreamName, values) => {
    for (const [name, value] of Object.entries(values)) {
      metric({ namespace: 'AWS/Kinesis', name, value, dimensions: { StreamName }, unit: UNITS[name as KinesisMetric] });
    }
  };
}
