import { createHash } from 'node:crypto';
import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { S3Store } from '../store/index.ts';
import { checkChecksum, createDigest, defaultAlgorithm, type ExpectedChecksum } from './checksums.ts';

/** A content that comes in: bytes, or a stream that may have trailers when it has ended. */
export type IncomingBody = string | Uint8Array | (AsyncIterable<Uint8Array> & { trailers?: Readonly<Record<string, string>> });

export interface Expectations {
  contentLength?: number | undefined;
  /** In base64. */
  contentMd5?: string | undefined;
  /** In hexadecimal. */
  contentSha256?: string | undefined;
  checksum?: ExpectedChecksum | undefined;
}

/** A content that is kept, and belongs to no object yet. */
export interface ReceivedContent {
  blob: string;
  size: number;
  /** MD5 in hexadecimal. */
  md5: string;
  checksum: { algorithm: string; value: string };
}

/**
 * Keeps a content if it is what the request says it is.
 *
 * @throws S3Error BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody or EntityTooLarge; nothing is kept then
 */
export async function receive(
  store: S3Store,
  body: IncomingBody | undefined,
  expectations: Expectations,
): Promise<ReceivedContent> {
  const { contentLength, contentMd5, checksum } = expectations;
  checkDeclaredLength(contentLength);
  const expectedMd5 = contentMd5 === undefined ? undefined : md5Digest(contentMd5);
  const algorithm = checksum?.algorithm ?? defaultAlgorithm;
  const digest = createDigest(algorithm);
  const md5 = createHash('md5');
  const sha256 = expectations.contentSha256 === undefined ? undefined : createHash('sha256');
  let size = 0;
  const source = asStream(body);
  async function* observed(): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > s3Limits.putBytes) throw tooLarge(size);
      md5.update(chunk);
      digest.update(chunk);
      sha256?.update(chunk);
      yield chunk;
    }
    if (contentLength !== undefined && size !== contentLength) {
      throw s3Error('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
    }
    if (expectedMd5 && !md5.copy().digest().equals(expectedMd5)) {
      throw s3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (sha256 && sha256.digest('hex') !== expectations.contentSha256) {
      throw s3Error('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.");
    }
  }
  const blob = await store.contents.write(observed());
  const value = digest.base64();
  try {
    const expected = checksum?.value ?? trailingChecksum(source, algorithm);
    if (expected !== undefined && expected !== value) {
      throw s3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  } catch (error) {
    store.contents.release([{ blob, size }]);
    throw error;
  }
  return { blob, size, md5: md5.digest('hex'), checksum: { algorithm, value } };
}

function checkDeclaredLength(length: number | undefined): void {
  if (length === undefined) return;
  if (!Number.isSafeInteger(length) || length < 0) throw s3Error('InvalidArgument', 'The content length is not valid');
  if (length > s3Limits.putBytes) throw tooLarge(length);
}

function tooLarge(size: number): Error {
  return s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: String(size),
    MaxSizeAllowed: String(s3Limits.putBytes),
  });
}

function trailingChecksum({ trailers }: { trailers?: Readonly<Record<string, string>> }, algorithm: string): string | undefined {
  const value = trailers?.[`x-amz-checksum-${algorithm.toLowerCase()}`];
  if (value !== undefined) checkChecksum(algorithm, value);
  return value;
}

function md5Digest(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 16) throw s3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  return bytes;
}

function asStream(body: IncomingBody = ''): AsyncIterable<Uint8Array> & { trailers?: Readonly<Record<string, string>> } {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return body;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return (async function* () {
    yield bytes;
  })();
}

/** MD5 and checksum of a content that is already kept. */
export async function digestContent(
  content: AsyncIterable<Uint8Array>,
  algorithm: string,
): Promise<Pick<ReceivedContent, 'md5' | 'checksum'>> {
  const md5 = createHash('md5');
  const digest = createDigest(algorithm);
  for await (const chunk of content) {
    md5.update(chunk);
    digest.update(chunk);
  }
  return { md5: md5.digest('hex'), checksum: { algorithm, value: digest.base64() } };
}
