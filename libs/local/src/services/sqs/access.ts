import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';
import { readMoveTaskHandle } from './engine/move-task.ts';

const onQueue = new Set([
  ...['AddPermission', 'ChangeMessageVisibility', 'DeleteMessage', 'DeleteQueue', 'GetQueueAttributes'],
  ...['ListDeadLetterSourceQueues', 'ListQueueTags', 'PurgeQueue', 'ReceiveMessage', 'RemovePermission'],
  ...['SendMessage', 'SetQueueAttributes', 'TagQueue', 'UntagQueue'],
]);
const byName = new Set(['CreateQueue', 'GetQueueUrl']);
const bySource = new Set(['ListMessageMoveTasks', 'StartMessageMoveTask']);
const batches: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

/**
 * What an operation needs permission for. A batch needs that of its single action; creating a queue with tags, that to tag it.
 *
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
 * @returns undefined where it is not known
 */
export function sqsAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  const action = (Object.hasOwn(batches, operation) ? batches[operation] : undefined) ?? operation;
  const on = (resource: string): Access[] => [{ action: `sqs:${action}`, resource }];
  if (onQueue.has(action)) {
    const url = text(input.QueueUrl);
    return on(arn('sqs', url.slice(url.lastIndexOf('/') + 1)));
  }
  if (byName.has(action)) {
    const resource = arn('sqs', text(input.QueueName));
    const tags = action === 'CreateQueue' && Object.keys((input.tags as object | undefined) ?? {}).length > 0;
    return tags ? [...on(resource), { action: 'sqs:TagQueue', resource }] : on(resource);
  }
  if (bySource.has(action)) return on(text(input.SourceArn));
  if (action === 'CancelMessageMoveTask') return on(sourceOf(text(input.TaskHandle)));
  return action === 'ListQueues' ? on('*') : undefined;
}

function sourceOf(handle: string): string {
  return readMoveTaskHandle(handle)?.sourceArn ?? '*';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
