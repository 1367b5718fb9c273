import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const onQueue = new Set([
  ...['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'PurgeQueue', 'DeleteQueue'],
  ...['GetQueueAttributes', 'SetQueueAttributes', 'TagQueue', 'UntagQueue', 'ListQueueTags'],
]);
const byName = new Set(['GetQueueUrl', 'CreateQueue']);
const batches: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

/**
 * A batch needs the permission of its single action: actions that end in Batch do not exist.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
 */
export function sqsAccess(
  operation: string,
  { QueueUrl, QueueName }: Input,
  arn: ArnOf,
): readonly Access[] | undefined {
  const action = batches[operation] ?? operation;
  if (onQueue.has(action)) {
    const url = String(QueueUrl ?? '');
    return [{ action: `sqs:${action}`, resource: arn('sqs', url.slice(url.lastIndexOf('/') + 1)) }];
  }
  if (byName.has(action)) return [{ action: `sqs:${action}`, resource: arn('sqs', String(QueueName ?? '')) }];
  return action === 'ListQueues' ? [{ action: 'sqs:ListQueues', resource: '*' }] : undefined;
}
