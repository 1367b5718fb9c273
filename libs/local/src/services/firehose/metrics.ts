/** https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
const UNITS = {
  'DataReadFromKinesisStream.Bytes': 'Bytes',
  'DataReadFromKinesisStream.Records': 'Count',
  'DeliveryToS3.Bytes': 'Bytes',
  'DeliveryToS3.DataFreshness': 'Seconds',
  'DeliveryToS3.Records': 'Count',
  'DeliveryToS3.Success': 'Count',
  'ExecuteProcessing.Success': 'Count',
  IncomingBytes: 'Bytes',
  IncomingRecords: 'Count',
  KinesisMillisBehindLatest: 'Milliseconds',
  'PutRecord.Bytes': 'Bytes',
  'PutRecord.Requests': 'Count',
  'PutRecordBatch.Bytes': 'Bytes',
  'PutRecordBatch.Records': 'Count',
  'PutRecordBatch.Requests': 'Count',
  'SucceedProcessing.Records': 'Count',
} as const;

export type FirehoseMetric = keyof typeof UNITS;
export const FIREHOSE_METRICS: readonly string[] = Object.keys(UNITS);

/** @example unitOf('IncomingBytes') // 'Bytes' */
export function unitOf(metric: FirehoseMetric): string {
  return UNITS[metric];
}
