import { sqsLimits } from '../limits.ts';
import type { Message } from './message.ts';

interface Attempt {
  readonly at: number;
  readonly messages: readonly { message: Message; receives: number; visibleAt: number }[];
}

/**
 * The receives of a FIFO queue that had a ReceiveRequestAttemptId, so that one whose answer was lost can be repeated.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export class ReceiveAttempts {
  readonly #attempts = new Map<string, Attempt>();

  /** @param messages with the state that this receive gave them */
  add(id: string, messages: readonly Message[], now: number): void {
    for (const [oldId, { at }] of this.#attempts) {
      if (at + sqsLimits.deduplicationMs > now) break;
      this.#attempts.delete(oldId);
    }
    this.#attempts.delete(id);
    const kept = messages.map((message) => ({ message, receives: message.receives, visibleAt: message.visibleAt }));
    this.#attempts.set(id, { at: now, messages: kept });
  }

  /**
   * The messages of an earlier receive, if it can be repeated: less than five minutes ago, all of its messages still in
   * flight, and none of them deleted or changed since.
   */
  find(id: string, now: number, current: (uid: number) => Message | undefined): readonly Message[] | undefined {
    const attempt = this.#attempts.get(id);
    if (!attempt || attempt.at + sqsLimits.deduplicationMs <= now) return undefined;
    const unchanged = attempt.messages.every(
      ({ message, receives, visibleAt }) =>
        current(message.uid) === message &&
        message.state === 'hidden' &&
        message.receives === receives &&
        message.visibleAt === visibleAt,
    );
    return unchanged ? attempt.messages.map(({ message }) => message) : undefined;
  }

  clear(): void {
    this.#attempts.clear();
  }
}
