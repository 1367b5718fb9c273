import { type ResourceIdentity, type ResourceType, uuid } from '../../cloudformation/resource-types.ts';
import type { Sns } from './api.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A type of CloudFormation that SNS creates. */
export interface SnsResourceType extends ResourceType {
  /** Creates the resource, or gives one that is already there its properties. Safe to repeat. */
  create: (sns: Sns, resource: { name: string; properties: Properties; ref: string }) => void;
  warnings?: (properties: Properties) => string[];
}

const topicArn = ({ region, accountId, name }: { region: string; accountId: string; name: string }): string =>
  `arn:aws:sns:${region}:${accountId}:${name}`;

const subscriptionArn = (identity: ResourceIdentity): string =>
  `${String(identity.property('TopicArn'))}:${uuid(identity)}`;

/** Properties of a topic that are attributes of the same name. */
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

export const snsResourceTypes: Readonly<Record<string, SnsResourceType>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html */
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: topicArn,
    attributes: { TopicArn: topicArn, TopicName: (r) => r.name },
    create: (sns, { name, properties }) => createTopic(sns, name, properties),
    warnings: (properties) =>
      ['ArchivePolicy', 'DataProtectionPolicy', 'DeliveryStatusLogging']
        .filter((name) => properties[name] !== undefined)
        .map((name) => `${name} has no effect on this machine`),
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html */
  'AWS::SNS::TopicPolicy': {
    attributes: { Id: uuid },
    create: (sns, { properties: { Topics, PolicyDocument } }) => {
      for (const TopicArn of Array.isArray(Topics) ? Topics : []) {
        sns.call('SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: textOf(PolicyDocument) });
      }
    },
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html */
  'AWS::SNS::Subscription': {
    ref: subscriptionArn,
    attributes: { Arn: subscriptionArn },
    create: (sns, { properties, ref }) => subscribe(sns, String(properties.TopicArn), properties, ref),
  },
};

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
  for (const { Protocol, Endpoint } of (properties.Subscription ?? []) as Properties[]) {
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
