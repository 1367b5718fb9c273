import { setTimeout as delay } from 'node:timers/promises';
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { fullJitter } from '@millrace/retry';

/** How often an entry is tried that SQS could not take for a reason of its own. */
const MAX_ATTEMPTS = 4;
/** Upper bounds of the pauses in between, in ms. */
const PAUSES = { random: Math.random, firstBound: 100, longestBound: 1_000 };

/** Why an entry of a batch was not taken. */
export interface EntryFailure {
  code: string;
  message: string;
  /** Whether the entry itself is at fault, so that no retry can help. */
  senderFault: boolean;
}

/** What SQS answers to a batch. */
interface BatchAnswer {
  Successful?: { Id?: string | undefined }[] | undefined;
  Failed?: BatchResultErrorEntry[] | undefined;
}

/**
 * Calls a batch operation of SQS, and again with the entries that SQS itself failed to take. An entry counts as taken
 * only when the answer says so.
 *
 * @param call is given entries with their ids, and sends one batch
 * @returns the failures by item; items without one were taken
 * @throws what the first `call` throws: it is then unknown which entries were taken
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
 */
export async function callBatch<Item>(
  items: readonly Item[],
  call: (entries: { Id: string; item: Item }[]) => Promise<BatchAnswer>,
): Promise<Map<Item, EntryFailure>> {
  const failures = new Map<Item, EntryFailure>();
  let pending = [...items];
  for (let attempt = 1; pending.length > 0; attempt += 1) {
    const entries = pending.map((item, index) => ({ Id: String(index), item }));
    const answer = await call(entries).catch((error: Error) => {
      // What earlier attempts have told of the other entries still holds.
      if (attempt > 1) return error;
      throw error;
    });
    if (answer instanceof Error) {
      const failure = { code: answer.name, message: answer.message, senderFault: false };
      for (const item of pending) failures.set(item, failure);
      break;
    }
    const { Successful = [], Failed = [] } = answer;
    const taken = new Set(Successful.map(({ Id }) => Id));
    pending = [];
    for (const { Id, item } of entries) {
      failures.delete(item);
      if (taken.has(Id)) continue;
      const { Code = 'NoResult', Message = '', SenderFault = false } = Failed.find((entry) => entry.Id === Id) ?? {};
      failures.set(item, { code: Code, message: Message, senderFault: SenderFault });
      if (!SenderFault && attempt < MAX_ATTEMPTS) pending.push(item);
    }
    if (pending.length > 0) await delay(fullJitter(attempt, PAUSES));
  }
  return failures;
}
