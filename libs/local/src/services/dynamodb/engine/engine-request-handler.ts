import type { DynamoDbEngine } from './dynamodb-engine.ts';
import { DynamoDbError } from './dynamodb-error.ts';

/** An operation that a client asks for. */
export interface Call {
  operation: string;
  input: object;
}

/**
 * Handles a call on its way from a client to the engine: may wait, fail, or lose the answer.
 * @param execute runs the call on the engine; may be called later, never, or twice
 */
export type Intercept = (call: Call, execute: (call?: Call) => object) => object | Promise<object>;

/** The request was sent and its answer was lost: whether it was done is not known. The SDK's clients retry it. */
export class LostAnswerError extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'ECONNRESET';

  constructor() {
    super('The connection was closed before the answer came');
  }
}

interface Request {
  headers: Record<string, string>;
  body?: unknown;
}

interface Response {
  statusCode: number;
  reason: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/**
 * Serves the AWS SDK's DynamoDB clients from an engine in the same process. The real client stays in use with its
 * marshalling, retries and error classes.
 *
 * @example
 * const client = new DynamoDBClient({ region: 'us-east-1', requestHandler: new EngineRequestHandler(engine) });
 */
export class EngineRequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #engine: DynamoDbEngine;
  readonly #intercept: Intercept;

  constructor(engine: DynamoDbEngine, intercept: Intercept = (_, execute) => execute()) {
    this.#engine = engine;
    this.#intercept = intercept;
  }

  /** Answers a request of the JSON protocol. @throws what `intercept` throws, unless it is a DynamoDbError */
  async handle({ headers, body }: Request): Promise<{ response: Response }> {
    const target = headers['x-amz-target'] ?? headers['X-Amz-Target'] ?? '';
    const call = { operation: target.slice(target.indexOf('.') + 1), input: JSON.parse(textOf(body)) };
    try {
      const output = await this.#intercept(call, ({ operation, input } = call) =>
        this.#engine.execute(operation, input),
      );
      return { response: responseOf(200, output) };
    } catch (error) {
      if (!(error instanceof DynamoDbError)) throw error;
      const { name, message, members, status } = error;
      return {
        response: responseOf(status, { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message, ...members }),
      };
    }
  }

  destroy(): void {}

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  return '{}';
}

function responseOf(statusCode: number, content: object): Response {
  return {
    statusCode,
    reason: statusCode === 200 ? 'OK' : 'Refused',
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(content)),
  };
}
