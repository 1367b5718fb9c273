import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type AnswerDirect, type DirectRequest, HttpAnswer } from '../core/http-message.ts';
import { LOOPBACK } from '../core/port.ts';
import { readBody } from './http-request.ts';
import { type Arrival, answerArrival, errorAnswer, type GatewayParts, headersOf } from './pipeline.ts';

/**
 * The AWS APIs for functions of this process: requests take the same way as over HTTP, but for who sends them, which is known.
 *
 * @param parts requests that come before they are ready wait for them
 */
export function answerDirectly(parts: Promise<GatewayParts>): AnswerDirect {
  return async (request, { functionName, signal }) => {
    const arrival = new DirectArrival(request, functionName, signal);
    const answer = await parts.then(
      async (ready) => (await answerArrival(arrival, ready)).answer,
      (error: unknown) => errorAnswer(error, undefined, arrival),
    );
    return new HttpAnswer(answer.status, headersOf(answer, arrival), answer.body);
  };
}

class DirectArrival implements Arrival {
  readonly id = randomUUID();
  readonly sourceIp = LOOPBACK;
  readonly method: string;
  readonly target: string;
  readonly service: string | undefined;
  readonly headers: Record<string, string>;
  readonly functionName: string;
  readonly signal: AbortSignal;
  readonly #body: string | Uint8Array;

  constructor({ method, target, service, headers, body }: DirectRequest, functionName: string, signal: AbortSignal) {
    this.method = method;
    this.target = target;
    this.service = service;
    this.headers = headers;
    this.functionName = functionName;
    this.signal = signal;
    this.#body = body;
  }

  get content(): Readable {
    return Readable.from([this.#bytes()]);
  }

  readBody(): Promise<Buffer> {
    return readBody([this.#bytes()], this.headers);
  }

  #bytes(): Buffer {
    const body = this.#body;
    return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }
}
