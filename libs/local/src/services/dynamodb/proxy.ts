import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';

/** A request for DynamoDB that has been read. */
export interface DynamoDbRequest {
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An answer that tells the capacity that was consumed. */
export class CountedAnswer extends HttpAnswer {
  declare readonly body: Buffer;

  /** The document of the answer. */
  get output(): unknown {
    return JSON.parse(this.body.toString());
  }
}

/** Headers that belong to one connection and are not passed on. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-connection',
]);

/** Passes requests on to the DynamoDB behind the runtime. */
export class DynamoDbProxy {
  readonly #endpoint: string;
  readonly #agent = new Agent({ keepAlive: true });

  /** @param endpoint its origin */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /**
   * Answers a request with what DynamoDB answers.
   * @throws AwsError ServiceUnavailable when DynamoDB does not answer
   */
  async answer(request: DynamoDbRequest): Promise<HttpAnswer> {
    const answer = await this.#send(request, request.body);
    return new HttpAnswer(answer.statusCode ?? 502, endToEnd(answer.headers), answer);
  }

  /**
   * Answers a request, and has DynamoDB tell the capacity that it has consumed.
   * @throws AwsError ServiceUnavailable when DynamoDB does not answer
   */
  async answerCounted(request: DynamoDbRequest, input: Input): Promise<CountedAnswer> {
    const asked = Buffer.from(JSON.stringify({ ReturnConsumedCapacity: 'TOTAL', ...input }));
    const answer = await this.#send(request, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const { 'content-length': _length, ...headers } = endToEnd(answer.headers);
    return new CountedAnswer(answer.statusCode ?? 502, headers, Buffer.concat(chunks));
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  #send({ url, headers }: DynamoDbRequest, body: Buffer): Promise<IncomingMessage> {
    const { 'content-encoding': _read, authorization, ...others } = endToEnd(headers);
    const sent = {
      ...others,
      'content-length': body.length,
      // DynamoDB Local takes letters and digits only, and keeps the tables of each access key id apart.
      ...(authorization && { authorization: String(authorization).replace(/Credential=[^/]*/, 'Credential=local') }),
    };
    return new Promise((resolve, reject) => {
      httpRequest(new URL(url, this.#endpoint), { method: 'POST', headers: sent, agent: this.#agent })
        .on('response', resolve)
        .on('error', (error) => {
          reject(new AwsError('ServiceUnavailable', `DynamoDB does not answer: ${error.message}`, 503));
        })
        .end(body);
    });
  }
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
