import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { callBatch } from '../batch-call.ts';
import { batches, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import type { Look } from './look.ts';
import type { Outcome } from './outcome.ts';
import type { StageQueue } from './stage-queues.ts';

/** Where a letter goes, and as what. The body never changes. */
export interface Destination {
  queue: Pick<StageQueue, 'name' | 'url' | 'fifo'>;
  attributes: Record<string, MessageAttributeValue>;
  /** For a FIFO queue, and for a queue that letters go back to a FIFO queue from. */
  messageGroupId?: string | undefined;
  /** For a FIFO queue: what makes a second try within five minutes the same message. By default the letter does. */
  deduplicationId?: string;
}

/** A letter and where it goes. */
export interface Move {
  letter: DeadLetter;
  destination: Destination;
}

/**
 * Sends letters to where they go, and then deletes those, and only those, that SQS has confirmed: whatever fails in
 * between, a letter is in one of the queues or in both.
 *
 * Of a FIFO queue's message group, nothing is sent after a letter that could not be: order is kept.
 *
 * @param done what is said of a letter that has been moved, e.g. `redriven`
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export async function moveDeadLetters(
  sqs: Pick<SQSClient, 'send'>,
  look: Look,
  moves: readonly Move[],
  done: string,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const stuckGroups = new Set<string>();
  for (const [queue, toQueue] of Map.groupBy(moves, ({ destination }) => destination.queue.url)) {
    const chunks = batches(toQueue, {
      maxCount: MAX_BATCH_ENTRIES,
      maxSize: MAX_BATCH_BYTES,
      sizeOf: messageSize,
      keyOf: toQueue[0]?.destination.queue.fifo ? groupOf : undefined,
    });
    for (const chunk of chunks) {
      const sendable = chunk.filter((move) => {
        const { letter } = move;
        const problem = stuckGroups.has(groupOf(move))
          ? 'a letter before it in its message group could not be sent'
          : look.holds(letter)
            ? undefined
            : 'its visibility could not be extended in time';
        if (problem !== undefined) outcomes.push({ letter, result: 'left', text: `left: ${problem}` });
        return problem === undefined;
      });
      outcomes.push(...(await moveBatch(sqs, look, queue, sendable, done)));
      for (const { letter, result } of outcomes) {
        if (result === 'left' && letter.messageGroupId !== undefined) stuckGroups.add(letter.messageGroupId);
      }
      if (outcomes.some(({ stop }) => stop)) break;
    }
  }
  const handled = new Set(outcomes.map(({ letter }) => letter));
  for (const { letter } of moves) {
    if (!handled.has(letter)) outcomes.push({ letter, result: 'left', text: 'left: not tried after the failure' });
  }
  return outcomes;
}

async function moveBatch(
  sqs: Pick<SQSClient, 'send'>,
  look: Look,
  queueUrl: string,
  moves: readonly Move[],
  done: string,
): Promise<Outcome[]> {
  if (moves.length === 0) return [];
  let refused: Awaited<ReturnType<typeof sendDeadLetters>>;
  try {
    refused = await sendDeadLetters(sqs, queueUrl, moves);
  } catch (error) {
    const text = `left: sending failed: ${describe(error)}`;
    return moves.map(({ letter }) => ({ letter, result: 'left', text, stop: true }));
  }
  const outcomes: Outcome[] = [];
  const sent: Move[] = [];
  for (const move of moves) {
    const failure = refused.get(move);
    if (!failure) {
      sent.push(move);
      continue;
    }
    const { code, message, senderFault } = failure;
    const text = `left: SQS refused it: ${[code, message].filter(Boolean).join(': ')}`;
    outcomes.push({ letter: move.letter, result: 'left', text, ...(!senderFault && { stop: true }) });
  }
  const stillThere = await remove(
    look,
    sent.map(({ letter }) => letter),
  );
  for (const { letter, destination } of sent) {
    const problem = stillThere.get(letter);
    outcomes.push(
      problem === undefined
        ? { letter, result: 'done', text: `${done} to ${destination.queue.name}` }
        : { letter, result: 'failed', text: `${done}, but also still in its queue: ${problem}`, stop: true },
    );
  }
  return outcomes;
}

/** Deletes letters. @returns why, by letter, one could not be deleted; never throws */
export async function remove(look: Look, letters: readonly DeadLetter[]): Promise<Map<DeadLetter, string>> {
  try {
    const left = await look.delete(letters);
    return new Map([...left].map(([letter, { code, message }]) => [letter, `${code}: ${message}`]));
  } catch (error) {
    const problem = `deleting failed: ${describe(error)}`;
    return new Map(letters.filter((letter) => !look.hasDeleted(letter)).map((letter) => [letter, problem]));
  }
}

/**
 * Sends letters to one queue.
 *
 * @returns why, by move, SQS did not take one
 * @throws what the SDK throws: it is then unknown what SQS has taken
 */
export function sendDeadLetters(sqs: Pick<SQSClient, 'send'>, queueUrl: string, moves: readonly Move[]) {
  return callBatch(moves, (entries) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: entries.map(({ Id, item: { letter, destination } }) => ({
          Id,
          MessageBody: letter.body,
          MessageAttributes: destination.attributes,
          ...(destination.messageGroupId !== undefined && { MessageGroupId: destination.messageGroupId }),
          // A letter that dies again is another letter, with an id of its own.
          ...(destination.queue.fifo && {
            MessageDeduplicationId: destination.deduplicationId ?? `moved-${letter.messageId}`,
          }),
        })),
      }),
    ),
  );
}

function groupOf({ letter, destination }: Move): string {
  return letter.messageGroupId ?? destination.messageGroupId ?? letter.messageId;
}

/** Bytes as SQS counts them: body, and name, type and value of each attribute. */
function messageSize({ letter, destination }: Move): number {
  return Object.entries(destination.attributes).reduce(
    (bytes, [name, { DataType = '', StringValue = '' }]) =>
      bytes + Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue),
    Buffer.byteLength(letter.body),
  );
}

/** An error's message; of a call that reached nothing, the reason is in its parts. */
export function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message || error.name;
}
