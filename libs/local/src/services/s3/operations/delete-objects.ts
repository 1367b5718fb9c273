import { AwsError } from '../../../core/aws-error.ts';
import { notImplemented, preconditionFailed, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectEvent } from '../notifications/object-change.ts';
import type { ContentChunk } from '../store/index.ts';
import { matches } from './conditions.ts';
import { compact, keyOf, type S3Context } from './context.ts';
import type { S3Caller, S3Input, S3Operation, S3Output } from './input.ts';
import { nextVersionId, replaceNullVersion, shownVersionId } from './write-object.ts';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export function deleteOperations(context: S3Context): Record<'DeleteObject' | 'DeleteObjects', S3Operation> {
  return {
    DeleteObject: (input, caller) => {
      refuse(input);
      return deleteObject(context, input, caller, 'DeleteObject');
    },
    DeleteObjects: (input, caller) => deleteObjects(context, input, caller),
  };
}

function refuse(input: S3Input): void {
  if (input.MFA !== undefined) throw notImplemented('delete with multi-factor authentication');
  if (input.BypassGovernanceRetention !== undefined) throw notImplemented('Object Lock (BypassGovernanceRetention)');
  if (input.IfMatchLastModifiedTime !== undefined || input.IfMatchSize !== undefined) {
    throw notImplemented('delete by size or time, which is of directory buckets');
  }
}

/** What a delete does to a version that is there, and what S3 tells of it. */
export interface DeleteEvents {
  deleted: ObjectEvent;
  markerCreated: ObjectEvent;
}

const removed: DeleteEvents = { deleted: 'ObjectRemoved:Delete', markerCreated: 'ObjectRemoved:DeleteMarkerCreated' };

/**
 * Deletes an object: for good where the request names a version or the bucket has none, with a delete marker otherwise.
 * @throws S3Error PreconditionFailed
 */
export function deleteObject(
  context: S3Context,
  input: S3Input,
  caller: S3Caller,
  operation: string | undefined,
  events = removed,
): S3Output {
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  const { store } = context;
  const { output, unused } = store.transaction((): { output: S3Output; unused: ContentChunk[] } => {
    const named = input.VersionId === undefined ? undefined : store.versions.get(bucket, key, input.VersionId);
    const current = input.VersionId === undefined ? store.versions.latest(bucket, key) : named;
    // An object that is not there is deleted already.
    if (input.IfMatch !== undefined && current && !current.deleteMarker && !matches(input.IfMatch, current.etag)) {
      throw preconditionFailed('If-Match');
    }
    const change = { bucket, key, ...(operation !== undefined && { operation }) };
    if (input.VersionId !== undefined || context.versioning(bucket) === undefined) {
      const unused = current ? store.versions.remove(current) : [];
      const versionId = input.VersionId;
      if (current) context.notify({ ...change, event: events.deleted, versionId }, caller);
      return { output: { VersionId: versionId, DeleteMarker: current?.deleteMarker || undefined }, unused };
    }
    const versionId = nextVersionId(context, bucket);
    const unused = replaceNullVersion(context, bucket, key, versionId);
    const marker = { bucket, key, versionId, deleteMarker: true, size: 0, etag: '', attributes: {}, tags: {} };
    store.versions.insert({ ...marker, modifiedAt: context.now() }, []);
    const shown = shownVersionId(context, bucket, versionId);
    context.notify({ ...change, event: events.markerCreated, versionId: shown }, caller);
    return { output: { VersionId: versionId, DeleteMarker: true }, unused };
  });
  store.contents.release(unused);
  return compact(output);
}

function deleteObjects(context: S3Context, input: S3Input, caller: S3Caller): S3Output {
  context.bucket(input);
  refuse(input);
  const { Objects = [], Quiet = false } = (input.Delete ?? {}) as { Objects?: S3Input[]; Quiet?: boolean };
  if (Objects.length === 0 || Objects.length > s3Limits.deletedObjects) {
    throw s3Error('MalformedXML', `A request must have between 1 and ${s3Limits.deletedObjects} objects to delete.`);
  }
  const Deleted: S3Output[] = [];
  const Errors: S3Output[] = [];
  for (const { Key = '', VersionId, ETag, ...conditions } of Objects) {
    const names = compact({ Key, VersionId });
    try {
      refuse({ IfMatchLastModifiedTime: conditions.LastModifiedTime, IfMatchSize: conditions.Size });
      const one = compact({ Bucket: input.Bucket, ...names, IfMatch: ETag });
      const output = deleteObject(context, one, caller, 'DeleteObjects');
      const marker = output.DeleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: output.VersionId } : {};
      Deleted.push({ ...names, ...marker });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ ...names, Code: error.code, Message: error.message });
    }
  }
  return { Deleted: Quiet ? [] : Deleted, Errors };
}
