import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { LOOPBACK, listenOnLoopback } from '../port.ts';
import { countDynamoDb, hasCapacity } from './dynamodb-usage.ts';
import type { Usage } from './usage.ts';

/** Something that answers as DynamoDB does, and counts. */
export interface DynamoDbMeter {
  url: string;
  stop(): Promise<void>;
}

export interface DynamoDbMeterOptions {
  /** The DynamoDB that answers. */
  endpoint: string;
  usage: Usage;
  /** The name of a table's partition key, where it is known. */
  partitionKeyOf: (table: string) => string | undefined;
}

/**
 * Stands between functions and DynamoDB: asks for the consumed capacity of each request, counts it, and passes the answer
 * on. Every request takes about a millisecond longer.
 */
export async function startDynamoDbMeter(options: DynamoDbMeterOptions): Promise<DynamoDbMeter> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    pass(request, response, agent, options).catch(() => response.destroy());
  });
  // Longer than the SDKs keep a connection, so that none is closed under a request that is being sent.
  server.keepAliveTimeout = 65_000;
  const port = await listenOnLoopback(server, 0);
  return {
    url: `http://${LOOPBACK}:${port}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  agent: Agent,
  { endpoint, usage, partitionKeyOf }: DynamoDbMeterOptions,
): Promise<void> {
  const operation = String(request.headers['x-amz-target']).replace(/^DynamoDB_\d+\./, '');
  const body = await read(request);
  const input = hasCapacity(operation) ? (JSON.parse(body.toString()) as Record<string, unknown>) : undefined;
  const sent = input ? Buffer.from(JSON.stringify({ ReturnConsumedCapacity: 'TOTAL', ...input })) : body;
  const answer = await send(new URL(request.url ?? '/', endpoint), request, sent, agent);
  const received = await read(answer);
  if (input) countDynamoDb(usage, { operation, input, output: JSON.parse(received.toString()) }, partitionKeyOf);
  response.writeHead(answer.statusCode ?? 502, answer.headers).end(received);
}

function send(url: URL, { method, headers }: IncomingMessage, body: Buffer, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method, agent, headers: { ...headers, 'content-length': body.length } })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
