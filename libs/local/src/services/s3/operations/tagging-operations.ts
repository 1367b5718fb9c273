import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Tags } from '../store/index.ts';
import { compact, type S3Context } from './context.ts';
import { findVersion } from './get-object.ts';
import type { S3Caller, S3Input, S3Operation } from './input.ts';
import { readTags, tagSet } from './tags.ts';
import { shownId } from './write-object.ts';

type TaggingOperation =
  | 'GetObjectTagging'
  | 'PutObjectTagging'
  | 'DeleteObjectTagging'
  | 'GetBucketTagging'
  | 'PutBucketTagging'
  | 'DeleteBucketTagging';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
 */
export function taggingOperations(context: S3Context): Record<TaggingOperation, S3Operation> {
  const { store } = context;
  const setTags = (
    input: S3Input,
    caller: S3Caller,
    tags: Tags,
    operation: 'PutObjectTagging' | 'DeleteObjectTagging',
  ) => {
    const version = findVersion(context, input);
    const versionId = shownId(context, version);
    store.transaction(() => {
      store.versions.setTags(version.id, tags);
      const event = operation === 'PutObjectTagging' ? 'ObjectTagging:Put' : 'ObjectTagging:Delete';
      const { bucket, key, size, etag } = version;
      context.notify({ event, operation, bucket, key, size, etag, versionId }, caller);
    });
    return compact({ VersionId: versionId });
  };
  return {
    GetObjectTagging: (input) => {
      const version = findVersion(context, input);
      return compact({ VersionId: shownId(context, version), ...tagSet(version.tags) });
    },
    PutObjectTagging: (input, caller) => setTags(input, caller, readTags(input.Tagging), 'PutObjectTagging'),
    DeleteObjectTagging: (input, caller) => setTags(input, caller, {}, 'DeleteObjectTagging'),
    GetBucketTagging: (input) => {
      const { name } = context.bucket(input);
      const tags = store.buckets.setting<Tags>(name, 'tagging');
      if (!tags) throw s3Error('NoSuchTagSet', 'The TagSet does not exist', { BucketName: name });
      return tagSet(tags);
    },
    PutBucketTagging: (input) => {
      const { name } = context.bucket(input);
      store.buckets.setSetting(name, 'tagging', readTags(input.Tagging, s3Limits.bucketTags));
      return {};
    },
    DeleteBucketTagging: (input) => {
      store.buckets.removeSetting(context.bucket(input).name, 'tagging');
      return {};
    },
  };
}
