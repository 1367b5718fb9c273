import type { Server as HttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { LOOPBACK, listenOnLoopback } from '../../core/port.ts';
import { findGuardRefusal } from '../../core/request-guard.ts';

/** What functions reach DynamoDB through. */
export interface DynamoDbFront {
  url: string;
  stop(): Promise<void>;
}

export interface DynamoDbFrontOptions {
  /** Origin of DynamoDB. */
  endpoint: string;
  /** Whether a request may pass. */
  allows: (request: FrontRequest) => boolean;
  /** Takes over every connection with a request that may not pass, or that is unlike those of SDKs. */
  gateway: HttpServer;
}

/** What is decided upon. */
export interface FrontRequest {
  /** Of the signature. */
  accessKeyId: string | undefined;
  operation: string;
  body: Buffer;
}

const lineEnd = '\r\n';
const endOfHead = Buffer.from(`${lineEnd}${lineEnd}`);

/**
 * Stands before DynamoDB and decides what passes. A table is used many times in every invocation, so this does as little as
 * can be: each connection has one of its own to DynamoDB, a request is read far enough to be decided upon and goes on as it
 * is, and what comes back is not looked at. The rest, and every refusal in DynamoDB's words, is left to the gateway.
 */
export async function startDynamoDbFront(options: DynamoDbFrontOptions): Promise<DynamoDbFront> {
  const { hostname, port } = new URL(options.endpoint);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    guard(client, connect({ host: hostname, port: Number(port), noDelay: true }), options);
  });
  const url = `http://${LOOPBACK}:${await listenOnLoopback(server, 0)}`;
  return {
    url,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function guard(client: Socket, upstream: Socket, { allows, gateway }: DynamoDbFrontOptions): void {
  let received: Buffer = Buffer.alloc(0);
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  client.on('close', end).on('error', end);
  upstream.on('close', end).on('error', end).pipe(client);

  const read = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const bodyStart = received.indexOf(endOfHead) + endOfHead.length;
    if (bodyStart < endOfHead.length) return;
    const head = received.toString('latin1', 0, bodyStart);
    const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
    if (length !== undefined && received.length < bodyStart + Number(length)) return;
    const operation = /^x-amz-target: *DynamoDB_\d+\.(\w+)\r$/im.exec(head)?.[1];
    const headers = rawHeadersOf(head);
    const usual =
      operation !== undefined &&
      received.length === bodyStart + Number(length) &&
      headers !== undefined &&
      !findGuardRefusal(headers, client.localPort, () => false);
    const accessKeyId = /^authorization: *[^\r]*Credential=([^/\r]+)\//im.exec(head)?.[1];
    if (usual && allows({ accessKeyId, operation, body: received.subarray(bodyStart) })) {
      upstream.write(received);
      received = Buffer.alloc(0);
      return;
    }
    client.off('data', read).off('close', end).off('error', end);
    upstream
      .unpipe(client)
      .off('close', end)
      .off('error', end)
      .on('error', () => {})
      .destroy();
    client.pause();
    client.unshift(received);
    gateway.emit('connection', client);
    client.resume();
  };
  client.on('data', read);
}

/** @returns undefined when a line is not a header as clients write them */
function rawHeadersOf(head: string): string[] | undefined {
  const headers: string[] = [];
  for (const line of head
    .slice(0, -2 * lineEnd.length)
    .split(lineEnd)
    .slice(1)) {
    const colon = line.indexOf(':');
    if (!/^[\w-]+$/.test(line.slice(0, colon))) return undefined;
    headers.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}
