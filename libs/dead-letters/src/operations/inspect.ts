import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetter } from '../dead-letter.ts';
import { Look } from './look.ts';
import type { StageQueue } from './stage-queues.ts';

/** What a look came to. */
export interface InspectionSummary {
  /** Letters that matched. */
  matched: number;
  /** Letters looked at. */
  found: number;
  /** Letters that were not to be had: somebody holds them, or their message group hides them. Approximately. */
  unseen: number;
}

/**
 * Looks at letters and leaves them where they are.
 *
 * @param visit is given each letter that is meant, once
 * @throws what the SDK throws; everything is given back before
 */
export async function inspect(
  sqs: Pick<SQSClient, 'send'>,
  queue: StageQueue,
  options: {
    select: (letter: DeadLetter) => boolean;
    startedAt: Date;
    limit?: number | undefined;
    signal?: AbortSignal | undefined;
  },
  visit: (letter: DeadLetter) => void | Promise<void>,
): Promise<InspectionSummary> {
  const { select, startedAt, limit = Number.POSITIVE_INFINITY, signal } = options;
  const look = new Look(sqs, queue, { startedAt, signal });
  let matched = 0;
  try {
    for (let letters = await look.next(); letters; letters = await look.next()) {
      for (const letter of letters) {
        if (matched >= limit || !select(letter)) continue;
        matched += 1;
        await visit(letter);
      }
      if (matched >= limit) look.end();
    }
  } finally {
    await look.close();
  }
  const { found } = look;
  const depth = queue.visible + queue.inFlight + queue.delayed;
  return { matched, found, unseen: matched >= limit ? 0 : Math.max(0, depth - found) };
}
