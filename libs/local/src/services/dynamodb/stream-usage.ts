import type { Usage } from '../../core/usage.ts';

/** Counts a read of a stream that had records. At AWS the reads of event source mappings cost nothing. */
export function countStreamRead(usage: Usage, streamArn: string, output: Record<string, unknown>): void {
  const records = Array.isArray(output.Records) ? output.Records.length : 0;
  if (records === 0) return;
  const table = streamArn.split('/')[1] ?? streamArn;
  usage.add('dynamodb.streamReads', table, 1);
  usage.add('dynamodb.streamRecords', table, records);
}
