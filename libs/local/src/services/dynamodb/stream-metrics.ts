import type { Host } from '../../core/service.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html */
export const DYNAMODB_METRICS = ['SuccessfulRequestLatency'] as const;

/**
 * Reports a read of a table's stream: the SampleCount of its latency tells whether anybody reads the stream, whatever is in it.
 * @param streamArn `arn:aws:dynamodb:us-east-1:000000000000:table/<table>/stream/<label>`
 */
export function reportStreamRead(host: Pick<Host, 'metric'>, streamArn: string, milliseconds: number): void {
  const [, TableName = '', , StreamLabel = ''] = streamArn.split('/');
  const [name] = DYNAMODB_METRICS;
  const dimensions = { TableName, StreamLabel, Operation: 'GetRecords' };
  host.metric({ namespace: 'AWS/DynamoDB', name, value: milliseconds, dimensions, unit: 'Milliseconds' });
}
