import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** An HTTP request on the port of the AWS APIs. */
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
  readonly message: IncomingMessage;
  /** Aborts when the connection is closed before the answer is written. */
  readonly signal: AbortSignal;
}

/** The answer to an HTTP request, for services whose outputs are more than a document of their protocol. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** A function writes the whole answer itself, with its status and headers. */
  readonly body: string | Buffer | Readable | ((response: ServerResponse) => void);

  constructor(status: number, headers: HttpAnswer['headers'], body: HttpAnswer['body']) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}
