import { invalidArgument } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Upload } from '../store/index.ts';
import { compact, quoted, type S3Context } from './context.ts';
import type { S3Input, S3Operation, S3Output } from './input.ts';
import { encodeKey } from './list-objects.ts';
import { findUpload } from './multipart-uploads.ts';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export function listUploadOperations(context: S3Context): Record<'ListParts' | 'ListMultipartUploads', S3Operation> {
  return {
    ListParts: (input) => listParts(context, input),
    ListMultipartUploads: (input) => listUploads(context, input),
  };
}

function pageSize(name: string, value: number = s3Limits.listed): number {
  if (Number.isInteger(value) && value >= 0) return Math.min(value, s3Limits.listed);
  throw invalidArgument(name, value, `Argument ${name} must be an integer between 0 and 2147483647`);
}

function listParts(context: S3Context, input: S3Input): S3Output {
  const upload = findUpload(context, input);
  const { PartNumberMarker = 0 } = input;
  const maximum = pageSize('max-parts', input.MaxParts);
  const rest = context.store.uploads.parts(upload.id).filter(({ number }) => number > PartNumberMarker);
  const page = rest.slice(0, maximum);
  const { ChecksumAlgorithm, ChecksumType, StorageClass = 'STANDARD' } = upload.attributes;
  return compact({
    ...{ Bucket: upload.bucket, Key: upload.key, UploadId: upload.id },
    ...{ Initiator: context.owner, Owner: context.owner, StorageClass, ChecksumAlgorithm, ChecksumType },
    PartNumberMarker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: maximum,
    IsTruncated: page.length < rest.length,
    Parts: page.map(({ number, size, etag, modifiedAt, checksum }) => ({
      ...{ PartNumber: number, Size: size, ETag: quoted(etag), LastModified: new Date(modifiedAt) },
      ...(ChecksumAlgorithm !== undefined && { [`Checksum${checksum.algorithm}`]: checksum.value }),
    })),
  });
}

function listUploads(context: S3Context, input: S3Input): S3Output {
  const { name: bucket } = context.bucket(input);
  const { Prefix = '', Delimiter, KeyMarker = '', UploadIdMarker, EncodingType } = input;
  const maximum = pageSize('max-uploads', input.MaxUploads);
  const encode = (key: string): string => (EncodingType === 'url' ? encodeKey(key) : key);
  const entries = behindMarker(context.store.uploads.list(bucket), KeyMarker, UploadIdMarker)
    .filter(({ key }) => key.startsWith(Prefix))
    .map((upload) => ({ upload, prefix: commonPrefix(upload.key, Prefix, Delimiter) }))
    .filter(({ prefix }, index, all) => prefix === undefined || all[index - 1]?.prefix !== prefix);
  const page = entries.slice(0, maximum);
  const last = page.at(-1);
  const isTruncated = page.length < entries.length;
  return compact({
    ...{ Bucket: bucket, Prefix: encode(Prefix), Delimiter: Delimiter && encode(Delimiter), EncodingType },
    ...{ KeyMarker: encode(KeyMarker), UploadIdMarker, MaxUploads: maximum, IsTruncated: isTruncated },
    NextKeyMarker: isTruncated && last ? encode(last.prefix ?? last.upload.key) : undefined,
    NextUploadIdMarker: isTruncated && last && last.prefix === undefined ? last.upload.id : undefined,
    Uploads: page
      .filter(({ prefix }) => prefix === undefined)
      .map(({ upload: { id, key, initiatedAt, attributes } }) => ({
        ...{
          UploadId: id,
          Key: encode(key),
          Initiated: new Date(initiatedAt),
          StorageClass: attributes.StorageClass ?? 'STANDARD',
        },
        ...{ Owner: context.owner, Initiator: context.owner },
        ...compact({ ChecksumAlgorithm: attributes.ChecksumAlgorithm, ChecksumType: attributes.ChecksumType }),
      })),
    CommonPrefixes: page.flatMap(({ prefix }) => (prefix === undefined ? [] : [{ Prefix: encode(prefix) }])),
  });
}

/** Without an id, the marker skips all uploads of its key, and of the keys below it if it is a common prefix. */
function behindMarker(uploads: readonly Upload[], keyMarker: string, idMarker: string | undefined): readonly Upload[] {
  if (keyMarker === '') return uploads;
  if (idMarker !== undefined) {
    const index = uploads.findIndex(({ id }) => id === idMarker);
    if (index >= 0) return uploads.slice(index + 1);
  }
  const marker = Buffer.from(keyMarker);
  return uploads.filter(
    ({ key }) =>
      Buffer.compare(Buffer.from(key), marker) > 0 && !(keyMarker.endsWith('/') && key.startsWith(keyMarker)),
  );
}

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  const found = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
  return found < 0 ? undefined : key.slice(0, found + (delimiter?.length ?? 0));
}
