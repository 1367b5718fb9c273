import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const onTopic = new Set([
  'Subscribe',
  'GetTopicAttributes',
  'SetTopicAttributes',
  'DeleteTopic',
  'ListSubscriptionsByTopic',
]);
const onNothing = new Set(['ListTopics', 'ListSubscriptions']);

/** AWS asks for permission on the number itself. It is personal, and refusals are shown and logged. */
const phoneNumber = 'a phone number';

/**
 * An SMS is allowed by the resource `*` only: a phone number has no ARN.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
 */
export function snsAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  if (operation === 'Publish' || operation === 'PublishBatch') {
    const target = input.TopicArn ?? input.TargetArn;
    return [{ action: 'sns:Publish', resource: target === undefined ? phoneNumber : String(target) }];
  }
  if (onTopic.has(operation)) return [{ action: `sns:${operation}`, resource: String(input.TopicArn ?? '*') }];
  if (operation === 'CreateTopic')
    return [{ action: 'sns:CreateTopic', resource: arn('sns', String(input.Name ?? '')) }];
  return onNothing.has(operation) ? [{ action: `sns:${operation}`, resource: '*' }] : undefined;
}
