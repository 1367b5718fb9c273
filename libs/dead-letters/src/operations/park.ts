import { UsageError } from '@millrace/command-line';
import { MAX_BATCH_ENTRIES } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { messageAttributes } from '../message-attributes.ts';
import { type ParkingReason, parkingAttributes, parkingCodes } from '../parking.ts';
import { type DrainSummary, drain } from './drain.ts';
import { type Destination, moveDeadLetters } from './move-dead-letters.ts';
import type { Operation } from './redrive.ts';
import type { StageQueue } from './stage-queues.ts';

/**
 * Puts letters aside, for a person to decide on: into the parking queue.
 *
 * @param message why; an operator's words
 * @throws UsageError for letters that are parked already, and when the stage has no parking queue
 */
export async function park(operation: Operation, message: string = parkingCodes.PARKED): Promise<DrainSummary> {
  const { sqs, queues, queue, dryRun } = operation;
  const { parkingQueue } = queues;
  if (queue.name === parkingQueue.name) throw new UsageError('The letters of the parking queue are parked already');
  return drain(sqs, queue, operation, MAX_BATCH_ENTRIES, async (letters, look) => {
    if (dryRun) {
      return letters.map((letter) => ({ letter, result: 'done', text: `would go to ${parkingQueue.name}` }));
    }
    const reason = { code: 'PARKED', message };
    const moves = letters.map((letter) => ({ letter, destination: parkingPlace(letter, reason, queue, parkingQueue) }));
    return moveDeadLetters(sqs, look, moves, 'parked');
  });
}

/** A letter's place in the parking queue. It keeps its message group for the way back. */
export function parkingPlace(
  letter: DeadLetter,
  reason: ParkingReason,
  from: Pick<StageQueue, 'name'>,
  parkingQueue: StageQueue,
): Destination {
  return {
    queue: parkingQueue,
    attributes: messageAttributes(parkingAttributes(letter, reason, from.name), letter.body),
    messageGroupId: letter.messageGroupId,
  };
}
