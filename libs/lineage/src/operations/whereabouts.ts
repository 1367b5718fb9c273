import type { DeadLetter } from '@millrace/dead-letters';
import { consumerKey, depthOf, type StageQueue } from '@millrace/dead-letters/operations';
import { isPastDeduplicationWindow } from '@millrace/events';
import { shownIdentifier } from '@millrace/privacy';
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
   * `dead`: a letter says why. `handled`: the consumer's mark proves it, or an event that only it can have emitted.
   * `waiting`: perhaps, there are messages in its queue, which cannot be looked into without taking them. `absent`: the stage
   * has no such queue. `no-trace`: nothing of it was found, so it may have been lost.
   */
  state: 'dead' | 'handled' | 'waiting' | 'absent' | 'no-trace';
  /** Where it lies dead, or may be waiting. */
  queue?: string;
  /** Messages in that queue, approximately, when it may be waiting. */
  messages?: number;
  reason?: LetterReason;
  /** Without a trace, and so old that a mark would have expired. */
  expired?: true;
}

/** A letter with the queue it lies in. */
export interface FoundDeadLetter {
  queue: string;
  letter: DeadLetter;
}

/** Who subscribes to an event: `inventory.onOrderPlaced` with its queue, when the stage has one. */
export interface Subscription {
  consumer: string;
  service: string;
  /** It keeps its service's projections. */
  projects: boolean;
  /** The prefix of the streams whose events prove what it has handled. */
  markedIn?: string | undefined;
  /** What its rule asks of an event's detail. */
  filter?: object | undefined;
  queue: StageQueue | undefined;
}

/** What was found of an event. */
export interface Evidence {
  deadLetters: readonly FoundDeadLetter[];
  /** The consumers that have left a mark of it. */
  marked: ReadonlySet<string>;
}

/**
 * True if an event that this one has caused proves that a consumer has handled it: no other consumer can have caused it. That is an
 * event of the consumer's service where the service has no other consumer of this event, and any event where nobody else takes it. For
 * example, the orders service places an order because the checkout has started an execution.
 */
export function hasEffect(
  event: LineageNode,
  { consumer, service }: Pick<Subscription, 'consumer' | 'service'>,
  subscriptions: readonly Pick<Subscription, 'consumer' | 'service'>[],
): boolean {
  const others = subscriptions.filter((other) => other.service === service && other.consumer !== consumer);
  const isAlone = subscriptions.length === 1;
  return others.length === 0 && event.events.some((effect) => isAlone || effect.service === service);
}

/**
 * What became of an event at each of its consumers. That nothing is wrong proves nothing: an event whose rule was disabled,
 * or whose dead letter was purged, has left no trace either.
 */
export function whereaboutsOf(
  event: LineageNode,
  subscriptions: readonly Subscription[],
  { deadLetters, marked }: Evidence,
  { stage, now }: { stage: string; now: Date },
): Whereabouts[] {
  const keyOf = (name: string): string => consumerKey(name, stage);
  const dead = deadLetters.map((found): Whereabouts => {
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
    .map((subscription): Whereabouts => {
      const { consumer, queue } = subscription;
      if (marked.has(consumer) || hasEffect(event, subscription, subscriptions)) return { consumer, state: 'handled' };
      if (!queue) return { consumer, state: 'absent' };
      const messages = depthOf(queue);
      if (messages > 0) return { consumer, state: 'waiting', queue: queue.name, messages };
      const expired = isPastDeduplicationWindow(event.time, now);
      return { consumer, state: 'no-trace', ...(expired && { expired: true as const }) };
    });
  return [...dead, ...others];
}

/** Why a letter is dead, with nothing that may be personal. */
export function reasonOf({ letter }: FoundDeadLetter): LetterReason {
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
export function queueThatFailed({ queue, letter }: FoundDeadLetter): string {
  return letter.attributes.ParkedFrom ?? queue;
}
