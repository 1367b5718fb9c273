import { chunks } from '../../core/chunks.ts';
import type { Usage } from '../../core/usage.ts';

const PAYLOAD_UNIT_KB = 25;

interface PutRecordsOutput {
  Records?: { SequenceNumber?: string }[];
}

/**
 * Counts the records that a function put and the stream took, in units of 25 KB.
 *
 * @param functionName who calls
 * https://aws.amazon.com/kinesis/data-streams/pricing/
 */
export function countPutRecords(
  usage: Usage,
  call: { functionName: string; operation: string; input: object; output: unknown },
): void {
  const { functionName, operation, input, output } = call;
  if (operation !== 'PutRecord' && operation !== 'PutRecords') return;
  const { Records: records = [input] } = input as { Records?: { Data?: string }[] };
  const { Records: results } = output as PutRecordsOutput;
  const units = (records as { Data?: string }[])
    .filter((_, index) => results === undefined || results[index]?.SequenceNumber !== undefined)
    .reduce((sum, { Data = '' }) => sum + chunks(Buffer.byteLength(Data, 'base64'), PAYLOAD_UNIT_KB), 0);
  if (units > 0) usage.add('kinesis.payloadUnits', functionName, units, operation);
}
