import type { SQSClient } from '@aws-sdk/client-sqs';
import { isPastDeduplicationWindow } from '@millrace/events';
import { MAX_BATCH_ENTRIES } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { messageAttributes } from '../message-attributes.ts';
import { unparkedAttributes } from '../parking.ts';
import { type DrainOptions, type DrainSummary, drain } from './drain.ts';
import { type Destination, type Move, moveDeadLetters } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';
import type { StageQueue, StageQueues } from './stage-queues.ts';

/** What an operation on one dead-letter queue works with. */
export interface Operation extends DrainOptions {
  sqs: Pick<SQSClient, 'send'>;
  queues: StageQueues;
  queue: StageQueue;
  /** Only says what would be done. */
  dryRun?: boolean;
}

/**
 * Sends letters back to where they failed: a consumer's to the queue that SQS moved or the consumer took them from, a
 * rule's to its target, a parked one to the dead-letter queue it came from. The body is unchanged, and the old reason is
 * left off, so that it is not taken for the new one. A letter whose event is past the deduplication window is left: its
 * consumer would refuse it.
 *
 * @param messageGroupOf the message group that a rule gives its FIFO target
 */
export async function redrive(
  operation: Operation,
  messageGroupOf: (ruleArn: string, targetArn: string) => Promise<string | undefined>,
): Promise<DrainSummary> {
  const { sqs, queues, queue, dryRun } = operation;
  return drain(sqs, queue, operation, MAX_BATCH_ENTRIES, async (letters, look) => {
    const outcomes: Outcome[] = [];
    const moves: Move[] = [];
    for (const letter of letters) {
      const destination = isTooOld(letter, operation.startedAt)
        ? 'its event is more than 29 days old, so its consumer may have forgotten that it handled it: see EVENT_TOO_OLD in docs/dead-letters.md'
        : await destinationOf(letter, queue, queues, messageGroupOf);
      if (typeof destination === 'string') outcomes.push({ letter, result: 'left', text: `left: ${destination}` });
      else if (dryRun) outcomes.push({ letter, result: 'done', text: `would go to ${destination.queue.name}` });
      else moves.push({ letter, destination });
    }
    return [...outcomes, ...(await moveDeadLetters(sqs, look, moves, 'redriven'))];
  });
}

/**
 * True if the letter's consumer would refuse its event as too old. A parked letter goes to another dead-letter queue and
 * reaches no consumer, and about the event of a replay the consumer's `replays` decides.
 */
function isTooOld({ event, origin }: DeadLetter, now: Date): boolean {
  if (origin === 'parking' || event?.timestamp === undefined || event.replayName !== undefined) return false;
  return isPastDeduplicationWindow(event.timestamp, now);
}

/** Where a letter goes back to, or why it cannot. */
async function destinationOf(
  letter: DeadLetter,
  queue: StageQueue,
  queues: StageQueues,
  messageGroupOf: (ruleArn: string, targetArn: string) => Promise<string | undefined>,
): Promise<Destination | string> {
  const { origin, attributes, reason } = letter;
  switch (origin) {
    case 'stream':
      return 'it names records of a table’s stream: npm run redrive has the relay emit them, see docs/dead-letters.md';
    case 'execution':
      return 'it names an execution: only npm run redrive of its own queue resumes it';
    case 'parking': {
      if (reason.code === 'EVENT_REPLACED') return 'an edited copy has taken its place: purge it when that is done';
      const origin = queues.byName(attributes.ParkedFrom ?? '');
      if (!origin) return `the queue it was parked from, ${attributes.ParkedFrom}, does not exist`;
      const kept = messageAttributes(unparkedAttributes(attributes), letter.body);
      // The group is the consumer's name unless its `consume` says otherwise.
      const group = origin.fifo ? (letter.messageGroupId ?? reason.consumer ?? letter.messageId) : undefined;
      return { queue: origin, attributes: kept, messageGroupId: group };
    }
    case 'rule': {
      const { RULE_ARN = '', TARGET_ARN = '' } = attributes;
      const target = queues.byArn(TARGET_ARN);
      if (!target) return `its rule's target, ${TARGET_ARN}, is not a queue of this stage, or does not exist`;
      const group = target.fifo ? await messageGroupOf(RULE_ARN, TARGET_ARN) : undefined;
      if (target.fifo && group === undefined)
        return `the rule ${RULE_ARN} does not say a message group for ${target.name}`;
      return { queue: target, attributes: {}, messageGroupId: group };
    }
    case 'consumer':
    case 'sqs': {
      const [source, ...others] = queues.sourcesOf(queue);
      if (!source) return `no queue has ${queue.name} as its dead-letter queue`;
      if (others.length > 0) return `several queues have ${queue.name} as their dead-letter queue`;
      return { queue: source, attributes: {}, messageGroupId: letter.messageGroupId };
    }
  }
}
