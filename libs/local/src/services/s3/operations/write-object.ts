import { randomBytes } from 'node:crypto';
import type { ObjectEvent } from '../notifications/object-change.ts';
import type { ContentChunk, ObjectAttributes, ObjectVersion, Tags } from '../store/index.ts';
import { checkWriteConditions } from './conditions.ts';
import type { S3Context } from './context.ts';
import type { S3Caller, S3Input } from './input.ts';

export interface ObjectToWrite {
  bucket: string;
  key: string;
  chunks: readonly ContentChunk[];
  size: number;
  etag: string;
  attributes: ObjectAttributes;
  tags: Tags;
  event: ObjectEvent;
  operation: string;
}

/** An object's version that takes the place of the one before it in a bucket without versions. */
export const NULL_VERSION = 'null';

/**
 * Makes an object the latest version of its key, if the conditions of the request hold at this very moment.
 *
 * @param alongside further writes that are made with it
 * @returns the version's id where the bucket has versions
 * @throws S3Error PreconditionFailed, or NoSuchBucket where it was deleted meanwhile
 */
export function writeObject(
  context: S3Context,
  input: S3Input,
  caller: S3Caller,
  object: ObjectToWrite,
  alongside: () => ContentChunk[] = () => [],
): { versionId: string | undefined } {
  const { store } = context;
  const { bucket, key, chunks, size, etag, attributes, tags, event, operation } = object;
  const { versionId, unused } = store.transaction(() => {
    context.bucket(input);
    const latest = store.versions.latest(bucket, key);
    checkWriteConditions(input, key, latest?.deleteMarker ? undefined : latest);
    const versionId = nextVersionId(context, bucket);
    const removed = replaceNullVersion(context, bucket, key, versionId);
    const modifiedAt = context.now();
    const version = { bucket, key, versionId, deleteMarker: false, size, etag, modifiedAt, attributes, tags };
    store.versions.insert(version, chunks);
    const unused = [...removed, ...alongside()];
    const shownId = shownVersionId(context, bucket, versionId);
    context.notify({ event, operation, bucket, key, size, etag, versionId: shownId }, caller);
    return { versionId: shownId, unused };
  });
  store.contents.release(unused);
  return { versionId };
}

/** The id of the next version: made up where versioning is enabled, `null` where it is not or is suspended. */
export function nextVersionId(context: S3Context, bucket: string): string {
  return context.versioning(bucket) === 'Enabled' ? randomBytes(24).toString('base64url') : NULL_VERSION;
}

/** Removes the version that a new one with the id `null` takes the place of. */
export function replaceNullVersion(
  { store }: S3Context,
  bucket: string,
  key: string,
  versionId: string,
): ContentChunk[] {
  if (versionId !== NULL_VERSION) return [];
  const previous = store.versions.get(bucket, key, NULL_VERSION);
  return previous ? store.versions.remove(previous) : [];
}

/** Answers name a version only where the bucket has, or has had, versions. */
export function shownVersionId(context: S3Context, bucket: string, versionId: string): string | undefined {
  return context.versioning(bucket) === undefined ? undefined : versionId;
}

/** The version's id as answers show it. */
export function shownId(context: S3Context, version: ObjectVersion): string | undefined {
  return shownVersionId(context, version.bucket, version.versionId);
}
