import { type Attribute, arnOf, stableUuid } from '@millrace/cloudformation';
import { compilePolicy } from '@millrace/iam-policy';
import { isThisMachine } from '../../core/outgoing-http.ts';
import type { ResourceType } from '../../core/service.ts';
import type { Sns } from './api.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Attributes of a topic that are properties of the same name. */
const topicAttributes = [
  ...['DisplayName', 'KmsMasterKeyId', 'FifoTopic', 'ContentBasedDeduplication', 'FifoThroughputScope'],
  ...['SignatureVersion', 'TracingConfig', 'DeliveryPolicy'],
];
const subscriptionAttributes = [
  'DeliveryPolicy',
  'FilterPolicy',
  'FilterPolicyScope',
  'RawMessageDelivery',
  'RedrivePolicy',
];

const topicArn = arnOf('sns', ({ name }) => name);
const subscriptionArn: Attribute = (identity) => `${String(identity.property('TopicArn'))}:${stableUuid(identity)}`;

export const snsResourceTypes: Readonly<Record<string, ResourceType<Sns>>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html */
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: topicArn,
    attributes: { TopicArn: topicArn, TopicName: ({ name }) => name },
    // Nothing is encrypted on this machine.
    properties: ['TopicName', 'Subscription', 'Tags', ...topicAttributes],
    create: async ({ name, properties }, sns) => createTopic(sns, name, properties),
    warnings: ({ properties }) =>
      subscriptionsOf(properties).flatMap((subscription) => unavailable(subscription) ?? []),
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html */
  'AWS::SNS::TopicPolicy': {
    attributes: { Id: stableUuid },
    properties: ['Topics', 'PolicyDocument'],
    create: async ({ properties: { Topics, PolicyDocument } }, sns) => {
      compilePolicy(PolicyDocument, 'resource-based', 'Properties.PolicyDocument');
      for (const TopicArn of Array.isArray(Topics) ? Topics : []) {
        sns.call('SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: textOf(PolicyDocument) });
      }
    },
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html */
  'AWS::SNS::Subscription': {
    ref: subscriptionArn,
    attributes: { Arn: subscriptionArn },
    properties: ['TopicArn', 'Protocol', 'Endpoint', 'Region', ...subscriptionAttributes],
    create: async ({ stack, logicalId, properties }, sns) =>
      subscribe(sns, String(properties.TopicArn), properties, stack.ref(logicalId)),
    warnings: ({ properties }) => unavailable(properties) ?? [],
  },
};

/** Why a subscription gets nothing on this machine. */
function unavailable({ Protocol, Endpoint }: Properties): string[] | undefined {
  if (Protocol === 'firehose' || Protocol === 'application') {
    return [`gets nothing: subscriptions of the protocol ${Protocol} are not available here`];
  }
  const url = Protocol === 'http' || Protocol === 'https' ? URL.parse(String(Endpoint)) : null;
  return url && !isThisMachine(url) ? [`gets nothing: ${url.host} is not on this machine`] : undefined;
}

function subscriptionsOf({ Subscription }: Properties): Properties[] {
  return Array.isArray(Subscription) ? Subscription : [];
}

function createTopic(sns: Sns, name: string, properties: Properties): void {
  const Attributes = attributesOf(properties, topicAttributes);
  const { FifoTopic } = Attributes;
  const { TopicArn } = sns.call('CreateTopic', {
    Name: name,
    ...(FifoTopic !== undefined && { Attributes: { FifoTopic } }),
  });
  for (const AttributeName of [...topicAttributes, 'Policy'].filter((attribute) => attribute !== 'FifoTopic')) {
    const AttributeValue = Attributes[AttributeName] ?? '';
    const isSet = sns.store.topic(String(TopicArn))?.attributes[AttributeName] !== undefined;
    // A policy is a resource of its own, and what has been taken out of the template is taken away.
    if (AttributeValue !== '') sns.call('SetTopicAttributes', { TopicArn, AttributeName, AttributeValue });
    else if (isSet) removeAttribute(sns, String(TopicArn), AttributeName);
  }
  for (const { Protocol, Endpoint } of subscriptionsOf(properties)) {
    subscribe(sns, String(TopicArn), { Protocol, Endpoint });
  }
}

function removeAttribute({ store }: Sns, arn: string, name: string): void {
  const topic = store.topic(arn);
  if (!topic) return;
  const { [name]: _removed, ...attributes } = topic.attributes;
  store.saveTopic({ ...topic, attributes });
}

/** @param arn that the subscription has, as templates refer to it */
function subscribe(sns: Sns, TopicArn: string, properties: Properties, arn?: string): void {
  if (unavailable(properties)) return;
  const Attributes = attributesOf(properties, subscriptionAttributes);
  const { Protocol, Endpoint } = properties;
  const find = () => sns.store.findSubscription(TopicArn, String(Protocol), String(Endpoint));
  if (!find()) sns.call('Subscribe', { TopicArn, Protocol, Endpoint, Attributes });
  const created = find();
  if (created && arn !== undefined && created.arn !== arn) {
    sns.store.transaction(() => {
      sns.store.removeSubscription(created.arn);
      sns.store.saveSubscription({ ...created, arn });
    });
  }
  const subscription = find();
  for (const AttributeName of subscriptionAttributes) {
    if (!subscription || subscription.attributes[AttributeName] === Attributes[AttributeName]) continue;
    const AttributeValue = Attributes[AttributeName] ?? emptyValues[AttributeName] ?? '{}';
    sns.call('SetSubscriptionAttributes', { SubscriptionArn: subscription.arn, AttributeName, AttributeValue });
  }
}

/** What takes an attribute away. */
const emptyValues: Readonly<Record<string, string>> = {
  FilterPolicyScope: 'MessageAttributes',
  RawMessageDelivery: 'false',
};

function attributesOf(properties: Properties, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.filter((name) => properties[name] !== undefined).map((name) => [name, textOf(properties[name])]),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
