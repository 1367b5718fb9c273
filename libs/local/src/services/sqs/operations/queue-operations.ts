import {
  hasAttributes,
  isSettableAttribute,
  type QueueAttributes,
  unknownAttribute,
} from '../attributes/queue-attributes.ts';
import { allowsRedrive, parseRedrivePolicy } from '../attributes/redrive-policy.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, queueDoesNotExist, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory } from '../queue-directory.ts';
import { pageOf } from './page.ts';
import { checkTags } from './tag-operations.ts';

const STANDARD_NAME = /^[A-Za-z0-9_-]{1,80}$/;
const FIFO_NAME = /^[A-Za-z0-9_-]{1,75}\.fifo$/;

/** The attributes that a queue has by itself. */
const readOnlyAttributes: Readonly<Record<string, (queue: Queue) => string>> = {
  QueueArn: ({ arn }) => arn,
  ApproximateNumberOfMessages: ({ messages }) => String(messages.counts.visible),
  ApproximateNumberOfMessagesNotVisible: ({ messages }) => String(messages.counts.hidden),
  ApproximateNumberOfMessagesDelayed: ({ messages }) => String(messages.counts.delayed),
  CreatedTimestamp: ({ createdAt }) => String(Math.floor(createdAt / 1000)),
  LastModifiedTimestamp: ({ modifiedAt }) => String(Math.floor(modifiedAt / 1000)),
};

/** The operations on queues themselves. */
export function queueOperations(directory: QueueDirectory) {
  const { queues } = directory;
  return {
    CreateQueue({ QueueName, Attributes = {}, tags = {} }: InputOf<'CreateQueue'>) {
      const fifo = Attributes.FifoQueue === 'true';
      checkName(QueueName, fifo);
      const existing = queues.get(QueueName);
      if (existing) {
        if (!hasAttributes(existing.attributes, Attributes, fifo)) {
          throw sqsError(
            'QueueNameExists',
            'A queue already exists with the same name and a different value for at least one attribute',
          );
        }
        return { QueueUrl: directory.urlOf(QueueName) };
      }
      if (queues.wasDeletedRecently(QueueName)) {
        throw sqsError(
          'QueueDeletedRecently',
          'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
        );
      }
      checkTags(tags);
      checkRedrive(directory, queues.arnOf(QueueName), fifo, Attributes);
      queues.create(QueueName, Attributes, tags);
      return { QueueUrl: directory.urlOf(QueueName) };
    },

    DeleteQueue({ QueueUrl }: InputOf<'DeleteQueue'>) {
      queues.delete(directory.find(QueueUrl));
      return {};
    },

    GetQueueUrl({ QueueName, QueueOwnerAWSAccountId = directory.accountId }: InputOf<'GetQueueUrl'>) {
      if (QueueOwnerAWSAccountId !== directory.accountId || !queues.get(QueueName)) throw queueDoesNotExist();
      return { QueueUrl: directory.urlOf(QueueName) };
    },

    ListQueues({ QueueNamePrefix = '', ...page }: InputOf<'ListQueues'>) {
      const found = pageOf(
        queues.list().filter(({ name }) => name.startsWith(QueueNamePrefix)),
        page,
      );
      const QueueUrls = found.items.map(({ name }) => directory.urlOf(name));
      return { ...(QueueUrls.length > 0 && { QueueUrls }), ...(found.NextToken && { NextToken: found.NextToken }) };
    },

    ListDeadLetterSourceQueues({ QueueUrl, ...page }: InputOf<'ListDeadLetterSourceQueues'>) {
      const found = pageOf(queues.sourcesOf(directory.find(QueueUrl).arn), page);
      const queueUrls = found.items.map(({ name }) => directory.urlOf(name));
      return { queueUrls, ...(found.NextToken && { NextToken: found.NextToken }) };
    },

    GetQueueAttributes({ QueueUrl, AttributeNames = [] }: InputOf<'GetQueueAttributes'>) {
      const queue = directory.find(QueueUrl);
      for (const name of AttributeNames) {
        if (name !== 'All' && !isSettableAttribute(name) && !Object.hasOwn(readOnlyAttributes, name)) {
          throw unknownAttribute(name);
        }
      }
      queue.advance();
      const all = AttributeNames.includes('All');
      const wanted = (name: string): boolean => all || AttributeNames.includes(name);
      const Attributes = Object.fromEntries([
        ...Object.entries(readOnlyAttributes).flatMap(([name, of]) => (wanted(name) ? [[name, of(queue)]] : [])),
        ...Object.entries(queue.attributes).filter(([name]) => wanted(name)),
      ]) as QueueAttributes;
      return Object.keys(Attributes).length > 0 ? { Attributes } : {};
    },

    SetQueueAttributes({ QueueUrl, Attributes }: InputOf<'SetQueueAttributes'>) {
      const queue = directory.find(QueueUrl);
      if (!queue.fifo && Object.hasOwn(Attributes, 'FifoQueue')) throw unknownAttribute('FifoQueue');
      checkRedrive(directory, queue.arn, queue.fifo, Attributes);
      queue.setAttributes(Attributes);
      return {};
    },

    PurgeQueue({ QueueUrl }: InputOf<'PurgeQueue'>) {
      const queue = directory.find(QueueUrl);
      if (queue.sincePurge < sqsLimits.purgeMs) {
        throw sqsError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
        );
      }
      queue.purge();
      return {};
    },
  };
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html#SQS-CreateQueue-request-QueueName */
function checkName(name: string, fifo: boolean): void {
  if ((fifo ? FIFO_NAME : STANDARD_NAME).test(name)) return;
  throw invalidParameter(
    'QueueName',
    name,
    fifo
      ? 'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.'
      : 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.',
  );
}

/**
 * A dead-letter queue must exist, be of the same type and allow this queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
function checkRedrive(
  { queues }: QueueDirectory,
  arn: string,
  fifo: boolean,
  { RedrivePolicy }: QueueAttributes,
): void {
  if (!RedrivePolicy) return;
  const { deadLetterTargetArn } = parseRedrivePolicy(RedrivePolicy);
  const refuse = (reason: string) => invalidParameter('RedrivePolicy', RedrivePolicy, reason);
  const target = queues.byArn(deadLetterTargetArn);
  if (!target) throw refuse('Dead letter target does not exist.');
  if (target.arn === arn) throw refuse('A queue cannot be its own dead-letter queue.');
  if (target.fifo !== fifo) throw refuse('Dead-letter queue must be same type of queue as the source.');
  if (!allowsRedrive(target.settings.redriveAllowPolicy, arn)) {
    throw refuse('The RedriveAllowPolicy of the dead-letter queue does not allow this queue.');
  }
}
