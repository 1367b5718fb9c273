import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Structure } from '../protocol/xml-shape.ts';
import type { Tags } from '../store/index.ts';

/**
 * Reads tags as a header has them (`a=1&b=2`), or as a document has them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 *
 * @throws S3Error InvalidTag
 */
export function readTags(tagging: string | Structure | undefined, maximum: number = s3Limits.objectTags): Tags {
  const entries =
    typeof tagging === 'object'
      ? ((tagging.TagSet as { Key: string; Value: string }[] | undefined) ?? []).map(
          ({ Key, Value }) => [Key, Value] as const,
        )
      : [...new URLSearchParams(tagging ?? '')];
  if (entries.length > maximum) {
    throw s3Error('BadRequest', `Object tags cannot be greater than ${maximum}`);
  }
  const tags = new Map<string, string>();
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > s3Limits.tagKeyLength || !isTagText(key)) {
      throw s3Error('InvalidTag', 'The TagKey you have provided is invalid', { TagKey: key.slice(0, 200) });
    }
    if (value.length > s3Limits.tagValueLength || !isTagText(value)) {
      throw s3Error('InvalidTag', 'The TagValue you have provided is invalid', { TagKey: key });
    }
    if (key.startsWith('aws:')) throw s3Error('InvalidTag', 'System tags cannot be added/updated by requester');
    if (tags.has(key)) throw s3Error('InvalidTag', 'Cannot provide multiple Tags with the same key', { TagKey: key });
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

/** @example tagSet({ a: '1' }) // { TagSet: [{ Key: 'a', Value: '1' }] } */
export function tagSet(tags: Tags): { TagSet: { Key: string; Value: string }[] } {
  return { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

function isTagText(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text);
}
