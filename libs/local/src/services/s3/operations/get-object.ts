import { invalidArgument, noSuchKey, S3Error, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectVersion } from '../store/index.ts';
import { checkReadable, checksumOutput, encryptionOutput } from './attributes.ts';
import { checkReadConditions } from './conditions.ts';
import { compact, keyOf, quoted, type S3Context } from './context.ts';
import type { S3Input, S3Operation, S3Output } from './input.ts';
import { shownId } from './write-object.ts';

type GetOperation = 'GetObject' | 'HeadObject' | 'GetObjectAttributes';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
export function getOperations(context: S3Context): Record<GetOperation, S3Operation> {
  return {
    GetObject: (input) => {
      const version = findVersion(context, input);
      checkReadConditions(input, version);
      checkReadable(version.attributes);
      const { start, end, output } = describe(context, input, version);
      const body = context.store.contents.read(context.store.versions.chunks(version.id), start, end);
      return { ...output, Body: body };
    },
    HeadObject: (input) => {
      const version = findVersion(context, input);
      checkReadConditions(input, version);
      return describe(context, input, version).output;
    },
    GetObjectAttributes: (input) => objectAttributes(context, input),
  };
}

/**
 * Finds the version that a request names, or the latest.
 * @throws S3Error NoSuchKey, NoSuchVersion; MethodNotAllowed for a delete marker
 */
export function findVersion(context: S3Context, input: S3Input): ObjectVersion {
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  const { versions } = context.store;
  if (input.VersionId === undefined) {
    const latest = versions.latest(bucket, key);
    if (latest && !latest.deleteMarker) return latest;
    if (!latest) throw noSuchKey(key);
    const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': latest.versionId };
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', { details: { Key: key }, headers });
  }
  const version = versions.get(bucket, key, input.VersionId);
  if (!version) {
    const details = { Key: key, VersionId: input.VersionId.slice(0, 1024) };
    throw s3Error('NoSuchVersion', 'The specified version does not exist.', details);
  }
  if (!version.deleteMarker) return version;
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    details: { ResourceType: 'DeleteMarker' },
    headers: {
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': version.versionId,
      'last-modified': new Date(version.modifiedAt).toUTCString(),
      allow: 'DELETE',
    },
  });
}

/** The headers of an answer, and which bytes it has. */
function describe(
  context: S3Context,
  input: S3Input,
  version: ObjectVersion,
): { start: number; end: number; output: S3Output } {
  const { attributes, tags, size } = version;
  const part = input.PartNumber === undefined ? undefined : partRange(input, version);
  const range = part ?? (input.Range === undefined ? undefined : byteRange(input.Range, size));
  const { start, end } = range ?? { start: 0, end: size };
  const tagCount = Object.keys(tags).length;
  const { Checksum, Parts, ...headers } = attributes;
  const isPartial = part ? Parts !== undefined : range !== undefined;
  const output = compact({
    ...headers,
    ContentType: attributes.ContentType ?? 'binary/octet-stream',
    AcceptRanges: 'bytes',
    LastModified: new Date(version.modifiedAt),
    ContentLength: end - start,
    ContentRange: isPartial ? `bytes ${start}-${end - 1}/${size}` : undefined,
    ETag: quoted(version.etag),
    VersionId: shownId(context, version),
    TagCount: tagCount > 0 ? tagCount : undefined,
    PartsCount: input.PartNumber === undefined ? undefined : Parts?.length,
    ...encryptionOutput(attributes),
    ...(input.ChecksumMode === 'ENABLED' && !isPartial && checksumOutput(attributes)),
    ...(input.ChecksumMode === 'ENABLED' && part?.checksum !== undefined && Checksum
      ? { [`Checksum${Checksum.algorithm}`]: part.checksum, ChecksumType: Checksum.type }
      : {}),
    ...overrides(input),
  });
  return { start, end, output };
}

/** Headers that the request asks for in place of the object's: `response-content-type` and so on. */
function overrides(input: S3Input): S3Output {
  return compact({
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  });
}

/**
 * Reads one range of bytes. Several are not supported by S3, which then answers with all of the object, as with a range
 * that cannot be read. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 *
 * @throws S3Error InvalidRange for a range behind the end
 */
export function byteRange(range: string, size: number): { start: number; end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/.exec(range) ?? [];
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start < size && start < end) return { start, end };
  throw s3Error('InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: range.slice(0, 200),
    ActualObjectSize: String(size),
  });
}

function partRange(
  { PartNumber: number = 0, Range }: S3Input,
  { attributes: { Parts }, size }: ObjectVersion,
): { start: number; end: number; checksum?: string } {
  if (Range !== undefined) {
    throw s3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  if (!Number.isInteger(number) || number < 1 || number > s3Limits.partNumber) {
    throw invalidArgument('partNumber', number, 'Part number must be an integer between 1 and 10000, inclusive');
  }
  const parts = Parts ?? [{ number: 1, size }];
  const index = number - 1;
  const part = parts[index];
  if (!part) throw s3Error('InvalidPart', 'The requested partnumber is not satisfiable');
  const start = parts.slice(0, index).reduce((sum, { size }) => sum + size, 0);
  const { checksum } = part as { checksum?: string };
  return { start, end: start + part.size, ...(checksum !== undefined && { checksum }) };
}

const attributeNames = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
function objectAttributes(context: S3Context, input: S3Input): S3Output {
  const version = findVersion(context, input);
  const wanted = new Set(input.ObjectAttributes ?? []);
  if (wanted.size === 0 || [...wanted].some((name) => !attributeNames.includes(name))) {
    throw invalidArgument('x-amz-object-attributes', [...wanted].join(), 'Invalid attribute name specified.');
  }
  const { Checksum, Parts, StorageClass = 'STANDARD' } = version.attributes;
  return compact({
    LastModified: new Date(version.modifiedAt),
    VersionId: shownId(context, version),
    ETag: wanted.has('ETag') ? version.etag : undefined,
    Checksum: wanted.has('Checksum') && Checksum ? checksumOutput(version.attributes) : undefined,
    ObjectParts: wanted.has('ObjectParts') && Parts ? objectParts(input, Checksum?.algorithm, Parts) : undefined,
    StorageClass: wanted.has('StorageClass') ? StorageClass : undefined,
    ObjectSize: wanted.has('ObjectSize') ? version.size : undefined,
  });
}

function objectParts(
  { MaxParts = s3Limits.listed, PartNumberMarker = 0 }: S3Input,
  algorithm: string | undefined,
  parts: readonly { number: number; size: number; checksum?: string }[],
): S3Output {
  const rest = parts.filter(({ number }) => number > PartNumberMarker);
  const page = rest.slice(0, MaxParts);
  return compact({
    TotalPartsCount: parts.length,
    PartNumberMarker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts,
    IsTruncated: page.length < rest.length,
    Parts: page.map(({ number, size, checksum }) => ({
      PartNumber: number,
      Size: size,
      ...(checksum !== undefined && { [`Checksum${algorithm}`]: checksum }),
    })),
  });
}
