import { invalidArgument } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectVersion } from '../store/index.ts';
import { compact, quoted, type S3Context } from './context.ts';
import type { S3Input, S3Operation, S3Output } from './input.ts';
import { type ListingStart, listKeys } from './list-keys.ts';
import { NULL_VERSION } from './write-object.ts';

type ListOperation = 'ListObjects' | 'ListObjectsV2' | 'ListObjectVersions';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
export function listOperations(context: S3Context): Record<ListOperation, S3Operation> {
  return {
    ListObjects: (input) => listObjects(context, input),
    ListObjectsV2: (input) => listObjectsV2(context, input),
    ListObjectVersions: (input) => listVersions(context, input),
  };
}

function listObjects(context: S3Context, input: S3Input): S3Output {
  const { Marker = '' } = input;
  const page = readPage(context, input);
  const { rows, commonPrefixes, next } = page.list({ from: Marker, exclusive: true });
  const last = [rows.at(-1)?.key ?? '', commonPrefixes.at(-1) ?? ''].sort().at(-1);
  return compact({
    ...page.output,
    Marker: page.encode(Marker),
    NextMarker: next && input.Delimiter !== undefined ? page.encode(last ?? '') : undefined,
    IsTruncated: next !== undefined,
    Contents: rows.map((row) => contentsEntry(context, row, page.encode, true)),
    CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: page.encode(prefix) })),
  });
}

function listObjectsV2(context: S3Context, input: S3Input): S3Output {
  const { ContinuationToken, StartAfter, FetchOwner = false } = input;
  const page = readPage(context, input);
  const start =
    ContinuationToken === undefined ? { from: StartAfter ?? '', exclusive: true } : readToken(ContinuationToken);
  const { rows, commonPrefixes, next } = page.list(start);
  return compact({
    ...page.output,
    KeyCount: rows.length + commonPrefixes.length,
    ContinuationToken,
    NextContinuationToken: next && Buffer.from(JSON.stringify(next)).toString('base64url'),
    StartAfter: StartAfter === undefined ? undefined : page.encode(StartAfter),
    IsTruncated: next !== undefined,
    Contents: rows.map((row) => contentsEntry(context, row, page.encode, FetchOwner)),
    CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: page.encode(prefix) })),
  });
}

function readToken(token: string): ListingStart {
  try {
    const { from, exclusive } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Partial<ListingStart>;
    if (typeof from === 'string') return { from, exclusive: exclusive === true };
  } catch {
    // Reported below, like JSON that is not a start.
  }
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
}

/** What the three listings have in common. */
function readPage(context: S3Context, input: S3Input, read = context.store.versions.listLatest) {
  const { name: bucket } = context.bucket(input);
  const { Prefix = '', Delimiter, MaxKeys = s3Limits.listed, EncodingType } = input;
  if (!Number.isInteger(MaxKeys) || MaxKeys < 0 || MaxKeys > 2 ** 31 - 1) {
    throw invalidArgument('max-keys', MaxKeys, 'Argument maxKeys must be an integer between 0 and 2147483647');
  }
  if (EncodingType !== undefined && EncodingType !== 'url') {
    throw invalidArgument('encoding-type', EncodingType, 'Invalid Encoding Method specified in Request');
  }
  const encode = (key: string): string => (EncodingType === 'url' ? encodeKey(key) : key);
  const maximum = Math.min(MaxKeys, s3Limits.listed);
  const delimiter = Delimiter || undefined;
  return {
    bucket,
    encode,
    list: (start: ListingStart) =>
      listKeys({ prefix: Prefix, delimiter, start, maximum }, (from, limit) =>
        read.call(context.store.versions, bucket, from, limit),
      ),
    output: {
      Name: bucket,
      Prefix: encode(Prefix),
      Delimiter: delimiter === undefined ? undefined : encode(delimiter),
      MaxKeys: maximum,
      EncodingType,
    },
  };
}

function contentsEntry(
  context: S3Context,
  version: ObjectVersion,
  encode: (key: string) => string,
  withOwner: boolean,
): S3Output {
  const { Checksum, StorageClass = 'STANDARD' } = version.attributes;
  return compact({
    Key: encode(version.key),
    LastModified: new Date(version.modifiedAt),
    ETag: quoted(version.etag),
    ChecksumAlgorithm: Checksum && [Checksum.algorithm],
    ChecksumType: Checksum?.type,
    Size: version.size,
    StorageClass,
    Owner: withOwner ? context.owner : undefined,
  });
}

function listVersions(context: S3Context, input: S3Input): S3Output {
  const { KeyMarker = '', VersionIdMarker } = input;
  if (VersionIdMarker !== undefined && KeyMarker === '') {
    throw invalidArgument(
      'version-id-marker',
      VersionIdMarker,
      'A version-id marker cannot be specified without a key marker.',
    );
  }
  const { versions } = context.store;
  const page = readPage(context, input, versions.listAll);
  const marker = VersionIdMarker === undefined ? undefined : versions.get(page.bucket, KeyMarker, VersionIdMarker);
  const { rows, commonPrefixes, next } = page.list({
    from: KeyMarker,
    exclusive: true,
    ...(marker && { beforeId: marker.id }),
  });
  const isPrefixLast = next?.beforeId === undefined;
  const last = rows.at(-1);
  return compact({
    ...page.output,
    KeyMarker: page.encode(KeyMarker),
    VersionIdMarker,
    NextKeyMarker: next && page.encode((isPrefixLast ? commonPrefixes.at(-1) : last?.key) ?? ''),
    NextVersionIdMarker: next && !isPrefixLast ? last?.versionId : undefined,
    IsTruncated: next !== undefined,
    Versions: rows.filter(({ deleteMarker }) => !deleteMarker).map((row) => versionEntry(context, row, page.encode)),
    DeleteMarkers: rows
      .filter(({ deleteMarker }) => deleteMarker)
      .map((row) => versionEntry(context, row, page.encode)),
    CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: page.encode(prefix) })),
  });
}

function versionEntry(context: S3Context, version: ObjectVersion, encode: (key: string) => string): S3Output {
  const { key, versionId = NULL_VERSION, latest, deleteMarker, modifiedAt } = version;
  const entry = contentsEntry(context, version, encode, true);
  const common = {
    Key: encode(key),
    VersionId: versionId,
    IsLatest: latest,
    LastModified: new Date(modifiedAt),
    Owner: context.owner,
  };
  return deleteMarker ? common : { ...entry, ...common };
}

/** As S3 encodes keys with `encoding-type=url`: like a form, but with slashes. */
export function encodeKey(key: string): string {
  return new URLSearchParams({ k: key }).toString().slice(2).replaceAll('%2F', '/');
}
