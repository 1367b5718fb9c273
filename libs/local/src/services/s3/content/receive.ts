import { createHash } from 'node:crypto';
import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { S3Store } from '../store/index.ts';
import { checkChecksum, createDigest, defaultAlgorithm, type ExpectedChecksum } from './checksums.ts';

/** A content that comes in: bytes, or a stream that may have trailers when it has ended. */
export type IncomingBody = string | Uint8Array | IncomingStream;
type IncomingStream = AsyncIterable<Uint8Array> & { trailers?: Readonly<Record<string, string>> };

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
  const { contentLength } = expectations;
  if (contentLength !== undefined && contentLength > s3Limits.putBytes) throw tooLarge(contentLength);
  const checked = new CheckedStream(asStream(body), expectations);
  const blob = await store.contents.write(checked);
  return { blob, ...checked.result() };
}

/**
 * Reads a document as a whole.
 * @throws S3Error as receive; MaxMessageLengthExceeded
 */
export async function collect(body: IncomingStream, expectations: Expectations, maximumBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of new CheckedStream(body, expectations)) {
    size += chunk.length;
    if (size > maximumBytes) throw s3Error('MaxMessageLengthExceeded', 'Your request was too big.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A stream that fails at its end unless it has been what was expected. */
class CheckedStream implements AsyncIterable<Uint8Array> {
  readonly #source: IncomingStream;
  readonly #expectations: Expectations;
  readonly #algorithm: string;
  #result: Omit<ReceivedContent, 'blob'> | undefined;

  constructor(source: IncomingStream, expectations: Expectations) {
    this.#source = source;
    this.#expectations = expectations;
    this.#algorithm = expectations.checksum?.algorithm ?? defaultAlgorithm;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const { contentLength, contentMd5, contentSha256, checksum } = this.#expectations;
    const expectedMd5 = contentMd5 === undefined ? undefined : md5Digest(contentMd5);
    const digest = createDigest(this.#algorithm);
    const md5 = createHash('md5');
    const sha256 = contentSha256 === undefined ? undefined : createHash('sha256');
    let size = 0;
    for await (const chunk of this.#source) {
      size += chunk.length;
      if (size > s3Limits.putBytes) throw tooLarge(size);
      md5.update(chunk);
      digest.update(chunk);
      sha256?.update(chunk);
      yield chunk;
    }
    if (contentLength !== undefined && size !== contentLength) {
      throw s3Error(
        'IncompleteBody',
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
      );
    }
    const md5Value = md5.digest();
    if (expectedMd5 && !md5Value.equals(expectedMd5)) {
      throw s3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (sha256 && sha256.digest('hex') !== contentSha256) {
      throw s3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const value = digest.base64();
    const expected = checksum?.value ?? this.#trailingChecksum();
    if (expected !== undefined && expected !== value) {
      throw s3Error('BadDigest', `The ${this.#algorithm} you specified did not match the calculated checksum.`);
    }
    this.#result = { size, md5: md5Value.toString('hex'), checksum: { algorithm: this.#algorithm, value } };
  }

  /** Of the stream that has been read to its end. */
  result(): Omit<ReceivedContent, 'blob'> {
    if (!this.#result) throw new Error('The content has not been read to its end');
    return this.#result;
  }

  #trailingChecksum(): string | undefined {
    const value = this.#source.trailers?.[`x-amz-checksum-${this.#algorithm.toLowerCase()}`];
    if (value !== undefined) checkChecksum(this.#algorithm, value);
    return value;
  }
}

function tooLarge(size: number): Error {
  return s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: String(size),
    MaxSizeAllowed: String(s3Limits.putBytes),
  });
}

function md5Digest(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 16) throw s3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  return bytes;
}

function asStream(body: IncomingBody = ''): IncomingStream {
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
