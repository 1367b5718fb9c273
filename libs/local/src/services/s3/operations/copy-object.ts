import { digestContent } from '../content/receive.ts';
import { invalidArgument, notImplemented, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectAttributes, ObjectVersion } from '../store/index.ts';
import { checkReadable, checksumOutput, encryptionOutput, readAttributes, refuseUnsupported } from './attributes.ts';
import { checkCopyConditions } from './conditions.ts';
import { compact, keyOf, quoted, type S3Context } from './context.ts';
import { findVersion } from './get-object.ts';
import type { S3Caller, S3Input, S3Operation, S3Output } from './input.ts';
import { readTags } from './tags.ts';
import { shownId, writeObject } from './write-object.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export function copyOperations(context: S3Context): Record<'CopyObject', S3Operation> {
  return { CopyObject: (input, caller) => copyObject(context, input, caller) };
}

/**
 * Finds the object that `x-amz-copy-source` names: `bucket/key`, encoded for a URL, with `?versionId=` if need be.
 * @throws S3Error as GetObject, and PreconditionFailed
 */
export function findCopySource(context: S3Context, input: S3Input): ObjectVersion {
  const source = String(input.CopySource ?? '');
  if (source.startsWith('arn:')) throw notImplemented('copy from an access point');
  const match = /^\/?([^/?]+)\/(.+?)(?:\?versionId=([^&]+))?$/s.exec(source);
  const key = match?.[2] === undefined ? undefined : decode(match[2]);
  if (!match || key === undefined) {
    throw invalidArgument(
      'x-amz-copy-source',
      source,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  const [, bucket = '', , versionId] = match;
  const version = findVersion(context, {
    Bucket: bucket,
    Key: key,
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(input.ExpectedSourceBucketOwner !== undefined && { ExpectedBucketOwner: input.ExpectedSourceBucketOwner }),
  });
  checkCopyConditions(input, version);
  checkReadable(version.attributes);
  return version;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

async function copyObject(context: S3Context, input: S3Input, caller: S3Caller): Promise<S3Output> {
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  refuseUnsupported(input);
  const source = findCopySource(context, input);
  if (source.size > s3Limits.putBytes) {
    const message = 'The specified copy source is larger than the maximum allowable size for a copy source';
    throw s3Error('InvalidRequest', `${message}: ${s3Limits.putBytes}`);
  }
  const replacesMetadata = isReplace(input.MetadataDirective, 'x-amz-metadata-directive');
  const replacesTags = isReplace(input.TaggingDirective, 'x-amz-tagging-directive');
  refuseCopyOntoItself(input, source, bucket, key, replacesMetadata);
  const attributes = copiedAttributes(context, input, source, bucket, replacesMetadata);
  const tags = replacesTags ? readTags(input.Tagging) : source.tags;
  // Read before the copy is digested, as the source may be replaced meanwhile.
  const chunks = context.store.versions.chunks(source.id);
  using content = context.store.contents.read(chunks, 0, source.size);
  const { etag, Checksum } = await copiedDigest(input, source, content);
  attributes.Checksum = Checksum;
  const object = {
    ...{ bucket, key, chunks, size: source.size, etag, attributes, tags },
    ...{ event: 'ObjectCreated:Copy' as const, operation: 'CopyObject' },
  };
  const { versionId } = writeObject(context, input, caller, object);
  return compact({
    CopySourceVersionId: shownId(context, source),
    VersionId: versionId,
    ...encryptionOutput(attributes),
    CopyObjectResult: { ETag: quoted(etag), LastModified: new Date(context.now()), ...checksumOutput(attributes) },
  });
}

function isReplace(directive: unknown = 'COPY', name: string): boolean {
  if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE';
  throw invalidArgument(name, directive, `Unknown directive: ${String(directive).slice(0, 100)}`);
}

function refuseCopyOntoItself(
  input: S3Input,
  source: ObjectVersion,
  bucket: string,
  key: string,
  replacesMetadata: boolean,
): void {
  const changes = replacesMetadata || input.StorageClass || input.ServerSideEncryption || input.WebsiteRedirectLocation;
  const isItself = source.latest && source.bucket === bucket && source.key === key;
  if (!isItself || changes || input.ChecksumAlgorithm !== undefined) return;
  throw s3Error(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Storage class, encryption and redirect location are never taken from the source. */
function copiedAttributes(
  context: S3Context,
  input: S3Input,
  source: ObjectVersion,
  bucket: string,
  replacesMetadata: boolean,
): ObjectAttributes {
  const requested = readAttributes(input, bucket, context);
  if (replacesMetadata) return requested;
  const { StorageClass, WebsiteRedirectLocation, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = requested;
  const { Parts: _parts, Checksum: _checksum, StorageClass: _class, ...headers } = source.attributes;
  for (const name of ['ServerSideEncryption', 'SSEKMSKeyId', 'BucketKeyEnabled', 'WebsiteRedirectLocation'] as const) {
    delete headers[name];
  }
  const own = { StorageClass, WebsiteRedirectLocation, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { ...headers, ...compact(own) };
}

/** A copy is one object, whose ETag and checksum are of its content, even if its source was uploaded in parts. */
async function copiedDigest(
  input: S3Input,
  source: ObjectVersion,
  content: AsyncIterable<Uint8Array>,
): Promise<{ etag: string; Checksum: NonNullable<ObjectAttributes['Checksum']> }> {
  const { Checksum, Parts } = source.attributes;
  const algorithm = input.ChecksumAlgorithm?.toUpperCase() ?? Checksum?.algorithm ?? 'CRC64NVME';
  if (!Parts && Checksum?.algorithm === algorithm) return { etag: source.etag, Checksum };
  const { md5, checksum } = await digestContent(content, algorithm);
  return { etag: md5, Checksum: { ...checksum, type: 'FULL_OBJECT' } };
}
