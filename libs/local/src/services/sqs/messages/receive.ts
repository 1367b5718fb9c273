import type { Message } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import { queueDoesNotExist, sqsError } from '../errors.ts';

export interface ReceiveOptions {
  /** 1 to 10. */
  max: number;
  /** How long to wait for the first message; Infinity to wait until the signal aborts. */
  waitMs: number;
  /** The queue's unless given. */
  visibilityMs?: number | undefined;
  attemptId?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Receives messages, and waits for the first one if the queue is empty. The wait does not poll the queue.
 *
 * @returns an empty list when the time is over or the signal has aborted
 * @throws AwsError OverLimit when too many messages are in flight and the caller does not wait; QueueDoesNotExist when the
 *   queue is deleted meanwhile
 */
export async function receiveMessages(queue: Queue, options: ReceiveOptions): Promise<Message[]> {
  const { max, waitMs, visibilityMs, attemptId, signal } = options;
  const until = queue.advance() + waitMs;
  for (;;) {
    if (queue.deleted) throw queueDoesNotExist();
    if (signal?.aborted || queue.availability.closed) return [];
    // Only a standard queue says that it is full, and only to those who do not wait.
    if (queue.isFull && !queue.fifo && waitMs === 0) {
      throw sqsError('OverLimit', 'Too many messages in flight: delete messages, or receive with a wait.');
    }
    const messages = queue.isFull ? [] : queue.receive(max, visibilityMs, attemptId);
    if (messages.length > 0 || queue.advance() >= until) return messages;
    await queue.availability.wait(until, signal);
  }
}
