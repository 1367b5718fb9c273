import { s3Error } from '../errors.ts';

/** A form with a file behind its fields. What comes behind the file is not read, as S3 does not read it. */
export interface Form {
  /** By name in small letters. */
  fields: ReadonlyMap<string, string>;
  file: AsyncIterable<Uint8Array>;
  /** Of the file, as the browser names it. */
  fileName: string;
  fileType: string | undefined;
}

/** All fields before the file. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html */
const FIELDS_LIMIT_BYTES = 20 * 1024;

/**
 * Reads a form up to its file.
 * https://www.rfc-editor.org/rfc/rfc7578
 *
 * @throws S3Error MalformedPOSTRequest; InvalidArgument for a form without a file
 */
export async function readForm(body: AsyncIterable<Uint8Array>, contentType: string): Promise<Form> {
  const boundary = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  if (!boundary) throw malformed('The request is not multipart/form-data.');
  const reader = new DelimitedReader(body, `\r\n--${boundary[1] ?? boundary[2]}`);
  const fields = new Map<string, string>();
  await reader.skipToDelimiter();
  let size = 0;
  while (await reader.hasNextPart()) {
    const headers = await reader.headers();
    const disposition = headers.get('content-disposition') ?? '';
    const name = /\bname="([^"]*)"/i.exec(disposition)?.[1]?.toLowerCase();
    if (name === undefined) throw malformed('A part of the form has no name.');
    if (name === 'file') {
      const fileName = /\bfilename="([^"]*)"/i.exec(disposition)?.[1] ?? '';
      return {
        fields,
        file: reader.part(),
        fileName: fileName.replace(/^.*[/\\]/, ''),
        fileType: headers.get('content-type'),
      };
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.part()) {
      size += chunk.length;
      if (size > FIELDS_LIMIT_BYTES)
        throw s3Error(
          'MaxPostPreDataLengthExceeded',
          'Your POST request fields preceding the upload file were too large.',
        );
      chunks.push(chunk);
    }
    fields.set(name, Buffer.concat(chunks).toString());
  }
  throw s3Error('InvalidArgument', 'POST requires exactly one file upload per request.', {
    ArgumentName: 'file',
    ArgumentValue: '0',
  });
}

/** Reads a body that is divided by a delimiter. */
class DelimitedReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  /** The first delimiter may be at the very beginning. */
  #buffer = Buffer.from('\r\n');

  constructor(source: AsyncIterable<Uint8Array>, delimiter: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(delimiter, 'latin1');
  }

  async skipToDelimiter(): Promise<void> {
    for await (const _chunk of this.part());
  }

  /** After a delimiter: whether there is a part behind it, and not the end (`--`). */
  async hasNextPart(): Promise<boolean> {
    const line = await this.#line();
    if (line.startsWith('--')) return false;
    if (line.trim() !== '') throw malformed('Invalid boundary.');
    return true;
  }

  async headers(): Promise<Map<string, string>> {
    const headers = new Map<string, string>();
    for (let line = await this.#line(); line !== ''; line = await this.#line()) {
      const colon = line.indexOf(':');
      if (colon < 1) throw malformed('A part of the form has an invalid header.');
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    return headers;
  }

  /** The bytes up to the next delimiter. */
  async *part(): AsyncIterable<Uint8Array> {
    for (;;) {
      const end = this.#buffer.indexOf(this.#delimiter);
      if (end >= 0) {
        const rest = this.#buffer.subarray(0, end);
        this.#buffer = this.#buffer.subarray(end + this.#delimiter.length);
        if (rest.length > 0) yield rest;
        return;
      }
      // A delimiter may have begun at the end of what is here.
      const safe = Math.max(this.#buffer.length - this.#delimiter.length + 1, 0);
      if (safe > 0) {
        const bytes = this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
        yield bytes;
      }
      await this.#fill();
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffer.subarray(0, end).toString();
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (this.#buffer.subarray(0, 2).toString() === '--') return '--';
      if (this.#buffer.length > FIELDS_LIMIT_BYTES) throw malformed('A line of the form is too long.');
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw malformed('The form has no end.');
    this.#buffer = Buffer.concat([this.#buffer, value]);
  }
}

function malformed(reason: string): Error {
  return s3Error(
    'MalformedPOSTRequest',
    `The body of your POST request is not well-formed multipart/form-data. ${reason}`,
  );
}
