import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { AwsError } from '../../core/aws-error.ts';
import { type DynamoDbExchange, hasCapacity } from './usage.ts';

/** A request for DynamoDB that has been read. */
export interface DynamoDbRequest {
  url: string;
  headers: IncomingHttpHeaders;
  /** Of X-Amz-Target, without the service. */
  operation: string;
  body: Buffer;
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
   * @param count is told what was asked and answered; DynamoDB is then asked for the consumed capacity, too
   * @throws AwsError ServiceUnavailable when DynamoDB does not answer
   */
  async answer(
    request: DynamoDbRequest,
    response: ServerResponse,
    count?: (exchange: DynamoDbExchange) => void,
  ): Promise<void> {
    const { operation, body } = request;
    if (!count || !hasCapacity(operation)) {
      const answer = await this.#send(request, body);
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      answer.pipe(response);
      await new Promise((resolve, reject) => answer.on('end', resolve).on('error', reject));
      return;
    }
    const input = JSON.parse(body.toString()) as Record<string, unknown>;
    const asked = Buffer.from(JSON.stringify({ ReturnConsumedCapacity: 'TOTAL', ...input }));
    const answer = await this.#send(request, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const received = Buffer.concat(chunks);
    count({ operation, input, output: JSON.parse(received.toString()) });
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers)).end(received);
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
