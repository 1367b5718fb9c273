import type { DeadLetter } from '@millrace/dead-letters';
import { consumerKey, depthOf, type StageQueue } from '@millrace/dead-letters/operations';
import { shownIdentifier } from '@millrace/events';
import type { LineageNode } from '../lineage-tree.ts';

/** Why a letter is dead. */
export interface LetterReason {
  code: string;
  message: string;
  attempts?: number;
  /** ISO 8601. */
  sentAt: string;
  /** Of a parked letter: what it died of before. */
  cause?: { code: string; message: string };
}

/** What became of an event at one of its consumers. */
export interface Whereabouts {
  /** `inventory.onOrderPlaced` */
  consumer: string;
  /**
   * `dead`: a letter says why. `waiting`: perhaps, there are messages in its queue, which cannot be looked into without
   * taking them. `absent`: the stage has no such queue. `finished`: none of it.
   */
  state: 'dead' | 'waiting' | 'absent' | 'finished';
  /** Where it lies dead, or may be waiting. */
  queue?: string;
  /** Messages in that queue, approximately, when it may be waiting. */
  messages?: number;
  reason?: LetterReason;
}

/** A letter with the queue it lies in. */
export interface FoundLetter {
  queue: string;
  letter: DeadLetter;
}

/** Who subscribes to an event: `inventory.onOrderPlaced` with its queue, when the stage has one. */
export interface Subscription {
  consumer: string;
  queue: StageQueue | undefined;
}

/**
 * What became of an event at each of its consumers. An event that a consumer's service emitted because of it tells that
 * the consumer is through.
 *
 * @param letters of the event
 */
export function whereaboutsOf(
  event: LineageNode,
  subscriptions: readonly Subscription[],
  letters: readonly FoundLetter[],
  stage: string,
): Whereabouts[] {
  const keyOf = (name: string): string => consumerKey(name, stage);
  const dead = letters.map((found): Whereabouts => {
    const key = keyOf(queueThatFailed(found));
    const consumer = subscriptions.find((subscription) => keyOf(subscription.consumer) === key)?.consumer;
    return {
      consumer: consumer ?? shownIdentifier(queueThatFailed(found)),
      state: 'dead',
      queue: found.queue,
      reason: reasonOf(found),
    };
  });
  const others = subscriptions
    .filter(({ consumer }) => !dead.some((each) => each.consumer === consumer))
    .map(({ consumer, queue }): Whereabouts => {
      const [service] = consumer.split('.');
      if (event.events.some((effect) => effect.service === service)) return { consumer, state: 'finished' };
      if (!queue) return { consumer, state: 'absent' };
      const messages = depthOf(queue);
      if (messages > 0) return { consumer, state: 'waiting', queue: queue.name, messages };
      return { consumer, state: 'finished' };
    });
  return [...dead, ...others];
}

/** Why a letter is dead, with nothing that may be personal. */
export function reasonOf({ letter }: FoundLetter): LetterReason {
  const { reason, sentAt, attributes } = letter;
  const { CauseCode, CauseMessage = '' } = attributes;
  return {
    code: shownIdentifier(reason.code),
    message: reason.message,
    ...(reason.attempts !== undefined && { attempts: reason.attempts }),
    sentAt: sentAt.toISOString(),
    ...(CauseCode !== undefined && { cause: { code: shownIdentifier(CauseCode), message: CauseMessage } }),
  };
}

/** The dead-letter queue that a letter came to first. */
export function queueThatFailed({ queue, letter }: FoundLetter): string {
  return letter.attributes.ParkedFrom ?? queue;
}
