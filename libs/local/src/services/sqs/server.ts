import { randomUUID } from 'node:crypto';
import { AwsError } from '../../core/aws-error.ts';
import { SystemClock } from '../../core/clock.ts';
import { createGuardedServer } from '../../core/guarded-server.ts';
import type { HttpAnswer, HttpRequest } from '../../core/http-message.ts';
import { LOOPBACK, listenOnLoopback } from '../../core/port.ts';
import { closeServer } from '../../core/reserved-port.ts';
import type { SqsApi } from './api.ts';
import type { Message } from './engine/message.ts';
import { sqs as service } from './index.ts';
import { json } from './protocol/json.ts';
import { query } from './protocol/query.ts';
import { type Sqs, type SqsOptions, startSqs } from './sqs.ts';

/** A message as it is in a queue, seen without receiving it. */
export type QueuedMessage = Readonly<Message>;

/** An SQS on a port of its own. */
export interface SqsServer extends AsyncDisposable {
  endpoint: string;
  sqs: Sqs;
}

/** More than any request can have: 1 MiB of messages, each byte of which may be escaped as six. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Serves SQS in both of its protocols, on the loopback interface: for tests of what talks to queues, without the rest of the runtime.
 * Signatures are not looked at.
 *
 * @param options `port`: 0, or none, for a free one
 * @throws PortTakenError when another process has the port
 * @example await using server = await startSqsServer();
 */
export async function startSqsServer({
  port = 0,
  ...options
}: Partial<SqsOptions> & { port?: number } = {}): Promise<SqsServer> {
  await using started = new AsyncDisposableStack();
  const clock = options.clock ?? started.use(new SystemClock());
  const server = createGuardedServer(async (request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      }
    } catch {
      // The client has gone away.
      return;
    }
    const url = URL.parse(request.url ?? '', endpoint);
    if (!url || size > MAX_BODY_BYTES) {
      response.writeHead(url ? 413 : 400).end();
      return;
    }
    const { method = 'GET', url: target = '', headers } = request;
    const [id, body, { signal }] = [randomUUID(), Buffer.concat(chunks), gone];
    const message = { id, method, target, url, headers, body, content: request, sourceIp: LOOPBACK, signal };
    const answer = await answerRequest(sqs.api, message);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  const endpoint = `http://${LOOPBACK}:${await listenOnLoopback(server, port)}`;
  started.defer(() => closeServer(server));
  const sqs = startSqs({ accountId: '000000000000', region: 'us-east-1', origin: endpoint, ...options, clock });
  started.use(sqs);
  const owned = started.move();
  return { endpoint, sqs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** As the gateway does it, without asking who calls. */
async function answerRequest(api: SqsApi, request: HttpRequest): Promise<HttpAnswer> {
  const protocol = json.matches(request.headers) ? json : query;
  try {
    const { operation, input } = protocol.read(request, service);
    return protocol.answer(await api.call(operation, input, {}, request.signal), operation, request, service);
  } catch (error) {
    const known = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
    return protocol.error(known, request.headers, request);
  }
}
