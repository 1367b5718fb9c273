import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory } from '../queue-directory.ts';

const TEXT = /^[\p{L}\p{N}\s_.:/=+@-]*$/u;

/** The operations on the tags of queues. */
export function tagOperations(directory: QueueDirectory) {
  return {
    ListQueueTags({ QueueUrl }: InputOf<'ListQueueTags'>) {
      const { tags } = directory.find(QueueUrl);
      return Object.keys(tags).length > 0 ? { Tags: tags } : {};
    },

    TagQueue({ QueueUrl, Tags }: InputOf<'TagQueue'>) {
      const queue = directory.find(QueueUrl);
      const tags = { ...queue.tags, ...Tags };
      checkTags(tags);
      queue.setTags(tags);
      return {};
    },

    UntagQueue({ QueueUrl, TagKeys }: InputOf<'UntagQueue'>) {
      const queue = directory.find(QueueUrl);
      queue.setTags(Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !TagKeys.includes(key))));
      return {};
    },
  };
}

/**
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
 * @throws AwsError InvalidParameterValueException
 */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > sqsLimits.tags) throw invalidParameter('Tags', entries.length, 'Too many tags added to queue.');
  for (const [key, value] of entries) {
    if (key === '' || key.length > sqsLimits.tagKeyLength || !TEXT.test(key)) {
      throw invalidParameter('Tags', key, 'A tag key has 1 to 128 letters, digits, spaces or _.:/=+-@.');
    }
    if (value.length > sqsLimits.tagValueLength || !TEXT.test(value)) {
      throw invalidParameter('Tags', value, 'A tag value has up to 256 letters, digits, spaces or _.:/=+-@.');
    }
    if (/^aws:/i.test(key)) throw invalidParameter('Tags', key, 'The prefix aws: is reserved.');
  }
}
