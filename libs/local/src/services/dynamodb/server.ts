import { AwsError } from '../../core/aws-error.ts';
import { SystemClock } from '../../core/clock.ts';
import { createGuardedServer } from '../../core/guarded-server.ts';
import { parseJsonBody } from '../../core/json-body.ts';
import { LOOPBACK, listenOnLoopback } from '../../core/port.ts';
import { closeServer } from '../../core/reserved-port.ts';
import { DynamoDbAnswer } from './answer.ts';
import { EmbeddedDynamoDb, type EmbeddedDynamoDbOptions } from './embedded-dynamodb.ts';
import { DynamoDbError } from './engine/index.ts';

/** A DynamoDB on a port of its own. */
export interface DynamoDbServer extends AsyncDisposable {
  endpoint: string;
}

/**
 * Serves DynamoDB and its streams on the loopback interface: for tests of what uses tables, without the rest of the runtime.
 * Signatures are not looked at.
 *
 * @param options `port`: 0, or none, for a free one
 * @throws PortTakenError when another process has the port; Error when another one has the data directory
 * @example await using server = await startDynamoDbServer();
 */
export async function startDynamoDbServer({
  port = 0,
  ...options
}: Partial<EmbeddedDynamoDbOptions> & { port?: number } = {}): Promise<DynamoDbServer> {
  await using started = new AsyncDisposableStack();
  const clock = options.clock ?? started.use(new SystemClock());
  const dynamodb = new EmbeddedDynamoDb({ region: 'us-east-1', accountId: '000000000000', ...options, clock });
  started.use(dynamodb);
  const server = createGuardedServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // The client has gone away.
      return;
    }
    const { status, headers, body } = await answer(String(request.headers['x-amz-target']), Buffer.concat(chunks));
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(String(body)) }).end(body);
  });
  const answer = async (target: string, body: Buffer): Promise<DynamoDbAnswer> => {
    try {
      const operation = target.slice(target.lastIndexOf('.') + 1);
      return await dynamodb.answer({ operation, input: parseJsonBody(body) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return DynamoDbAnswer.refusing(new DynamoDbError(error.code, error.message));
    }
  };
  started.defer(() => closeServer(server));
  const endpoint = `http://${LOOPBACK}:${await listenOnLoopback(server, port)}`;
  const owned = started.move();
  return { endpoint, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
