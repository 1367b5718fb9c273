import type { MetricReport } from '../../core/observations.ts';
import type { Host } from '../../core/service.ts';
import type { Used } from './answer.ts';
import { isRead } from './usage.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html */
export const DYNAMODB_METRICS = [
  'ConditionalCheckFailedRequests',
  'ConsumedReadCapacityUnits',
  'ConsumedWriteCapacityUnits',
  'SuccessfulRequestLatency',
  'SystemErrors',
  'ThrottledRequests',
  'TimeToLiveDeletedItemCount',
  'TransactionConflict',
  'UserErrors',
] as const;

type MetricName = (typeof DYNAMODB_METRICS)[number];
type Report = (report: MetricReport) => void;

/** A request that has been answered. */
export interface AnsweredRequest extends Used {
  operation: string;
  /** Tables that it names; of a request without one, nothing is reported but errors of its caller. */
  tables: readonly string[];
  milliseconds: number;
}

/** What a failure counts as; anything else is a mistake of the caller. */
const failures: Readonly<Record<string, { name: MetricName; byOperation: boolean }>> = {
  ConditionalCheckFailedException: { name: 'ConditionalCheckFailedRequests', byOperation: false },
  InternalServerError: { name: 'SystemErrors', byOperation: true },
  ProvisionedThroughputExceededException: { name: 'ThrottledRequests', byOperation: true },
  ThrottlingException: { name: 'ThrottledRequests', byOperation: true },
  TransactionConflictException: { name: 'TransactionConflict', byOperation: false },
};

/** Reports a request by the metrics that AWS has of it. */
export function reportRequest(report: Report, request: AnsweredRequest): void {
  const { operation, tables, milliseconds, consumed = [], errorName } = request;
  if (errorName !== undefined) {
    reportFailure(report, request);
    return;
  }
  for (const TableName of tables) {
    add(report, 'SuccessfulRequestLatency', { TableName, Operation: operation }, milliseconds, 'Milliseconds');
  }
  const name = isRead(operation) ? 'ConsumedReadCapacityUnits' : 'ConsumedWriteCapacityUnits';
  for (const { TableName, CapacityUnits = 0 } of [consumed].flat()) add(report, name, { TableName }, CapacityUnits);
}

function reportFailure(report: Report, { operation, tables, errorName = '', reasons = [] }: AnsweredRequest): void {
  if (errorName === 'TransactionCanceledException') {
    const has = (code: string): boolean => reasons.some(({ Code }) => Code === code);
    for (const TableName of tables) {
      if (has('ConditionalCheckFailed')) add(report, 'ConditionalCheckFailedRequests', { TableName });
      if (has('TransactionConflict')) add(report, 'TransactionConflict', { TableName });
      if (has('ThrottlingError') || has('ProvisionedThroughputExceeded')) {
        add(report, 'ThrottledRequests', { TableName, Operation: operation });
      }
    }
    return;
  }
  const failure = failures[errorName];
  if (!failure) {
    add(report, 'UserErrors', {});
    return;
  }
  for (const TableName of tables) {
    add(report, failure.name, { TableName, ...(failure.byOperation && { Operation: operation }) });
  }
}

/** Reports items of a table that Time to Live has deleted. */
export function reportExpired(report: Report, TableName: string, count: number): void {
  add(report, 'TimeToLiveDeletedItemCount', { TableName }, count);
}

/**
 * Reports a read of a table's stream: the SampleCount of its latency tells whether the stream is read, even when it is empty.
 * @param streamArn `arn:aws:dynamodb:us-east-1:000000000000:table/<table>/stream/<label>`
 */
export function reportStreamRead(host: Pick<Host, 'metric'>, streamArn: string, milliseconds: number): void {
  const [, TableName = '', , StreamLabel = ''] = streamArn.split('/');
  const dimensions = { TableName, StreamLabel, Operation: 'GetRecords' };
  add(host.metric, 'SuccessfulRequestLatency', dimensions, milliseconds, 'Milliseconds');
}

function add(report: Report, name: MetricName, dimensions: Record<string, string>, value = 1, unit = 'Count'): void {
  report({ namespace: 'AWS/DynamoDB', name, value, dimensions, unit });
}
