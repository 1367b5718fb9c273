import type { Clock } from '../../core/clock.ts';
import type { CapturedMessage } from '../../core/messages.ts';
import type { Deliverer } from './delivery/deliverer.ts';
import { invalidParameter, subscriptionNotFound, topicNotFound } from './errors.ts';
import { snsLimits } from './limits.ts';
import type { SnsStore, Subscription, Topic } from './store/sns-store.ts';

/** Who calls. */
export interface SnsCaller {
  /** Undefined for a request that is not signed, as those of the links in messages. */
  accountId?: string;
  principalArn?: string;
}

/** What the operations share. */
export interface SnsContext {
  store: SnsStore;
  clock: Clock;
  region: string;
  accountId: string;
  deliverer: Deliverer;
  capture: (message: Omit<CapturedMessage, 'id' | 'sentAt'>) => void;
}

export type SnsOutput = Record<string, unknown>;
export type SnsOperation = (input: never, caller: SnsCaller) => SnsOutput;

/** @throws AwsError InvalidParameter, NotFound */
export function findTopic({ store }: SnsContext, arn: string | undefined, parameter = 'TopicArn'): Topic {
  if (!/^arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}$/.test(arn ?? '')) {
    throw invalidParameter(parameter, 'An ARN must have at least 6 elements, not the one that was given');
  }
  const topic = store.topic(arn ?? '');
  if (!topic) throw topicNotFound();
  return topic;
}

/** @throws AwsError InvalidParameter, NotFound */
export function findSubscription({ store }: SnsContext, arn: string | undefined): Subscription {
  if (!/^arn:aws:sns:[a-z0-9-]+:\d{12}:[^:]+:[0-9a-f-]{36}$/.test(arn ?? '')) {
    throw invalidParameter('SubscriptionArn', 'An ARN of a subscription was expected');
  }
  const subscription = store.subscription(arn ?? '');
  if (!subscription) throw subscriptionNotFound();
  return subscription;
}

export function isFifo({ attributes }: Topic): boolean {
  return attributes.FifoTopic === 'true';
}

/**
 * One page of a list, which is in the order of its keys.
 * @throws AwsError InvalidParameter for an invalid token
 */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  token: string | undefined,
): { page: Item[]; NextToken?: string } {
  const behind = token === undefined || token === '' ? '' : Buffer.from(token, 'base64url').toString();
  if (behind !== '' && !behind.startsWith('arn:')) throw invalidParameter('NextToken');
  const rest = items.filter((item) => keyOf(item) > behind);
  const page = rest.slice(0, snsLimits.listed);
  const last = page.at(-1);
  return {
    page,
    ...(page.length < rest.length && last && { NextToken: Buffer.from(keyOf(last)).toString('base64url') }),
  };
}
