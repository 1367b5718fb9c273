import type { Agent, ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** A request. */
export interface HttpRequest {
  method: string;
  protocol: 'http:' | 'https:';
  hostname: string;
  port: number | undefined;
  /** With the query string. */
  path: string;
  /** With the signature, which is made when they are first read. */
  readonly headers: Record<string, string>;
  /** Without the signature, for a transport that knows by itself who sends. */
  unsignedHeaders: Record<string, string>;
  /** The API that it is for, as in the signature. */
  service: string;
  /** What it is signed with. */
  accessKeyId: string;
  body: string | Uint8Array;
}

/** Its answer, whatever its status. Names of headers are in lower case. */
export interface HttpResponse {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: string | Uint8Array;
}

/** How long a request may take, in ms. */
export interface TimeLimits {
  /** Until the connection is there, with its TLS. */
  connectMs: number;
  /** Until the whole answer is there. */
  responseMs: number;
}

/**
 * Sends a request and returns its answer.
 * @throws Error with a code such as ECONNRESET, or the name TimeoutError: whether the request was done is not known then
 */
export type Transport = (request: HttpRequest, limits: TimeLimits) => Promise<HttpResponse>;

/**
 * The property of `globalThis` that holds a transport for all clients of this process that were given no other one. The simulation and
 * the local cloud set it. A symbol of the global registry, because each bundle has its own copy of this module.
 */
export const processTransport: unique symbol = Symbol.for('millrace.aws.transport') as never;

/** The transport of clients that were given no other one. */
export const defaultTransport: Transport = (request, limits) => {
  const { [processTransport]: replaced } = globalThis as { [processTransport]?: Transport };
  return (replaced ?? httpTransport)(request, limits);
};

/**
 * A client is used by up to ten records of a batch at once. Connections are kept: with TLS a new one takes two round trips
 * and some milliseconds of CPU.
 */
const agentOptions = { keepAlive: true, maxSockets: 50 };

type Protocol = HttpRequest['protocol'];
const agents = new Map<Protocol, Agent>();

function moduleOf(protocol: Protocol) {
  return process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');
}

/**
 * Returns the agent for a protocol, and loads what it needs at the first call. With TLS this takes 13 ms of CPU: a function on
 * AWS had better spend them while it starts, when Lambda gives it a whole core, and one on this machine never.
 */
export function agentFor(protocol: Protocol): Agent {
  const agent = agents.get(protocol) ?? new (moduleOf(protocol).Agent)(agentOptions);
  agents.set(protocol, agent);
  return agent;
}

/** Sends by HTTP/1.1 over connections that are kept. */
export const httpTransport: Transport = (
  { method, protocol, hostname, port, path, headers, body },
  { connectMs, responseMs },
) =>
  new Promise((resolve, reject) => {
    const request = moduleOf(protocol).request({
      agent: agentFor(protocol),
      method,
      hostname,
      port,
      path,
      headers,
    });
    const response = timeLimit(request, responseMs, 'an answer');
    request.on('socket', (socket: Socket) => {
      if (!socket.connecting) return;
      const connect = timeLimit(request, connectMs, 'a connection');
      socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(connect));
      request.once('close', () => clearTimeout(connect));
    });
    request.once('close', () => clearTimeout(response));
    request.once('error', reject);
    request.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      // An answer that was cut off has no end.
      answer.once('error', reject);
      answer.once('end', () => {
        const [first = Buffer.alloc(0)] = chunks;
        resolve({
          statusCode: answer.statusCode ?? 0,
          headers: answer.headers,
          body: chunks.length > 1 ? Buffer.concat(chunks) : first,
        });
      });
    });
    request.end(body);
  });

function timeLimit(request: ClientRequest, ms: number, what: string): NodeJS.Timeout {
  return setTimeout(() => {
    const error = new Error(`AWS did not give ${what} within ${ms} ms`);
    error.name = 'TimeoutError';
    request.destroy(error);
  }, ms);
}
