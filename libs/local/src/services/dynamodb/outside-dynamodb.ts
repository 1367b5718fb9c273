import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { callAwsJson } from '../../core/aws-json-client.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import type { Call } from '../../core/service.ts';
import type { Used } from './answer.ts';
import type { DynamoDbBackend } from './local-dynamodb.ts';
import { type Consumed, hasCapacity } from './usage.ts';

const WRITES = new Set([
  ...['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'],
  ...['ExecuteStatement', 'ExecuteTransaction', 'BatchExecuteStatement'],
]);
const STREAMS = new Set(['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']);

/** An answer that tells the capacity that was consumed. */
class CountedAnswer extends HttpAnswer {
  declare readonly body: Buffer;

  get used(): Used {
    const output = JSON.parse(this.body.toString()) as { __type?: string; ConsumedCapacity?: Consumed | Consumed[] };
    return { consumed: output.ConsumedCapacity, errorName: output.__type?.split('#').at(-1) };
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

/** A DynamoDB outside of the runtime (`--dynamodb-endpoint`): requests are passed on to it. */
export class OutsideDynamoDb implements DynamoDbBackend {
  readonly #endpoint: string;
  readonly #region: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #listeners = new Set<() => void>();

  /** @param options `endpoint`: its origin */
  constructor({ endpoint, region }: { endpoint: string; region: string }) {
    this.#endpoint = endpoint;
    this.#region = region;
  }

  call(operation: string, input: Input): Promise<Record<string, unknown>> {
    const prefix = STREAMS.has(operation) ? 'DynamoDBStreams_20120810' : 'DynamoDB_20120810';
    const place = { region: this.#region, service: 'dynamodb', target: `${prefix}.${operation}` };
    return callAwsJson(this.#endpoint, place, input);
  }

  /** @throws AwsError ServiceUnavailable when DynamoDB does not answer */
  readonly answer = async ({ operation, input, request, isMetered }: Call): Promise<HttpAnswer> => {
    const { target, headers, body } = request;
    try {
      if (isMetered && hasCapacity(operation)) return await this.#answerCounted(target, headers, input);
      const answer = await this.#send(target, headers, body);
      return new HttpAnswer(answer.statusCode ?? 502, endToEnd(answer.headers), answer);
    } finally {
      if (WRITES.has(operation)) for (const listener of this.#listeners) listener();
    }
  };

  usedBy(output: unknown): Used | undefined {
    return output instanceof CountedAnswer ? output.used : undefined;
  }

  /** Called back after every write: which stream has something of it is not known. */
  onRecords(_streamArn: string, listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  console(): unknown {
    return { endpoint: this.#endpoint };
  }

  /** Closes the connections that are kept open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }

  async #answerCounted(target: string, headers: IncomingHttpHeaders, input: Input): Promise<CountedAnswer> {
    const asked = Buffer.from(JSON.stringify({ ReturnConsumedCapacity: 'TOTAL', ...input }));
    const answer = await this.#send(target, headers, asked);
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const { 'content-length': _length, ...others } = endToEnd(answer.headers);
    return new CountedAnswer(answer.statusCode ?? 502, others, Buffer.concat(chunks));
  }

  #send(target: string, headers: IncomingHttpHeaders, body: Buffer): Promise<IncomingMessage> {
    const { 'content-encoding': _read, authorization, ...others } = endToEnd(headers);
    const sent = {
      ...others,
      'content-length': body.length,
      // DynamoDB Local takes letters and digits only, and keeps the tables of each access key id apart.
      ...(authorization && { authorization: String(authorization).replace(/Credential=[^/]*/, 'Credential=local') }),
    };
    return new Promise((resolve, reject) => {
      httpRequest(new URL(target, this.#endpoint), { method: 'POST', headers: sent, agent: this.#agent })
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
