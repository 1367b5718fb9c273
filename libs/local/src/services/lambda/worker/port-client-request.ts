import { EventEmitter } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { Answer, AwsPort } from './aws-port.ts';

/** The parameters of `http.request`, taken apart. */
export interface RequestParameters {
  url: URL;
  /** Path and query as they were given. */
  path: string;
  options: RequestOptions;
  onResponse: ((response: IncomingMessage) => void) | undefined;
}

/** What clients do with the connection of a request: they set its timeout, and wait until it is there. */
class PortSocket extends EventEmitter {
  readonly connecting = false;
  destroyed = false;
  #timer: NodeJS.Timeout | undefined;

  setTimeout(ms: number, onTimeout?: () => void): this {
    clearTimeout(this.#timer);
    if (onTimeout) this.once('timeout', onTimeout);
    if (ms > 0) this.#timer = setTimeout(() => this.emit('timeout'), ms).unref();
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  destroy(error?: Error): this {
    clearTimeout(this.#timer);
    if (!this.destroyed) this.emit('close', error !== undefined);
    this.destroyed = true;
    return this;
  }
}

/**
 * Takes the place of node:http's ClientRequest: sends the request through the container's port when it is complete.
 * https://nodejs.org/api/http.html#class-httpclientrequest
 */
export class PortClientRequest extends Writable {
  readonly protocol = 'http:';
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly reusedSocket = false;
  readonly socket = new PortSocket();
  readonly #aws: AwsPort;
  /** By their names in lower case. */
  readonly #headers = new Map<string, { name: string; value: number | string | readonly string[] }>();
  readonly #chunks: Buffer[] = [];
  #cancel: (() => void) | undefined;
  #response: IncomingMessage | undefined;

  constructor(aws: AwsPort, { url, path, options, onResponse }: RequestParameters) {
    // It ends with the response, not when it is written.
    super({ autoDestroy: false, ...(options.signal && { signal: options.signal }) });
    this.#aws = aws;
    this.method = (options.method ?? 'GET').toUpperCase();
    this.path = path;
    this.host = url.hostname;
    this.setHeader('host', url.host);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) this.setHeader(name, value);
    }
    if (onResponse) this.once('response', onResponse);
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    this.socket.on('timeout', () => this.emit('timeout'));
    this.socket.once('close', () => this.destroy());
    process.nextTick(() => this.emit('socket', this.socket));
    if (this.getHeader('expect') !== undefined) setImmediate(() => this.emit('continue'));
  }

  get aborted(): boolean {
    return this.destroyed;
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    this.#headers.set(name.toLowerCase(), { name, value });
    return this;
  }

  getHeader(name: string): number | string | readonly string[] | undefined {
    return this.#headers.get(name.toLowerCase())?.value;
  }

  getHeaders(): Record<string, number | string | readonly string[]> {
    return Object.fromEntries([...this.#headers].map(([name, { value }]) => [name, value]));
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  getRawHeaderNames(): string[] {
    return [...this.#headers.values()].map(({ name }) => name);
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  flushHeaders(): void {}

  setNoDelay(): void {}

  setSocketKeepAlive(): void {}

  setTimeout(ms: number, onTimeout?: () => void): this {
    if (onTimeout) this.once('timeout', onTimeout);
    this.socket.setTimeout(ms);
    return this;
  }

  abort(): void {
    this.emit('abort');
    this.destroy();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    const headers = Object.fromEntries([...this.#headers].map(([name, { value }]) => [name, String(value)]));
    const body = new Uint8Array(Buffer.concat(this.#chunks));
    const sent = this.#aws.send({ method: this.method, target: this.path, headers, body });
    this.#cancel = sent.cancel;
    void sent.answer.then((answer) => this.#respond(answer));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancel?.();
    this.socket.destroy();
    if (this.#response?.complete === false) this.#response.destroy(error ?? undefined);
    done(error ?? (this.#response ? null : hangUp()));
  }

  #respond({ status, headers, body }: Answer): void {
    if (this.destroyed) return;
    // Whoever has made this request has loaded it.
    const http = process.getBuiltinModule('node:http');
    const response = new http.IncomingMessage(this.socket as unknown as Socket);
    const given = Object.entries(headers).filter(([, value]) => value !== undefined) as [string, string | string[]][];
    response.statusCode = status;
    response.statusMessage = http.STATUS_CODES[status] ?? '';
    [response.httpVersion, response.httpVersionMajor, response.httpVersionMinor] = ['1.1', 1, 1];
    response.headers = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
    response.rawHeaders = given.flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
    this.#response = response;
    const end = (): void => {
      response.complete = true;
      response.push(null);
    };
    if (body instanceof Readable) {
      body.on('data', (chunk: Buffer) => response.push(chunk));
      body.on('end', end);
      body.on('error', (error) => response.destroy(error));
    } else {
      if (body.length > 0) response.push(Buffer.from(body as string));
      end();
    }
    response.once('close', () => this.destroy());
    // As node:http does: an answer that is not listened to is thrown away.
    if (!this.emit('response', response)) response.resume();
  }
}

function hangUp(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}
