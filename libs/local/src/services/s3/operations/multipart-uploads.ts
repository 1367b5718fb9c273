import { createHash, randomBytes } from 'node:crypto';
import { compositeChecksum, createDigest, defaultAlgorithm, expectedChecksum } from '../content/checksums.ts';
import { digestContent, type IncomingBody, receive } from '../content/receive.ts';
import { invalidArgument, noSuchUpload, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Part, Upload } from '../store/index.ts';
import { checksumOutput, encryptionOutput, readAttributes, refuseUnsupported } from './attributes.ts';
import { compact, keyOf, quoted, type S3Context } from './context.ts';
import { findCopySource } from './copy-object.ts';
import { byteRange } from './get-object.ts';
import type { S3Caller, S3Input, S3Operation, S3Output } from './input.ts';
import { readTags } from './tags.ts';
import { shownId, writeObject } from './write-object.ts';

type MultipartOperation =
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
export function multipartOperations(context: S3Context): Record<MultipartOperation, S3Operation> {
  return {
    CreateMultipartUpload: (input) => createUpload(context, input),
    UploadPart: (input) => uploadPart(context, input, input.Body),
    UploadPartCopy: (input) => uploadPartCopy(context, input),
    CompleteMultipartUpload: (input, caller) => completeUpload(context, input, caller),
    AbortMultipartUpload: (input) => {
      const upload = findUpload(context, input);
      const { store } = context;
      store.contents.release(store.transaction(() => store.uploads.remove(upload.id)));
      return {};
    },
  };
}

/** @throws S3Error NoSuchUpload also where it is of another key */
export function findUpload(context: S3Context, input: S3Input): Upload {
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  const upload = context.store.uploads.get(input.UploadId ?? '');
  if (upload?.bucket !== bucket || upload.key !== key) throw noSuchUpload(input.UploadId ?? '');
  return upload;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
function createUpload(context: S3Context, input: S3Input): S3Output {
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  refuseUnsupported(input);
  const algorithm = input.ChecksumAlgorithm?.toUpperCase();
  if (algorithm !== undefined) createDigest(algorithm);
  if (input.ChecksumType !== undefined && algorithm === undefined) {
    throw s3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const type = algorithm === undefined ? undefined : checksumType(algorithm, input.ChecksumType);
  const attributes = readAttributes(input, bucket, context);
  const upload = {
    ...{ id: randomBytes(48).toString('base64url'), bucket, key, initiatedAt: context.now() },
    attributes: {
      ...attributes,
      ...(algorithm !== undefined && type !== undefined && { ChecksumAlgorithm: algorithm, ChecksumType: type }),
    },
    tags: readTags(input.Tagging),
  };
  context.store.uploads.insert(upload);
  const encryption = encryptionOutput(attributes);
  return compact({
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    ChecksumAlgorithm: algorithm,
    ChecksumType: type,
    ...encryption,
  });
}

/** Which types of checksum an algorithm can have for an object in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function checksumType(algorithm: string, requested: string | undefined): 'FULL_OBJECT' | 'COMPOSITE' {
  const isCrc = algorithm.startsWith('CRC');
  const type = requested ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (type === 'COMPOSITE' && algorithm !== 'CRC64NVME') return type;
  if (type === 'FULL_OBJECT' && isCrc) return type;
  const message = `The ${String(type).slice(0, 50)} checksum type cannot be used with the ${algorithm} checksum algorithm.`;
  throw s3Error('InvalidRequest', message);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
async function uploadPart(context: S3Context, input: S3Input, body: IncomingBody | undefined): Promise<S3Output> {
  const { store } = context;
  refuseUnsupported(input);
  const upload = findUpload(context, input);
  const number = partNumber(input.PartNumber);
  const ofUpload = upload.attributes.ChecksumAlgorithm;
  const given = expectedChecksum(input);
  if (given && ofUpload !== undefined && given.algorithm !== ofUpload) {
    throw s3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${ofUpload.toLowerCase()}, actual checksum Type: ${given.algorithm.toLowerCase()}`,
    );
  }
  const { blob, size, md5, checksum } = await receive(store, body, {
    contentLength: input.ContentLength,
    contentMd5: input.ContentMD5,
    contentSha256: input.ContentSHA256,
    checksum: given ?? { algorithm: ofUpload ?? defaultAlgorithm },
  });
  try {
    const part = { number, blob, size, etag: md5, modifiedAt: context.now(), checksum };
    const replaced = store.transaction(() => {
      findUpload(context, input);
      return store.uploads.putPart(upload.id, part);
    });
    store.contents.release(replaced);
  } catch (error) {
    store.contents.release([{ blob, size }]);
    throw error;
  }
  const shown = ofUpload !== undefined || given !== undefined;
  return compact({
    ETag: quoted(md5),
    ...(shown && { [`Checksum${checksum.algorithm}`]: checksum.value }),
    ...encryptionOutput(upload.attributes),
  });
}

function partNumber(number: number | undefined): number {
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= s3Limits.partNumber) return number;
  throw invalidArgument('partNumber', number, 'Part number must be an integer between 1 and 10000, inclusive');
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
async function uploadPartCopy(context: S3Context, input: S3Input): Promise<S3Output> {
  findUpload(context, input);
  const source = findCopySource(context, input);
  const range = copyRange(input.CopySourceRange, source.size);
  const chunks = context.store.versions.chunks(source.id);
  using content = context.store.contents.read(chunks, range.start, range.end);
  const { Bucket, Key, UploadId, PartNumber } = input;
  const { ETag, ...rest } = await uploadPart(context, compact({ Bucket, Key, UploadId, PartNumber }), content);
  const checksums = Object.fromEntries(Object.entries(rest).filter(([name]) => name.startsWith('Checksum')));
  return compact({
    CopySourceVersionId: shownId(context, source),
    CopyPartResult: { ETag, LastModified: new Date(context.now()), ...checksums },
  });
}

function copyRange(range: string | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || Number(first) > Number(last)) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      range,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  if (Number(last) >= size) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      range,
      `Range specified is not valid for source object of size: ${size}`,
    );
  }
  return byteRange(range, size) ?? { start: 0, end: size };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
async function completeUpload(context: S3Context, input: S3Input, caller: S3Caller): Promise<S3Output> {
  const { store } = context;
  const upload = findUpload(context, input);
  const { bucket, key, tags } = upload;
  const parts = chooseParts(upload, input, store.uploads.parts(upload.id));
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size) {
    throw s3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`,
    );
  }
  const { ChecksumAlgorithm, ChecksumType, ...attributes } = upload.attributes;
  const algorithm = ChecksumAlgorithm ?? defaultAlgorithm;
  const type = ChecksumType === 'COMPOSITE' ? 'COMPOSITE' : 'FULL_OBJECT';
  using content = store.contents.read(parts, 0, size);
  const value =
    type === 'COMPOSITE'
      ? compositeChecksum(
          algorithm,
          parts.map(({ checksum }) => checksum.value),
        )
      : (await digestContent(content, algorithm)).checksum.value;
  checkCompleteChecksum(input, algorithm, value);
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')));
  const etag = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`;
  attributes.Checksum = { algorithm, value, type };
  attributes.Parts = parts.map(({ number, size, checksum }) => ({
    ...{ number, size },
    ...(ChecksumAlgorithm !== undefined && { checksum: checksum.value }),
  }));
  const object = {
    ...{ bucket, key, size, etag, attributes, tags, chunks: parts },
    ...{ event: 'ObjectCreated:CompleteMultipartUpload' as const, operation: 'CompleteMultipartUpload' },
  };
  const { versionId } = writeObject(context, input, caller, object, () => {
    findUpload(context, input);
    return store.uploads.remove(upload.id);
  });
  return compact({
    Location: `https://${bucket}.s3.${context.region}.amazonaws.com/${encodeURIComponent(key)}`,
    ...{ Bucket: bucket, Key: key, ETag: quoted(etag), VersionId: versionId },
    ...encryptionOutput(attributes),
    ...checksumOutput(attributes),
  });
}

/** The parts that the request lists, in order and each as it was uploaded. */
function chooseParts(upload: Upload, input: S3Input, uploaded: readonly Part[]): Part[] {
  const listed = (input.MultipartUpload?.Parts ?? []) as {
    PartNumber: number;
    ETag: string;
    [member: string]: unknown;
  }[];
  if (listed.length === 0) {
    throw s3Error(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema: at least one part must be specified.',
    );
  }
  if (listed.some(({ PartNumber }, index) => PartNumber <= (listed[index - 1]?.PartNumber ?? 0))) {
    throw s3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
      { UploadId: upload.id },
    );
  }
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  return listed.map(({ PartNumber, ETag, ...checksums }, index) => {
    const part = byNumber.get(PartNumber);
    const given = part && checksums[`Checksum${part.checksum.algorithm}`];
    if (!part || ETag?.replaceAll('"', '') !== part.etag || (given !== undefined && given !== part.checksum.value)) {
      throw s3Error(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { UploadId: upload.id, PartNumber: String(PartNumber), ETag: ETag ?? '' },
      );
    }
    if (index < listed.length - 1 && part.size < s3Limits.smallestPartBytes) {
      throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ...{ ETag: part.etag, PartNumber: String(PartNumber) },
        ...{ MinSizeAllowed: String(s3Limits.smallestPartBytes), ProposedSize: String(part.size) },
      });
    }
    return part;
  });
}

function checkCompleteChecksum(input: S3Input, algorithm: string, value: string): void {
  const given = expectedChecksum(input);
  if (given?.value === undefined || (given.algorithm === algorithm && given.value === value)) return;
  throw s3Error('BadDigest', `The ${given.algorithm} you specified did not match the calculated checksum.`);
}
