import { findTopic, isFifo, pageOf, type SnsContext, type SnsOperation, type SnsOutput } from '../context.ts';
import { invalidParameter, notImplemented } from '../errors.ts';
import { snsLimits } from '../limits.ts';
import type { Topic } from '../store/sns-store.ts';
import { checkTopicAttribute, defaultPolicy, fixedAttributes } from '../topic-attributes.ts';
import { readTags } from './tag-operations.ts';

interface CreateTopicInput {
  Name?: string;
  Attributes?: Record<string, string>;
  Tags?: { Key: string; Value: string }[];
  DataProtectionPolicy?: string;
}

type TopicOperation = 'CreateTopic' | 'DeleteTopic' | 'ListTopics' | 'GetTopicAttributes' | 'SetTopicAttributes';

/** https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html and the pages beside it */
export function topicOperations(context: SnsContext): Record<TopicOperation, SnsOperation> {
  const { store } = context;
  return {
    CreateTopic: (input: CreateTopicInput) => createTopic(context, input),
    DeleteTopic: ({ TopicArn }: { TopicArn?: string }) => {
      // A topic that is not there is deleted already.
      store.transaction(() => store.removeTopic(TopicArn ?? ''));
      return {};
    },
    ListTopics: ({ NextToken }: { NextToken?: string }) => {
      const { page, ...rest } = pageOf(store.topics(), ({ arn }) => arn, NextToken);
      return { Topics: page.map(({ arn }) => ({ TopicArn: arn })), ...rest };
    },
    GetTopicAttributes: ({ TopicArn }: { TopicArn?: string }) => ({
      Attributes: topicAttributes(context, findTopic(context, TopicArn)),
    }),
    SetTopicAttributes: (input: { TopicArn?: string; AttributeName?: string; AttributeValue?: string }) => {
      const topic = findTopic(context, input.TopicArn);
      const { AttributeName: name = '', AttributeValue: value = '' } = input;
      if (fixedAttributes.has(name)) throw invalidParameter('AttributeName');
      const attributes = { ...topic.attributes };
      if (value === '') delete attributes[name];
      if (value !== '' || name !== 'Policy')
        checkTopicAttribute(name, value, topic, (reason) => invalidParameter(name, reason));
      if (value !== '') attributes[name] = value;
      store.saveTopic({ ...topic, attributes });
      return {};
    },
  };
}

function createTopic(
  context: SnsContext,
  { Name = '', Attributes = {}, Tags, DataProtectionPolicy }: CreateTopicInput,
): SnsOutput {
  const { store, region, accountId } = context;
  if (DataProtectionPolicy !== undefined) throw notImplemented('CreateTopic with a DataProtectionPolicy');
  const fifo = Attributes.FifoTopic === 'true';
  const pattern = fifo ? /^[A-Za-z0-9_-]{1,251}\.fifo$/ : /^[A-Za-z0-9_-]{1,256}$/;
  if (!pattern.test(Name) || Name.length > snsLimits.topicNameLength) {
    throw invalidParameter(
      'Topic Name',
      fifo
        ? 'Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.'
        : undefined,
    );
  }
  const arn = `arn:aws:sns:${region}:${accountId}:${Name}`;
  const tags = readTags(Tags ?? []);
  const topic: Topic = { arn, name: Name, attributes: {}, tags };
  for (const [name, value] of Object.entries(Attributes)) {
    if (name === 'FifoTopic') {
      if (value !== 'true' && value !== 'false')
        throw invalidParameter('Attributes', 'FifoTopic must be true or false');
      if (fifo) topic.attributes.FifoTopic = value;
      continue;
    }
    checkTopicAttribute(name, value, { ...topic, attributes: Attributes }, (reason) =>
      invalidParameter('Attributes', reason),
    );
    topic.attributes[name] = value;
  }
  const existing = store.topic(arn);
  if (!existing) store.saveTopic(topic);
  else {
    const changed = Object.entries(topic.attributes).some(([name, value]) => existing.attributes[name] !== value);
    if (changed) throw invalidParameter('Attributes', 'Topic already exists with different attributes');
    if (Tags && !isEqual(tags, existing.tags))
      throw invalidParameter('Tags', 'Topic already exists with different tags');
  }
  return { TopicArn: arn };
}

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function topicAttributes({ store, accountId }: SnsContext, topic: Topic): Record<string, string> {
  const subscriptions = store.subscriptions(topic.arn);
  const confirmed = subscriptions.filter(({ confirmedAt }) => confirmedAt !== undefined).length;
  return {
    TopicArn: topic.arn,
    Owner: accountId,
    Policy: defaultPolicy(topic.arn, accountId),
    DisplayName: '',
    SubscriptionsConfirmed: String(confirmed),
    SubscriptionsPending: String(subscriptions.length - confirmed),
    SubscriptionsDeleted: '0',
    EffectiveDeliveryPolicy: JSON.stringify({
      http: {
        defaultHealthyRetryPolicy: {
          minDelayTarget: 20,
          maxDelayTarget: 20,
          numRetries: 3,
          numMaxDelayRetries: 0,
          numNoDelayRetries: 0,
          numMinDelayRetries: 0,
          backoffFunction: 'linear',
        },
        disableSubscriptionOverrides: false,
      },
    }),
    ...(isFifo(topic) && { ContentBasedDeduplication: 'false', FifoThroughputScope: 'Topic' }),
    ...topic.attributes,
  };
}
