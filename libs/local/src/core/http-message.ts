import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** A request to the AWS APIs, over HTTP or from a function of this process. */
export interface HttpRequest {
  /** By which an answer, a log line or a notification tells of it. */
  readonly id: string;
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** Empty for a service that reads bodies itself (`streamsBody`). */
  readonly body: Buffer;
  /** The body of a service that reads it itself. */
  readonly content: Readable;
  /** Where it comes from. */
  readonly sourceIp: string;
  /** Aborts when the client does not wait for the answer any more. */
  readonly signal: AbortSignal;
}

/** The answer to a request, for services whose outputs are more than a document of their protocol. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string | Buffer | Readable;

  constructor(status: number, headers: HttpAnswer['headers'], body: HttpAnswer['body']) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** A request that a function hands over in this process, without HTTP. */
export interface DirectRequest {
  method: string;
  /** The API that it is for, of a request without a signature. */
  service?: string;
  /** Path and query. */
  target: string;
  /** With names in lower case. */
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/**
 * Answers a request of a function. Whoever is named in its headers, it is the function's: only a session that STS has given may take
 * its place.
 *
 * @param sender `signal` aborts when the function does not wait for the answer any more
 * @returns also of a request that is refused
 */
export type AnswerDirect = (
  request: DirectRequest,
  sender: { functionName: string; signal: AbortSignal },
) => Promise<HttpAnswer>;
