import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGuardedServer } from '../core/guarded-server.ts';
import type { HttpAnswer } from '../core/http-message.ts';
import { LOOPBACK } from '../core/port.ts';
import type { AwsService } from '../core/service.ts';
import { readBody } from './http-request.ts';
import { type Arrival, answerArrival, errorAnswer, type GatewayParts, headersOf } from './pipeline.ts';

/**
 * The AWS APIs on one port, for any SDK and the AWS CLI.
 *
 * @param parts requests that come before they are ready wait for them
 * @example
 * const gateway = createGateway(Promise.resolve({ services, callerOf, authorizer, local }));
 * await listenOnLoopback(gateway, 4566);
 */
export function createGateway(parts: Promise<GatewayParts>): Server {
  const server = createGuardedServer(
    (message, response) => {
      const closed = new AbortController();
      response.on('close', () => {
        if (!response.writableFinished) closed.abort();
      });
      const arrival = arrivalOf(message, closed.signal);
      const answered = parts.then(async (ready) => {
        const { answer, service } = await answerArrival(arrival, ready);
        await write(response, answer, arrival, service);
      });
      answered.catch((error: unknown) => {
        // Before the parts are ready, or while the answer was written.
        if (response.headersSent) response.destroy();
        else void write(response, errorAnswer(error, undefined, arrival), arrival);
      });
    },
    { speaksHttp2: true },
  );
  // Longer than the SDKs keep a connection, so that none is closed under a request that is being sent.
  server.keepAliveTimeout = 65_000;
  return server;
}

function arrivalOf(message: IncomingMessage, signal: AbortSignal): Arrival {
  const { method = 'GET', url: target = '/', headers, socket } = message;
  return {
    id: randomUUID(),
    ...{ method, target, headers, signal },
    sourceIp: socket.remoteAddress ?? LOOPBACK,
    content: message,
    readBody: () => readBody(message, headers),
  };
}

async function write(
  response: ServerResponse,
  answer: HttpAnswer,
  arrival: Arrival,
  service?: AwsService,
): Promise<void> {
  const { status, body } = answer;
  // A body that nobody has read would be taken for the next request of the connection.
  if (service?.streamsBody) arrival.content.resume();
  response.writeHead(status, headersOf(answer, arrival));
  if (body instanceof Readable) await pipeline(body, response);
  else response.end(body);
}
