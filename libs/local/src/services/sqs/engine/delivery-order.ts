import type { Message } from './message.ts';

/** Which of a queue's messages can be received, and which of them first. */
export interface DeliveryOrder {
  /** Takes note of a message that came into the queue, or whose state has changed. */
  update(message: Message): void;
  /** Forgets a message that leaves the queue. */
  remove(message: Message): void;
  /**
   * Offers visible messages one after the other, each at most once.
   *
   * @param take changes the message's state, or removes it from the queue; returns false for a message that does not count
   * @param max how many may count
   */
  offer(max: number, take: (message: Message) => boolean): void;
  /** Forgets everything. */
  clear(): void;
}
