import { s3Error } from '../errors.ts';

/** The longest line of a chunk's header, or of a trailer. */
const LONGEST_LINE = 16 * 1024;

/**
 * A body that is sent in chunks with the encoding `aws-chunked`, as the SDKs do for streams and for checksums that are known
 * only at the end: `<size in hexadecimal>[;chunk-signature=…]\r\n<bytes>\r\n`, a chunk of size 0, and the trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export class ChunkedBody implements AsyncIterable<Uint8Array> {
  /** By name, in small letters. Complete when the body has been read. */
  readonly trailers: Record<string, string> = {};
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #decodedLength: number;
  #buffer: Uint8Array = new Uint8Array(0);

  /** @param decodedLength the header x-amz-decoded-content-length */
  constructor(source: AsyncIterable<Uint8Array>, decodedLength: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#decodedLength = decodedLength;
  }

  /** @throws S3Error IncompleteBody or InvalidRequest where it is not encoded properly */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let received = 0;
    for (;;) {
      const size = readSize(await this.#line());
      if (size === 0) break;
      received += size;
      if (received > this.#decodedLength) throw incomplete();
      yield* this.#bytes(size);
      if ((await this.#line()) !== '') throw invalid('a chunk is longer than its size');
    }
    if (received !== this.#decodedLength) throw incomplete();
    for (let line = await this.#line(true); line !== ''; line = await this.#line(true)) {
      const colon = line.indexOf(':');
      if (colon < 1) throw invalid('a trailer must be a name and a value');
      this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
  }

  async *#bytes(size: number): AsyncIterable<Uint8Array> {
    let missing = size;
    while (missing > 0) {
      if (this.#buffer.length === 0 && !(await this.#fill())) throw incomplete();
      const bytes = this.#buffer.subarray(0, missing);
      this.#buffer = this.#buffer.subarray(bytes.length);
      missing -= bytes.length;
      yield bytes;
    }
  }

  /** @param mayEnd the body may end here instead */
  async #line(mayEnd = false): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(0x0a);
      if (end >= 0) {
        const line = Buffer.from(this.#buffer.subarray(0, end)).toString('latin1').replace(/\r$/, '');
        this.#buffer = this.#buffer.subarray(end + 1);
        return line;
      }
      if (this.#buffer.length > LONGEST_LINE) throw invalid('a line is too long');
      if (await this.#fill()) continue;
      if (mayEnd && this.#buffer.length === 0) return '';
      throw incomplete();
    }
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done) return false;
    this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value]);
    return true;
  }
}

function readSize(line: string): number {
  const size = /^([0-9a-f]{1,12})\s*(?:;|$)/i.exec(line)?.[1];
  if (size === undefined) throw invalid('a chunk must begin with its size');
  return Number.parseInt(size, 16);
}

function incomplete(): Error {
  return s3Error('IncompleteBody', 'The request body terminated unexpectedly');
}

function invalid(reason: string): Error {
  return s3Error('InvalidRequest', `The body is not encoded as aws-chunked: ${reason}.`);
}
