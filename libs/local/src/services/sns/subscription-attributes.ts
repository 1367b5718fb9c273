import type { AwsError } from '../../core/aws-error.ts';
import { readDeliveryPolicy } from './delivery-policy.ts';
import { notImplemented, snsError } from './errors.ts';
import { compileFilterPolicy, type FilterPolicyScope } from './filter-policy.ts';
import { snsLimits } from './limits.ts';
import type { SnsStore, Subscription, Topic } from './store/sns-store.ts';

type Refuse = (reason: string) => AwsError;

/** Raw messages have a receiver that wants nothing else. */
const rawProtocols = new Set(['sqs', 'http', 'https']);

/**
 * Checks the attributes of a subscription, all of them together.
 * https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
 *
 * @param refuse makes the error of the operation
 */
export function checkSubscriptionAttributes(
  attributes: Readonly<Record<string, string>>,
  { protocol, topic }: { protocol: string; topic: Topic },
  refuse: Refuse,
): void {
  for (const [name, value] of Object.entries(attributes)) checkAttribute(name, value, protocol, topic, refuse);
  const { FilterPolicy, FilterPolicyScope: scope = 'MessageAttributes' } = attributes;
  if (FilterPolicy === undefined || FilterPolicy === '') return;
  try {
    compileFilterPolicy(FilterPolicy, scope as FilterPolicyScope);
  } catch (error) {
    throw refuse(`FilterPolicy: ${(error as Error).message}`);
  }
}

function checkAttribute(name: string, value: string, protocol: string, topic: Topic, refuse: Refuse): void {
  switch (name) {
    case 'FilterPolicy':
      return;
    case 'FilterPolicyScope':
      if (value !== 'MessageAttributes' && value !== 'MessageBody') {
        throw refuse('FilterPolicyScope: Invalid value. Please use either MessageBody or MessageAttributes');
      }
      return;
    case 'RawMessageDelivery':
      if (value !== 'true' && value !== 'false')
        throw refuse('RawMessageDelivery: Invalid value. Must be true or false.');
      if (value === 'true' && !rawProtocols.has(protocol)) {
        throw refuse(`RawMessageDelivery: Raw message delivery is not supported for the protocol ${protocol}`);
      }
      return;
    case 'DeliveryPolicy':
      if (!protocol.startsWith('http')) throw refuse('DeliveryPolicy: only HTTP/S endpoints have a delivery policy');
      try {
        readDeliveryPolicy(value);
      } catch (error) {
        throw refuse(`DeliveryPolicy: ${(error as Error).message}`);
      }
      return;
    case 'RedrivePolicy':
      checkRedrivePolicy(value, topic, refuse);
      return;
    case 'ReplayPolicy':
      throw notImplemented('ReplayPolicy, with which archived messages are replayed,');
    case 'SubscriptionRoleArn':
      throw notImplemented('SubscriptionRoleArn of Firehose subscriptions');
    default:
      throw refuse(`unknown attribute ${name.slice(0, 100)}`);
  }
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html */
function checkRedrivePolicy(value: string, topic: Topic, refuse: Refuse): void {
  if (value === '' || value === '{}') return;
  let target: unknown;
  try {
    target = (JSON.parse(value) as { deadLetterTargetArn?: unknown }).deadLetterTargetArn;
  } catch {
    throw refuse('RedrivePolicy: failed to parse JSON.');
  }
  if (typeof target !== 'string' || !/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w.-]+$/.test(target)) {
    throw refuse('RedrivePolicy: deadLetterTargetArn is an invalid arn');
  }
  const fifo = topic.attributes.FifoTopic === 'true';
  if (!fifo && target.endsWith('.fifo'))
    throw refuse('RedrivePolicy: a standard topic must have a standard queue as dead-letter queue');
}

/** @throws AwsError FilterPolicyLimitExceeded */
export function checkFilterPolicyLimit(store: SnsStore, subscription: Pick<Subscription, 'arn' | 'topicArn'>): void {
  const others = store.subscriptions(subscription.topicArn).filter(({ arn, attributes }) => {
    return arn !== subscription.arn && attributes.FilterPolicy !== undefined;
  });
  if (others.length >= snsLimits.filterPoliciesOfTopic) {
    throw snsError(
      'FilterPolicyLimitExceeded',
      `A topic can have at most ${snsLimits.filterPoliciesOfTopic} filter policies`,
    );
  }
}

/** Attributes as they are kept: what is empty has been taken away. */
export function keptAttributes(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const isEmpty = ([name, value]: [string, string]): boolean =>
    value === '' || (name === 'RedrivePolicy' && value === '{}') || (name === 'FilterPolicy' && value === '{}');
  return Object.fromEntries(Object.entries(attributes).filter((entry) => !isEmpty(entry)));
}
