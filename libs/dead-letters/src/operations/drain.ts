import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetter } from '../dead-letter.ts';
import { Look } from './look.ts';
import { describe } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';
import { Pace } from './pace.ts';
import { depthOf, readQueue, type StageQueue } from './stage-queues.ts';

/** Receivers of a standard queue. */
const CONCURRENCY = 8;
/** Longer than this, time between two batches is waiting. In ms. */
const WAITING_MS = 1_000;

/** How letters are gone through, whatever is done with them. */
export interface DrainOptions {
  /** Which letters are meant; the others are held and given back. */
  select: (letter: DeadLetter) => boolean;
  /** By SQS's clock: letters sent after it are not touched. */
  startedAt: Date;
  limit?: number | undefined;
  /** Letters a second. */
  rate?: number | undefined;
  /** Receivers that work side by side; of a FIFO queue there is one. */
  concurrency?: number | undefined;
  /** Aborted, what is under way is finished and the rest given back. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DrainProgress) => void) | undefined;
}

export interface DrainProgress {
  /** Letters handled. */
  handled: number;
  /** Letters there are to handle, approximately. */
  total: number;
  /** Whether it waits for letters that somebody else holds. */
  waiting: boolean;
}

/** What a drain came to. */
export interface DrainSummary {
  done: number;
  left: number;
  failed: number;
  /** What became of the selected, in words, with how many each. */
  outcomes: { text: string; count: number }[];
  /** Letters looked at that were not meant. */
  skipped: number;
  /** Letters that came in the meantime, and were left alone. */
  arrived: number;
  /** Letters that were not to be had: somebody else holds them, or their message group hides them. Approximately. */
  unseen: number;
  interrupted: boolean;
  /** Why it stopped early. */
  problem?: string;
  /** Seconds of work. */
  duration: number;
  /** Seconds in which there was nothing to do but to wait for letters that somebody else held. */
  waited: number;
}

/** Whether nothing of what was asked for is left to do. */
export function isComplete({ left, failed, unseen, interrupted, problem }: DrainSummary): boolean {
  return left === 0 && failed === 0 && unseen === 0 && !interrupted && problem === undefined;
}

/**
 * Goes once through a dead-letter queue and hands the letters that are meant, in batches, to `handle`.
 *
 * @param handle gets the look, to delete from; the letters it leaves are given back at the end
 * @param batchSize letters that `handle` takes at most
 * @returns what came of it; never throws for what SQS or Lambda do, see `problem`
 */
export async function drain(
  sqs: Pick<SQSClient, 'send'>,
  queue: StageQueue,
  options: DrainOptions,
  batchSize: number,
  handle: (letters: DeadLetter[], look: Look) => Promise<Outcome[]>,
): Promise<DrainSummary> {
  const { select, startedAt, limit = Number.POSITIVE_INFINITY, rate = Number.POSITIVE_INFINITY, signal } = options;
  const begun = performance.now();
  const look = new Look(sqs, queue, { startedAt, waitForInFlight: true, signal });
  const pace = new Pace(rate);
  const size = pace.burst(batchSize);
  const texts = new Map<string, number>();
  const counts = { done: 0, left: 0, failed: 0 };
  let selected = 0;
  let skipped = 0;
  let problem: string | undefined;
  let busy = 0;
  let idleSince = begun;
  let waited = 0;

  const report = (waiting: boolean): void => {
    const handled = counts.done + counts.left + counts.failed;
    options.onProgress?.({ handled, total: Math.min(limit, Math.max(depthOf(queue) - skipped, selected)), waiting });
  };
  const stop = (reason: string): void => {
    problem ??= reason;
    look.end();
  };
  const handleBatch = async (letters: DeadLetter[]): Promise<void> => {
    await pace.wait(letters.length, signal);
    if (signal?.aborted || problem !== undefined) return;
    for (const { result, text, stop: stopping } of await handle(letters, look)) {
      counts[result] += 1;
      texts.set(text, (texts.get(text) ?? 0) + 1);
      if (stopping) stop(text);
    }
    report(false);
  };
  const workOn = async (letters: DeadLetter[]): Promise<void> => {
    if (busy === 0) countWaiting();
    busy += 1;
    try {
      await handleBatch(letters);
    } finally {
      busy -= 1;
      idleSince = performance.now();
    }
  };
  const countWaiting = (): void => {
    const idle = performance.now() - idleSince;
    if (idle > WAITING_MS) waited += idle;
  };
  const work = async (): Promise<void> => {
    let batch: DeadLetter[] = [];
    for (let letters = await look.next(); letters; letters = await look.next()) {
      for (const letter of letters) {
        if (selected >= limit || !select(letter)) {
          skipped += 1;
          continue;
        }
        selected += 1;
        batch.push(letter);
        if (batch.length < size) continue;
        const full = batch;
        batch = [];
        await workOn(full);
      }
      if (selected >= limit) look.end();
      // Nothing waits for letters that may not come; a FIFO queue hands out a group's next ones when these are gone.
      if (letters.length > 0 && !queue.fifo) continue;
      if (batch.length > 0) await workOn(batch);
      else report(letters.length === 0);
      batch = [];
    }
    if (batch.length > 0) await workOn(batch);
  };

  let stillThere = 0;
  try {
    const receivers = queue.fifo ? 1 : Math.min(options.concurrency ?? CONCURRENCY, Math.ceil(look.expected / 10) || 1);
    await Promise.all(Array.from({ length: receivers }, () => work().catch((error: unknown) => stop(describe(error)))));
    countWaiting();
    const missing = look.expected - look.found;
    const isMissing = missing > 0 && selected < limit && problem === undefined && !signal?.aborted;
    if (isMissing) stillThere = Math.min(missing, (await countMessages(sqs, queue)) - look.held);
  } finally {
    await look.close();
  }
  return {
    ...counts,
    outcomes: [...texts].map(([text, count]) => ({ text, count })),
    skipped,
    arrived: look.arrived,
    unseen: Math.max(0, stillThere),
    interrupted: signal?.aborted ?? false,
    ...(problem !== undefined && { problem }),
    duration: (performance.now() - begun - waited) / 1_000,
    waited: waited / 1_000,
  };
}

/** Messages that are in the queue now; an error means that nothing better is known than before. */
async function countMessages(sqs: Pick<SQSClient, 'send'>, queue: StageQueue): Promise<number> {
  const now = await readQueue(sqs, queue.url).catch(() => undefined);
  return depthOf(now ?? queue);
}
