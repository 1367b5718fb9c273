import { noSuchKey, notImplemented, preconditionFailed, S3Error } from '../errors.ts';
import type { ObjectVersion } from '../store/index.ts';
import { quoted } from './context.ts';
import type { S3Input } from './input.ts';

interface Conditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
  ifUnmodifiedSince?: string | undefined;
}

/**
 * The conditions of a read. `If-Match` goes before `If-Unmodified-Since`, and `If-None-Match` before `If-Modified-Since`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 *
 * @throws S3Error PreconditionFailed, or NotModified with the status 304
 */
export function checkReadConditions(input: S3Input, version: ObjectVersion): void {
  const failed = failedCondition(
    {
      ifMatch: input.IfMatch,
      ifNoneMatch: input.IfNoneMatch,
      ifModifiedSince: input.IfModifiedSince,
      ifUnmodifiedSince: input.IfUnmodifiedSince,
    },
    version,
  );
  if (failed === 'If-None-Match' || failed === 'If-Modified-Since') {
    const headers = { etag: quoted(version.etag), 'last-modified': new Date(version.modifiedAt).toUTCString() };
    throw new S3Error('NotModified', 'Not Modified', { headers });
  }
  if (failed) throw preconditionFailed(failed);
}

/** The conditions on the source of a copy: all of them fail with 412. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export function checkCopyConditions(input: S3Input, source: ObjectVersion): void {
  const failed = failedCondition(
    {
      ifMatch: text(input.CopySourceIfMatch),
      ifNoneMatch: text(input.CopySourceIfNoneMatch),
      ifModifiedSince: text(input.CopySourceIfModifiedSince),
      ifUnmodifiedSince: text(input.CopySourceIfUnmodifiedSince),
    },
    source,
  );
  if (failed) throw preconditionFailed(`x-amz-copy-source-${failed}`);
}

/**
 * The conditions of a write.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 *
 * @param current the object that is there, if it is
 * @throws S3Error PreconditionFailed; NoSuchKey where the object is missing, so that nothing can match
 */
export function checkWriteConditions(
  { IfMatch, IfNoneMatch }: S3Input,
  key: string,
  current: ObjectVersion | undefined,
): void {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch.trim() !== '*') throw notImplemented('conditional write with an If-None-Match other than *');
    if (current) throw preconditionFailed('If-None-Match');
  }
  if (IfMatch !== undefined) {
    if (!current) throw noSuchKey(key);
    if (!matches(IfMatch, current.etag)) throw preconditionFailed('If-Match');
  }
}

function failedCondition(conditions: Conditions, { etag, modifiedAt }: ObjectVersion): string | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) return 'If-Match';
  } else if (isDate(ifUnmodifiedSince) && modifiedAt > Date.parse(ifUnmodifiedSince)) return 'If-Unmodified-Since';
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag) ? 'If-None-Match' : undefined;
  return isDate(ifModifiedSince) && modifiedAt <= Date.parse(ifModifiedSince) ? 'If-Modified-Since' : undefined;
}

/** @param tags `*`, or ETags with or without quotes, separated by commas */
export function matches(tags: string, etag: string): boolean {
  return tags.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '').replaceAll('"', '');
    return bare === '*' || bare === etag;
  });
}

/** A date that cannot be read is ignored. https://www.rfc-editor.org/rfc/rfc9110#section-13.1.3 */
function isDate(value: string | undefined): value is string {
  return value !== undefined && !Number.isNaN(Date.parse(value));
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
