import type { IncomingHttpHeaders } from 'node:http';
import { checksumMembers } from '../content/checksums.ts';
import { invalidArgument } from '../errors.ts';
import type { S3Input, S3Output } from '../operations/input.ts';

type Kind = 'text' | 'integer' | 'boolean' | 'list' | 'time';
type Binding = readonly [member: string, kind?: Kind];

const checksumHeaders: Record<string, Binding> = Object.fromEntries(
  checksumMembers.map((member) => [`x-amz-checksum-${member.slice('Checksum'.length).toLowerCase()}`, [member]]),
);

/**
 * The members of inputs and outputs that are headers. A header is the same member in every operation, but for
 * `x-amz-checksum-algorithm` and `x-amz-sdk-checksum-algorithm`, which are one member in different operations.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
 */
const requestHeaders: Readonly<Record<string, Binding>> = {
  ...checksumHeaders,
  'cache-control': ['CacheControl'],
  'content-disposition': ['ContentDisposition'],
  'content-language': ['ContentLanguage'],
  'content-md5': ['ContentMD5'],
  'content-type': ['ContentType'],
  expires: ['Expires'],
  'if-match': ['IfMatch'],
  'if-modified-since': ['IfModifiedSince'],
  'if-none-match': ['IfNoneMatch'],
  'if-unmodified-since': ['IfUnmodifiedSince'],
  range: ['Range'],
  'x-amz-acl': ['ACL'],
  'x-amz-bucket-object-lock-enabled': ['ObjectLockEnabledForBucket', 'boolean'],
  'x-amz-bypass-governance-retention': ['BypassGovernanceRetention', 'boolean'],
  'x-amz-checksum-algorithm': ['ChecksumAlgorithm'],
  'x-amz-checksum-mode': ['ChecksumMode'],
  'x-amz-checksum-type': ['ChecksumType'],
  'x-amz-copy-source': ['CopySource'],
  'x-amz-copy-source-if-match': ['CopySourceIfMatch'],
  'x-amz-copy-source-if-modified-since': ['CopySourceIfModifiedSince'],
  'x-amz-copy-source-if-none-match': ['CopySourceIfNoneMatch'],
  'x-amz-copy-source-if-unmodified-since': ['CopySourceIfUnmodifiedSince'],
  'x-amz-copy-source-range': ['CopySourceRange'],
  'x-amz-copy-source-server-side-encryption-customer-algorithm': ['CopySourceSSECustomerAlgorithm'],
  'x-amz-expected-bucket-owner': ['ExpectedBucketOwner'],
  'x-amz-grant-full-control': ['GrantFullControl'],
  'x-amz-grant-read': ['GrantRead'],
  'x-amz-grant-read-acp': ['GrantReadACP'],
  'x-amz-grant-write': ['GrantWrite'],
  'x-amz-grant-write-acp': ['GrantWriteACP'],
  'x-amz-if-match-last-modified-time': ['IfMatchLastModifiedTime'],
  'x-amz-if-match-size': ['IfMatchSize', 'integer'],
  'x-amz-max-parts': ['MaxParts', 'integer'],
  'x-amz-metadata-directive': ['MetadataDirective'],
  'x-amz-mfa': ['MFA'],
  'x-amz-mp-object-size': ['MpuObjectSize', 'integer'],
  'x-amz-object-attributes': ['ObjectAttributes', 'list'],
  'x-amz-object-lock-event-hold': ['ObjectLockEventHold'],
  'x-amz-object-lock-legal-hold': ['ObjectLockLegalHoldStatus'],
  'x-amz-object-lock-mode': ['ObjectLockMode'],
  'x-amz-object-lock-retain-until-date': ['ObjectLockRetainUntilDate'],
  'x-amz-object-ownership': ['ObjectOwnership'],
  'x-amz-part-number-marker': ['PartNumberMarker', 'integer'],
  'x-amz-sdk-checksum-algorithm': ['ChecksumAlgorithm'],
  'x-amz-server-side-encryption': ['ServerSideEncryption'],
  'x-amz-server-side-encryption-aws-kms-key-id': ['SSEKMSKeyId'],
  'x-amz-server-side-encryption-bucket-key-enabled': ['BucketKeyEnabled', 'boolean'],
  'x-amz-server-side-encryption-customer-algorithm': ['SSECustomerAlgorithm'],
  'x-amz-server-side-encryption-customer-key': ['SSECustomerKey'],
  'x-amz-skip-destination-validation': ['SkipDestinationValidation', 'boolean'],
  'x-amz-source-expected-bucket-owner': ['ExpectedSourceBucketOwner'],
  'x-amz-storage-class': ['StorageClass'],
  'x-amz-tagging': ['Tagging'],
  'x-amz-tagging-directive': ['TaggingDirective'],
  'x-amz-website-redirect-location': ['WebsiteRedirectLocation'],
  'x-amz-write-offset-bytes': ['WriteOffsetBytes', 'integer'],
};

/** The members of inputs that are in the query string. */
const queryParameters: Readonly<Record<string, Binding>> = {
  'bucket-region': ['BucketRegion'],
  'continuation-token': ['ContinuationToken'],
  delimiter: ['Delimiter'],
  'encoding-type': ['EncodingType'],
  'fetch-owner': ['FetchOwner', 'boolean'],
  'key-marker': ['KeyMarker'],
  marker: ['Marker'],
  'max-buckets': ['MaxBuckets', 'integer'],
  'max-keys': ['MaxKeys', 'integer'],
  'max-parts': ['MaxParts', 'integer'],
  'max-uploads': ['MaxUploads', 'integer'],
  'part-number-marker': ['PartNumberMarker', 'integer'],
  partNumber: ['PartNumber', 'integer'],
  prefix: ['Prefix'],
  'response-cache-control': ['ResponseCacheControl'],
  'response-content-disposition': ['ResponseContentDisposition'],
  'response-content-encoding': ['ResponseContentEncoding'],
  'response-content-language': ['ResponseContentLanguage'],
  'response-content-type': ['ResponseContentType'],
  'response-expires': ['ResponseExpires'],
  'start-after': ['StartAfter'],
  'upload-id-marker': ['UploadIdMarker'],
  uploadId: ['UploadId'],
  'version-id-marker': ['VersionIdMarker'],
  versionId: ['VersionId'],
};

const responseHeaders: Readonly<Record<string, Binding>> = {
  ...checksumHeaders,
  'accept-ranges': ['AcceptRanges'],
  'cache-control': ['CacheControl'],
  'content-disposition': ['ContentDisposition'],
  'content-encoding': ['ContentEncoding'],
  'content-language': ['ContentLanguage'],
  'content-length': ['ContentLength'],
  'content-range': ['ContentRange'],
  'content-type': ['ContentType'],
  etag: ['ETag'],
  expires: ['Expires'],
  'last-modified': ['LastModified', 'time'],
  location: ['Location'],
  'x-amz-access-point-alias': ['AccessPointAlias'],
  'x-amz-bucket-arn': ['BucketArn'],
  'x-amz-bucket-region': ['BucketRegion'],
  'x-amz-checksum-algorithm': ['ChecksumAlgorithm'],
  'x-amz-checksum-type': ['ChecksumType'],
  'x-amz-copy-source-version-id': ['CopySourceVersionId'],
  'x-amz-delete-marker': ['DeleteMarker'],
  'x-amz-mp-parts-count': ['PartsCount'],
  'x-amz-server-side-encryption': ['ServerSideEncryption'],
  'x-amz-server-side-encryption-aws-kms-key-id': ['SSEKMSKeyId'],
  'x-amz-server-side-encryption-bucket-key-enabled': ['BucketKeyEnabled'],
  'x-amz-storage-class': ['StorageClass'],
  'x-amz-tagging-count': ['TagCount'],
  'x-amz-version-id': ['VersionId'],
  'x-amz-website-redirect-location': ['WebsiteRedirectLocation'],
};

const METADATA_PREFIX = 'x-amz-meta-';

/** Reads the members of an input that headers and query have. */
export function readBindings(headers: IncomingHttpHeaders, query: URLSearchParams): S3Input {
  const input: S3Input = {};
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    // Node.js reads headers byte by byte; those of S3 are UTF-8.
    const text = Buffer.from(Array.isArray(value) ? value.join(',') : value, 'latin1').toString();
    if (name.startsWith(METADATA_PREFIX)) metadata[name.slice(METADATA_PREFIX.length)] = text;
    else if (Object.hasOwn(requestHeaders, name)) bind(input, requestHeaders[name] as Binding, name, text);
  }
  for (const [name, value] of query) {
    if (Object.hasOwn(queryParameters, name)) bind(input, queryParameters[name] as Binding, name, value);
  }
  if (Object.keys(metadata).length > 0) input.Metadata = metadata;
  return input;
}

function bind(input: S3Input, [member, kind = 'text']: Binding, name: string, text: string): void {
  if (kind === 'integer') {
    if (!/^-?\d{1,15}$/.test(text))
      throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
    input[member] = Number(text);
  } else if (kind === 'boolean') input[member] = text.toLowerCase() === 'true';
  else if (kind === 'list') input[member] = text.split(',').map((item) => item.trim());
  else input[member] = text;
}

/** The headers of an answer. */
export function writeHeaders(output: S3Output): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, [member, kind]] of Object.entries(responseHeaders)) {
    const value = output[member];
    if (value === undefined) continue;
    headers[name] = kind === 'time' ? (value as Date).toUTCString() : headerText(String(value));
  }
  for (const [name, value] of Object.entries((output.Metadata ?? {}) as Record<string, string>)) {
    headers[METADATA_PREFIX + name] = encodedWord(value);
  }
  return headers;
}

/** Metadata beyond ASCII is answered as https://www.rfc-editor.org/rfc/rfc2047 has it. */
function encodedWord(value: string): string {
  return /^[\x20-\x7e\t]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}

/** The bytes of a text, one character each, as Node.js wants headers; without those that no header can have. */
function headerText(value: string): string {
  return Buffer.from(value.replace(/[^\P{Cc}\t]/gu, ' ')).toString('latin1');
}
