import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const onTopic = new Set([
  ...['AddPermission', 'ConfirmSubscription', 'DeleteTopic', 'GetTopicAttributes', 'ListSubscriptionsByTopic'],
  ...['RemovePermission', 'SetTopicAttributes', 'Subscribe'],
]);
const onTagged = new Set(['ListTagsForResource', 'TagResource', 'UntagResource']);
const onSubscription = new Set(['GetSubscriptionAttributes', 'SetSubscriptionAttributes', 'Unsubscribe']);

/** AWS asks for permission on the number itself. It is personal, and refusals are shown and logged. */
const phoneNumber = 'a phone number';

/**
 * What an operation needs permission for. An SMS is allowed by the resource `*` only: a phone number has no ARN.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
 *
 * @example snsAccess('PublishBatch', { TopicArn }, arn) // [{ action: 'sns:Publish', resource: TopicArn }]
 */
export function snsAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] {
  const { TopicArn, TargetArn, ResourceArn, SubscriptionArn, Name } = input;
  const action = `sns:${operation}`;
  if (operation === 'Publish' || operation === 'PublishBatch') {
    return [{ action: 'sns:Publish', resource: String(TopicArn ?? TargetArn ?? phoneNumber) }];
  }
  if (operation === 'CreateTopic') return [{ action, resource: arn('sns', String(Name ?? '')) }];
  if (onTopic.has(operation)) return [{ action, resource: String(TopicArn ?? '*') }];
  if (onTagged.has(operation)) return [{ action, resource: String(ResourceArn ?? '*') }];
  if (onSubscription.has(operation)) {
    // The resource is the topic: subscriptions have no ARN in policies.
    return [{ action, resource: String(SubscriptionArn ?? '*').replace(/:[^:]*$/, '') }];
  }
  return [{ action, resource: '*' }];
}
