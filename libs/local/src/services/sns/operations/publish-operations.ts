import { randomUUID } from 'node:crypto';
import { AwsError } from '../../../core/aws-error.ts';
import { BoundedMap } from '../../../core/bounded-map.ts';
import { findTopic, isFifo, type SnsContext, type SnsOperation, type SnsOutput } from '../context.ts';
import { readTopicDeliveryPolicy } from '../delivery-policy.ts';
import { invalidParameter, notImplemented, snsError } from '../errors.ts';
import { compileFilterPolicy, type FilterPolicyScope, type MessageFilter } from '../filter-policy.ts';
import { snsLimits } from '../limits.ts';
import { type CheckedMessage, checkMessage, contentDeduplicationId, type PublishInput, textFor } from '../message.ts';
import type { Subscription, Topic } from '../store/sns-store.ts';

interface BatchEntry extends PublishInput {
  Id?: string;
}

/** Of a FIFO topic: what makes a message the same as another one. */
interface FifoKeys {
  groupId: string;
  deduplicationId: string;
}

/**
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 * https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
 */
export function publishOperations(context: SnsContext): Record<'Publish' | 'PublishBatch', SnsOperation> {
  const filters = new Filters();
  return {
    Publish: (input: PublishInput) => publish(context, filters, input),
    PublishBatch: (input: { TopicArn?: string; PublishBatchRequestEntries?: BatchEntry[] }) =>
      publishBatch(context, filters, input),
  };
}

function publish(context: SnsContext, filters: Filters, input: PublishInput): SnsOutput {
  const targets = [input.TopicArn, input.TargetArn, input.PhoneNumber].filter((target) => target !== undefined);
  if (targets.length !== 1)
    throw invalidParameter('TopicArn', 'one of TopicArn, TargetArn and PhoneNumber must be given');
  const message = checkMessage(input);
  if (input.PhoneNumber !== undefined) return publishToPhone(context, input.PhoneNumber, message);
  const arn = input.TopicArn ?? input.TargetArn ?? '';
  if (arn.includes(':endpoint/')) throw notImplemented('Publish to an endpoint of a mobile app');
  return publishToTopic(
    context,
    filters,
    findTopic(context, arn, input.TopicArn === undefined ? 'TargetArn' : 'TopicArn'),
    message,
  );
}

/** On this machine nothing leaves: it is captured. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
function publishToPhone({ capture }: SnsContext, phoneNumber: string, message: CheckedMessage): SnsOutput {
  if (!/^\+[1-9]\d{1,14}$/.test(phoneNumber))
    throw invalidParameter('PhoneNumber', `${phoneNumber.slice(0, 20)} is not valid to publish to`);
  const text = textFor(message, 'sms');
  if (text.length > snsLimits.smsLength) throw invalidParameter('Message too long');
  capture({ kind: 'sms', to: [phoneNumber], text });
  return { MessageId: randomUUID() };
}

function publishToTopic(context: SnsContext, filters: Filters, topic: Topic, message: CheckedMessage): SnsOutput {
  const { store } = context;
  const fifo = fifoKeys(topic, message);
  return store.transaction(() => {
    const messageId = randomUUID();
    if (!fifo) {
      deliverToSubscriptions(context, filters, topic, message, { messageId });
      return { MessageId: messageId };
    }
    const inGroup = topic.attributes.FifoThroughputScope === 'MessageGroup';
    const key = inGroup ? JSON.stringify([fifo.groupId, fifo.deduplicationId]) : fifo.deduplicationId;
    const now = context.clock.now();
    const earlier = store.deduplicated(topic.arn, key, now - snsLimits.deduplicationMs);
    if (earlier) return { MessageId: earlier.messageId, SequenceNumber: earlier.sequenceNumber };
    const sequenceNumber = nextSequenceNumber(context);
    store.saveDeduplicated(topic.arn, key, { messageId, sequenceNumber }, now);
    deliverToSubscriptions(context, filters, topic, message, { messageId, sequenceNumber, ...fifo });
    return { MessageId: messageId, SequenceNumber: sequenceNumber };
  });
}

/** https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html */
function fifoKeys(topic: Topic, { groupId, deduplicationId, message }: CheckedMessage): FifoKeys | undefined {
  if (!isFifo(topic)) {
    if (deduplicationId !== undefined)
      throw invalidParameter(
        'MessageDeduplicationId',
        'The request includes MessageDeduplicationId parameter that is not valid for this topic type',
      );
    return undefined;
  }
  if (groupId === undefined) throw invalidParameter('The MessageGroupId parameter is required for FIFO topics');
  if (deduplicationId !== undefined) return { groupId, deduplicationId };
  if (topic.attributes.ContentBasedDeduplication !== 'true') {
    throw invalidParameter(
      'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
  return { groupId, deduplicationId: contentDeduplicationId(message) };
}

/** Twenty digits that grow from message to message. */
function nextSequenceNumber({ store }: SnsContext): string {
  const next = (store.setting<number>('sequenceNumber') ?? 0) + 1;
  store.setSetting('sequenceNumber', next);
  return `1${String(next).padStart(19, '0')}`;
}

function deliverToSubscriptions(
  { store, clock, deliverer }: SnsContext,
  filters: Filters,
  topic: Topic,
  message: CheckedMessage,
  identity: { messageId: string; sequenceNumber?: string; groupId?: string; deduplicationId?: string },
): void {
  const { subject, attributes } = message;
  const signatureVersion = topic.attributes.SignatureVersion === '2' ? '2' : '1';
  const ofTopic =
    topic.attributes.DeliveryPolicy === undefined
      ? undefined
      : readTopicDeliveryPolicy(topic.attributes.DeliveryPolicy);
  for (const subscription of store.subscriptions(topic.arn)) {
    if (subscription.confirmedAt === undefined || !filters.accepts(subscription, message)) continue;
    const { arn, protocol, endpoint, attributes: settings } = subscription;
    deliverer.add({
      ...{ type: 'Notification', subscriptionArn: arn, topicArn: topic.arn, protocol, endpoint, signatureVersion },
      ...{ text: textFor(message, protocol), subject, attributes, time: clock.now(), groupId: message.groupId },
      ...identity,
      raw: settings.RawMessageDelivery === 'true',
      deliveryPolicy: ofTopic?.overrides ? ofTopic.policy : (settings.DeliveryPolicy ?? ofTopic?.policy),
      redrivePolicy: settings.RedrivePolicy,
    });
  }
}

function publishBatch(
  context: SnsContext,
  filters: Filters,
  {
    TopicArn,
    PublishBatchRequestEntries: entries = [],
  }: { TopicArn?: string; PublishBatchRequestEntries?: BatchEntry[] },
): SnsOutput {
  const topic = findTopic(context, TopicArn);
  if (entries.length === 0) throw snsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  if (entries.length > snsLimits.batchEntries) {
    throw snsError('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible.');
  }
  const ids = entries.map(({ Id = '' }) => Id);
  if (ids.some((id) => !/^[A-Za-z0-9_-]{1,80}$/.test(id))) {
    throw snsError(
      'InvalidBatchEntryId',
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    );
  }
  if (new Set(ids).size < ids.length) {
    throw snsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
  }
  const Successful: SnsOutput[] = [];
  const Failed: SnsOutput[] = [];
  const checked = entries.map((entry) => attempt(() => checkMessage(entry)));
  const bytes = checked.reduce((sum, result) => sum + ('value' in result ? result.value.bytes : 0), 0);
  if (bytes > snsLimits.messageBytes) {
    throw snsError('BatchRequestTooLong', 'The length of all the batch messages put together is more than the limit.');
  }
  checked.forEach((result, index) => {
    const Id = ids[index];
    const published = 'value' in result ? attempt(() => publishToTopic(context, filters, topic, result.value)) : result;
    if ('value' in published) Successful.push({ Id, ...published.value });
    else
      Failed.push({
        Id,
        Code: published.error.code,
        Message: published.error.message,
        SenderFault: published.error.status < 500,
      });
  });
  return { Successful, Failed };
}

function attempt<T>(call: () => T): { value: T } | { error: AwsError } {
  try {
    return { value: call() };
  } catch (error) {
    if (error instanceof AwsError) return { error };
    throw error;
  }
}

const KEPT_FILTERS = 1000;

/** The filter policies of subscriptions, each compiled once. */
class Filters {
  readonly #compiled = new BoundedMap<string, MessageFilter>(KEPT_FILTERS);

  accepts({ attributes }: Subscription, { message, attributes: ofMessage }: CheckedMessage): boolean {
    const { FilterPolicy: policy, FilterPolicyScope: scope = 'MessageAttributes' } = attributes;
    if (policy === undefined) return true;
    const key = `${scope} ${policy}`;
    const filter =
      this.#compiled.get(key) ?? this.#compiled.set(key, compileFilterPolicy(policy, scope as FilterPolicyScope));
    return filter(message, ofMessage);
  }
}
