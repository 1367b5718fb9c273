import { open, rename, rm } from 'node:fs/promises';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetter } from '../dead-letter.ts';
import { isObjectText } from '../json-object.ts';
import { type InspectionSummary, inspect } from './inspect.ts';
import type { StageQueue } from './stage-queues.ts';

/**
 * Writes letters to a file, one JSON object a line, and leaves them where they are. The event stands in `event` when the
 * body is a JSON object, otherwise the body in `body`, both to be edited and imported. The file is complete or not there;
 * only its owner may read it, because events hold personal data.
 *
 * @param options as of `inspect`
 * @throws an error of the file system or the SDK
 */
export async function exportDeadLetters(
  sqs: Pick<SQSClient, 'send'>,
  queue: StageQueue,
  path: string,
  options: Parameters<typeof inspect>[2],
): Promise<InspectionSummary> {
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    const summary = await inspect(sqs, queue, options, async (letter) => {
      await file.write(`${exportedLine(letter, queue.name)}\n`);
    });
    options.signal?.throwIfAborted();
    await file.sync();
    await file.close();
    await rename(draft, path);
    return summary;
  } catch (error) {
    await file.close();
    await rm(draft, { force: true });
    throw error;
  }
}

/** One line of an exported file. */
export function exportedLine(letter: DeadLetter, queueName: string): string {
  const { messageId, event, reason, attributes, sentAt, messageGroupId, body } = letter;
  const description = JSON.stringify({
    messageId,
    queue: queueName,
    ...(event && { eventId: event.id, type: event.detailType }),
    sentAt: sentAt.toISOString(),
    reason,
    attributes,
    ...(messageGroupId !== undefined && { messageGroupId }),
  });
  // The text itself, not what parsing would make of its numbers. Line breaks can only be white space in it.
  const content = isObjectText(body)
    ? `"event":${body.trim().replace(/[\r\n]+/g, ' ')}`
    : `"body":${JSON.stringify(body)}`;
  return `${description.slice(0, -1)},${content}}`;
}
