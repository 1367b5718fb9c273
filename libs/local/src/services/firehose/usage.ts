import { chunks } from '../../core/chunks.ts';
import type { Meter, Usage } from '../../core/usage.ts';
import type { DeliveryPlan } from './delivery-stream.ts';

const ROUNDED_TO_KB = 5;

/** What the use of delivery streams is counted by. https://aws.amazon.com/firehose/pricing/ */
export const firehoseMeters = {
  'firehose.requests': 'PutRecord and PutRecordBatch, of rules too [delivery stream]',
  'firehose.ingestedBytes': 'bytes taken in, each record rounded up to 5 KB [delivery stream]',
  'firehose.deliveredBytes': 'bytes of what is to be delivered, before compression [delivery stream/prefix]',
} as const satisfies Partial<Record<Meter, string>>;

/**
 * Counts records that come from a caller, a rule or a Kinesis stream. What is billed when it is delivered is counted here as well, so that a
 * bill need not wait for the delivery; how many objects it is in depends on how often the stream delivers.
 */
export function countRecords(
  usage: Usage,
  { stream, plan, arrivedAt }: { stream: string; plan: DeliveryPlan; arrivedAt: number },
  records: readonly Uint8Array[],
): void {
  for (const record of records) {
    usage.add('firehose.ingestedBytes', stream, chunks(record.length, ROUNDED_TO_KB) * ROUNDED_TO_KB * 1024);
    const prefix = prefixOf(plan, record, arrivedAt);
    const bytes = record.length + Buffer.byteLength(plan.delimiter);
    if (prefix !== undefined) usage.add('firehose.deliveredBytes', `${stream}/${prefix}`, bytes);
  }
}

/** Undefined for a record whose partition cannot be told: it is not partitioned, and so not billed as such. */
function prefixOf(plan: DeliveryPlan, record: Uint8Array, time: number): string | undefined {
  try {
    const fromQuery = plan.isPartitioned ? (plan.query?.(Buffer.from(record).toString()) ?? {}) : {};
    return plan.prefix({ time, fromQuery, fromLambda: {} });
  } catch {
    return undefined;
  }
}
