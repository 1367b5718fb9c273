import type { SQSClient } from '@aws-sdk/client-sqs';
import { shownIdentifier } from '@millrace/privacy';
import { Look } from './look.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { depthOf, type StageQueue, type StageQueues } from './stage-queues.ts';

/** Queues looked into at once. */
const CONCURRENCY = 4;

/** A dead-letter queue at a glance. */
export interface QueueOverview {
  queue: string;
  /** Letters, approximately. */
  depth: number;
  /** Of these, letters that somebody holds at the moment. */
  inFlight: number;
  /** ISO 8601; of the oldest letter looked at. */
  oldestSentAt?: string;
  /** Letters looked at. */
  sampled: number;
  /** Of the letters looked at, the commonest first. */
  reasons: { code: string; count: number }[];
}

/**
 * Looks at every dead-letter queue of a stage, into those that are not empty.
 *
 * @param sample letters looked at in each queue at most; 0 receives none
 */
export function listQueues(
  sqs: Pick<SQSClient, 'send'>,
  queues: StageQueues,
  { sample, startedAt, signal }: { sample: number; startedAt: Date; signal?: AbortSignal },
): Promise<QueueOverview[]> {
  return mapConcurrently(queues.deadLetterQueues, CONCURRENCY, (queue) =>
    overview(sqs, queue, sample, startedAt, signal),
  );
}

async function overview(
  sqs: Pick<SQSClient, 'send'>,
  queue: StageQueue,
  sample: number,
  startedAt: Date,
  signal: AbortSignal | undefined,
): Promise<QueueOverview> {
  const counts = new Map<string, number>();
  let sampled = 0;
  let oldest: Date | undefined;
  if (queue.visible > 0 && sample > 0) {
    const look = new Look(sqs, queue, { startedAt, signal });
    try {
      for (let letters = await look.next(); letters && sampled < sample; letters = await look.next()) {
        for (const { reason, sentAt } of letters.slice(0, sample - sampled)) {
          sampled += 1;
          const code = shownIdentifier(reason.code);
          counts.set(code, (counts.get(code) ?? 0) + 1);
          if (oldest === undefined || sentAt < oldest) oldest = sentAt;
        }
        if (sampled >= sample) look.end();
      }
    } finally {
      await look.close();
    }
  }
  return {
    queue: queue.name,
    depth: Math.max(depthOf(queue), sampled),
    inFlight: queue.inFlight,
    ...(oldest && { oldestSentAt: oldest.toISOString() }),
    sampled,
    reasons: [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count),
  };
}
