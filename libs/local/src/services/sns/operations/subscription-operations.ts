import { randomBytes, randomUUID } from 'node:crypto';
import { isThisMachine } from '../../../core/outgoing-http.ts';
import {
  findSubscription,
  findTopic,
  isFifo,
  pageOf,
  type SnsCaller,
  type SnsContext,
  type SnsOperation,
  type SnsOutput,
} from '../context.ts';
import { effectivePolicy } from '../delivery-policy.ts';
import { invalidParameter, notImplemented, snsError } from '../errors.ts';
import { snsLimits } from '../limits.ts';
import type { Subscription, Topic } from '../store/sns-store.ts';
import { checkFilterPolicyLimit, checkSubscriptionAttributes, keptAttributes } from '../subscription-attributes.ts';

interface SubscribeInput {
  TopicArn?: string;
  Protocol?: string;
  Endpoint?: string;
  Attributes?: Record<string, string>;
  ReturnSubscriptionArn?: string;
}

type SubscriptionOperation =
  | 'Subscribe'
  | 'ConfirmSubscription'
  | 'Unsubscribe'
  | 'ListSubscriptions'
  | 'ListSubscriptionsByTopic'
  | 'GetSubscriptionAttributes'
  | 'SetSubscriptionAttributes';

const PENDING = 'pending confirmation';

/** https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html and the pages beside it */
export function subscriptionOperations(context: SnsContext): Record<SubscriptionOperation, SnsOperation> {
  const { store } = context;
  const list = (subscriptions: readonly Subscription[], token: string | undefined): SnsOutput => {
    const { page, ...rest } = pageOf(subscriptions, ({ arn }) => arn, token);
    return { Subscriptions: page.map((subscription) => summary(context, subscription)), ...rest };
  };
  return {
    Subscribe: (input: SubscribeInput) => subscribe(context, input),
    ConfirmSubscription: (input: { TopicArn?: string; Token?: string; AuthenticateOnUnsubscribe?: string }, caller) =>
      confirm(context, input, caller),
    Unsubscribe: ({ SubscriptionArn }: { SubscriptionArn?: string }, caller) => {
      const subscription = findSubscription(context, SubscriptionArn);
      if (subscription.confirmedAt === undefined)
        throw invalidParameter('SubscriptionArn', 'This endpoint has not been confirmed');
      if (subscription.authenticated && caller.accountId === undefined) {
        throw snsError('AuthorizationError', 'The subscription can only be ended with a signed request');
      }
      store.removeSubscription(subscription.arn);
      return {};
    },
    ListSubscriptions: ({ NextToken }: { NextToken?: string }) => list(store.subscriptions(), NextToken),
    ListSubscriptionsByTopic: ({ TopicArn, NextToken }: { TopicArn?: string; NextToken?: string }) =>
      list(store.subscriptions(findTopic(context, TopicArn).arn), NextToken),
    GetSubscriptionAttributes: ({ SubscriptionArn }: { SubscriptionArn?: string }) => ({
      Attributes: attributesOf(context, findSubscription(context, SubscriptionArn)),
    }),
    SetSubscriptionAttributes: (input: {
      SubscriptionArn?: string;
      AttributeName?: string;
      AttributeValue?: string;
    }) => {
      const subscription = findSubscription(context, input.SubscriptionArn);
      const { AttributeName: name = '', AttributeValue: value = '' } = input;
      const attributes = { ...subscription.attributes, [name]: value };
      const topic = findTopic(context, subscription.topicArn);
      checkSubscriptionAttributes(attributes, { protocol: subscription.protocol, topic }, (reason) =>
        invalidParameter(reason),
      );
      const kept = keptAttributes(attributes);
      if (kept.FilterPolicy !== undefined) checkFilterPolicyLimit(store, subscription);
      store.saveSubscription({ ...subscription, attributes: kept });
      return {};
    },
  };
}

function subscribe(context: SnsContext, input: SubscribeInput): SnsOutput {
  const { store, clock } = context;
  const topic = findTopic(context, input.TopicArn);
  const { Protocol: protocol = '', Endpoint: endpoint = '', Attributes = {} } = input;
  checkEndpoint(protocol, endpoint, topic);
  checkSubscriptionAttributes(Attributes, { protocol, topic }, (reason) => invalidParameter('Attributes', reason));
  const attributes = keptAttributes(Attributes);
  const existing = store.findSubscription(topic.arn, protocol, endpoint);
  const returnsArn = input.ReturnSubscriptionArn === 'true';
  if (existing) {
    const isOther = Object.entries(attributes).some(([name, value]) => existing.attributes[name] !== value);
    if (isOther) throw invalidParameter('Attributes', 'Subscription already exists with different attributes');
    // Who has missed the first confirmation gets another one.
    if (existing.confirmedAt === undefined)
      requestConfirmation(context, { ...existing, token: newToken(), createdAt: clock.now() });
    return { SubscriptionArn: existing.confirmedAt === undefined && !returnsArn ? PENDING : existing.arn };
  }
  const isConfirmed = protocol === 'sqs' || protocol === 'lambda' || protocol === 'sms';
  const subscription: Subscription = {
    ...{ arn: `${topic.arn}:${randomUUID()}`, topicArn: topic.arn, protocol, endpoint, attributes },
    ...{ confirmedAt: isConfirmed ? clock.now() : undefined, createdAt: clock.now(), token: newToken() },
    authenticated: isConfirmed,
  };
  if (attributes.FilterPolicy !== undefined) checkFilterPolicyLimit(store, subscription);
  if (isConfirmed) store.saveSubscription(subscription);
  else requestConfirmation(context, subscription);
  return { SubscriptionArn: isConfirmed || returnsArn ? subscription.arn : PENDING };
}

function newToken(): string {
  return randomBytes(96).toString('hex');
}

/** https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html */
function requestConfirmation({ store, clock, deliverer }: SnsContext, subscription: Subscription): void {
  const { arn, topicArn, protocol, endpoint, token } = subscription;
  const version = store.topic(topicArn)?.attributes.SignatureVersion === '2' ? '2' : '1';
  store.transaction(() => {
    store.saveSubscription(subscription);
    deliverer.add({
      ...{ type: 'SubscriptionConfirmation', subscriptionArn: arn, topicArn, protocol, endpoint, token },
      ...{ messageId: randomUUID(), time: clock.now(), attributes: {}, raw: false, signatureVersion: version },
      text: `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
    });
  });
}

function checkEndpoint(protocol: string, endpoint: string, topic: Topic): void {
  const refuse = (reason: string): never => {
    throw invalidParameter('Endpoint', reason);
  };
  if (protocol === 'application' || protocol === 'firehose')
    throw notImplemented(`Subscribe with the protocol ${protocol}`);
  if (isFifo(topic) && protocol !== 'sqs') {
    throw invalidParameter(
      `Invalid protocol type: ${protocol.slice(0, 20)}`,
      'only queues can be subscribed to FIFO topics',
    );
  }
  switch (protocol) {
    case 'sqs':
      if (!/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(\.fifo)?$/.test(endpoint)) refuse('SQS endpoint ARN');
      if (!isFifo(topic) && endpoint.endsWith('.fifo'))
        refuse('FIFO SQS Queues can not be subscribed to standard SNS topics');
      return;
    case 'lambda':
      if (!/^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$/.test(endpoint))
        refuse('Invalid Lambda endpoint');
      return;
    case 'http':
    case 'https': {
      const url = URL.parse(endpoint);
      if (url?.protocol !== `${protocol}:`) refuse('Endpoint must match the specified protocol');
      else if (!isThisMachine(url)) refuse('on this machine, messages are sent to localhost and 127.0.0.1 only');
      return;
    }
    case 'email':
    case 'email-json':
      if (!/^[^\s@]+@[^\s@]+$/.test(endpoint)) refuse('Email address');
      return;
    case 'sms':
      if (!/^\+[1-9]\d{1,14}$/.test(endpoint)) refuse(`Invalid SMS endpoint`);
      return;
    default:
      throw invalidParameter(`Does not support this protocol string: ${protocol.slice(0, 50)}`);
  }
}

/** https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html */
function confirm(
  context: SnsContext,
  input: { TopicArn?: string; Token?: string; AuthenticateOnUnsubscribe?: string },
  caller: SnsCaller,
): SnsOutput {
  const { store, clock } = context;
  const topic = findTopic(context, input.TopicArn);
  const subscription = store.subscriptionByToken(input.Token ?? '');
  const isKnown =
    subscription?.topicArn === topic.arn && clock.now() <= subscription.createdAt + snsLimits.confirmationMs;
  if (!subscription || !isKnown) throw invalidParameter('Token');
  if (subscription.confirmedAt === undefined) {
    const authenticated = input.AuthenticateOnUnsubscribe === 'true' && caller.accountId !== undefined;
    store.saveSubscription({ ...subscription, confirmedAt: clock.now(), authenticated });
  }
  return { SubscriptionArn: subscription.arn };
}

function summary(
  { accountId }: SnsContext,
  { arn, topicArn, protocol, endpoint, confirmedAt }: Subscription,
): SnsOutput {
  const SubscriptionArn = confirmedAt === undefined ? 'PendingConfirmation' : arn;
  return { SubscriptionArn, Owner: accountId, Protocol: protocol, Endpoint: endpoint, TopicArn: topicArn };
}

function attributesOf({ accountId }: SnsContext, subscription: Subscription): Record<string, string> {
  const { arn, topicArn, protocol, endpoint, confirmedAt, authenticated, attributes } = subscription;
  return {
    SubscriptionArn: arn,
    TopicArn: topicArn,
    Owner: accountId,
    Protocol: protocol,
    Endpoint: endpoint,
    PendingConfirmation: String(confirmedAt === undefined),
    ConfirmationWasAuthenticated: String(authenticated),
    SubscriptionPrincipal: `arn:aws:iam::${accountId}:root`,
    RawMessageDelivery: 'false',
    ...(protocol.startsWith('http') && {
      EffectiveDeliveryPolicy: JSON.stringify(effectivePolicy(attributes.DeliveryPolicy)),
    }),
    ...(attributes.FilterPolicy !== undefined && { FilterPolicyScope: 'MessageAttributes' }),
    ...attributes,
  };
}
