import { MAX_BATCH_ENTRIES } from '../batches.ts';
import { type DrainSummary, drain } from './drain.ts';
import { remove } from './move-dead-letters.ts';
import type { Operation } from './redrive.ts';

/** Deletes letters for good, one by one and not with PurgeQueue: only those that are meant. */
export async function purge(operation: Operation): Promise<DrainSummary> {
  const { sqs, queue, dryRun } = operation;
  return drain(sqs, queue, operation, MAX_BATCH_ENTRIES, async (letters, look) => {
    if (dryRun) return letters.map((letter) => ({ letter, result: 'done', text: 'would be deleted' }));
    const stillThere = await remove(look, letters);
    return letters.map((letter) => {
      const problem = stillThere.get(letter);
      return problem === undefined
        ? { letter, result: 'done', text: 'deleted' }
        : { letter, result: 'left', text: `left: ${problem}`, stop: true };
    });
  });
}
