import { TransientError } from '@millrace/errors';
import type { SQSRecord } from 'aws-lambda';

/** The record was not handled in this invocation: it comes again. */
export class NotHandledError extends TransientError {}

export interface BatchOptions {
  /** Records at work at once. */
  concurrency: number;
  /** Milliseconds until no more records are started and those at work are given up. */
  remainingMs: () => number;
}

/**
 * Handles every record of a batch and tells how each ended, in the batch's order. On a FIFO queue the records of a
 * message group run one after the other, and the first failure stops its group. Whatever has not ended when the time is
 * up counts as failed, so that the records that did succeed can still be acknowledged.
 */
export async function settleBatch<Outcome>(
  records: readonly SQSRecord[],
  handle: (record: SQSRecord) => Promise<Outcome>,
  options: BatchOptions,
): Promise<PromiseSettledResult<Outcome>[]> {
  const groups = groupsOf(records);
  const results = new Map<SQSRecord, PromiseSettledResult<Outcome>>();

  // Made when it is needed: most batches end in time, and a stack takes longer than many a record.
  const timeUp = () => new NotHandledError('TIME_UP', 'The function was about to time out');
  let isTimeUp = options.remainingMs() <= 0;
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        // A timer may be a moment early: what counts for starting a record is that the batch has been given up.
        isTimeUp = true;
        reject(timeUp());
      },
      Math.max(0, options.remainingMs()),
    );
  });
  deadline.catch(() => {});

  const next = groups.values();
  const worker = async () => {
    for (const group of next) {
      let stopped: unknown;
      for (const record of group) {
        if (stopped === undefined && (isTimeUp || options.remainingMs() <= 0)) stopped = timeUp();
        if (stopped !== undefined) {
          results.set(record, { status: 'rejected', reason: stopped });
          continue;
        }
        try {
          const value = await Promise.race([handle(record), deadline]);
          results.set(record, { status: 'fulfilled', value });
        } catch (reason) {
          results.set(record, { status: 'rejected', reason });
          stopped = new NotHandledError('GROUP_STOPPED', 'An earlier message of the same message group failed');
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, groups.length) }, worker));
  clearTimeout(timer);
  return records.map((record) => results.get(record) ?? { status: 'rejected', reason: timeUp() });
}

/** One group for each message group of a FIFO queue; on a standard queue each record is a group of its own. */
function groupsOf(records: readonly SQSRecord[]): SQSRecord[][] {
  const groups = new Map<string, SQSRecord[]>();
  records.forEach((record, index) => {
    const fifo = record.eventSourceARN.endsWith('.fifo');
    const key = fifo ? `group ${record.attributes.MessageGroupId}` : `record ${index}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  });
  return [...groups.values()];
}
