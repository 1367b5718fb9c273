import { findTopic, type SnsContext, type SnsOperation } from '../context.ts';
import { invalidParameter, snsError } from '../errors.ts';
import { snsLimits } from '../limits.ts';
import type { Topic } from '../store/sns-store.ts';

interface Tag {
  Key: string;
  Value: string;
}

/** @throws AwsError InvalidParameter */
export function readTags(tags: readonly Tag[]): Record<string, string> {
  for (const { Key = '', Value = '' } of tags) {
    if (Key.length < 1 || Key.length > snsLimits.tagKeyLength || Key.startsWith('aws:'))
      throw invalidParameter('Tags', 'a tag key must have 1 to 128 characters and not begin with aws:');
    if (Value.length > snsLimits.tagValueLength)
      throw invalidParameter('Tags', 'a tag value must have at most 256 characters');
  }
  const read = Object.fromEntries(tags.map(({ Key, Value = '' }) => [Key, Value]));
  if (Object.keys(read).length < tags.length) throw invalidParameter('Tags', 'a tag key is given more than once');
  return read;
}

/** https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html */
export function tagOperations(
  context: SnsContext,
): Record<'TagResource' | 'UntagResource' | 'ListTagsForResource', SnsOperation> {
  const { store } = context;
  const find = (arn: string | undefined): Topic => {
    const topic = store.topic(arn ?? '');
    if (topic) return topic;
    findTopicOrResource(context, arn);
    throw snsError('ResourceNotFound', 'Resource does not exist');
  };
  return {
    TagResource: ({ ResourceArn, Tags = [] }: { ResourceArn?: string; Tags?: Tag[] }) => {
      const topic = find(ResourceArn);
      const tags = { ...topic.tags, ...readTags(Tags) };
      if (Object.keys(tags).length > snsLimits.tags) {
        throw snsError('TagLimitExceeded', 'Could not complete request: tag quota of per resource exceeded');
      }
      store.saveTopic({ ...topic, tags });
      return {};
    },
    UntagResource: ({ ResourceArn, TagKeys = [] }: { ResourceArn?: string; TagKeys?: string[] }) => {
      const topic = find(ResourceArn);
      const tags = Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !TagKeys.includes(key)));
      store.saveTopic({ ...topic, tags });
      return {};
    },
    ListTagsForResource: ({ ResourceArn }: { ResourceArn?: string }) => ({
      Tags: Object.entries(find(ResourceArn).tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  };
}

/** Checks the form of the ARN. */
function findTopicOrResource(context: SnsContext, arn: string | undefined): void {
  try {
    findTopic(context, arn, 'ResourceArn');
  } catch (error) {
    if ((error as { code?: string }).code !== 'NotFound') throw error;
  }
}
