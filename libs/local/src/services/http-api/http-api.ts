import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { JSONWebKeySet } from 'jose';
import { AwsError } from '../../core/aws-error.ts';
import { createGuardedServer } from '../../core/guarded-server.ts';
import { LOOPBACK, listenOnLoopback } from '../../core/port.ts';
import type { InvocationResult } from '../lambda/function-pool.ts';
import type { Cors } from './cors.ts';
import { routesOf } from './declared-routes.ts';
import type { HttpResponse } from './http-message.ts';
import type { ResolvedResource } from './http-resources.ts';
import { JwtAuthorization, type RouteAuthorization } from './jwt-authorization.ts';
import { httpResponse, requestEvent } from './payload.ts';
import { type Route, type RouteMatch, RouteTable } from './route.ts';
import { TokenBucket } from './token-bucket.ts';

export interface HttpApiOptions {
  /** 0 for a free one. */
  port: number;
  accountId: string;
  services: { name: string; resources: ResolvedResource[] }[];
  /** Calls a function with an event in JSON. */
  invoke: (
    functionArn: string,
    payload: string,
    options: { traceHeader: string | undefined; signal: AbortSignal },
  ) => Promise<InvocationResult>;
  /** What tokens are verified with, whoever issued them; without any no token is valid. */
  verificationKeys?: JSONWebKeySet;
  /** Epoch milliseconds; the system's clock unless given. */
  now?: () => number;
  onWarning?: (message: string) => void;
}

export interface HttpApi {
  port: number;
  url: string;
  routes: readonly Route[];
  /** Takes no more requests, answers those under way (for at most five seconds), and closes. */
  stop(): Promise<void>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
/** Of the request line and the values of all headers together. */
const HEAD_LIMIT_BYTES = 10_240;
const STOP_WITHIN_MS = 5_000;
const DISCARD_WITHIN_MS = 2_000;

/**
 * Serves the HTTP APIs (AWS::ApiGatewayV2) of all services on one port of the loopback interface, their routes merged by path.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
 * @throws RouteCollisionError naming both services when two declare the same route; Error naming the route, authorizer or stage and
 *   what is wrong with it; PortTakenError
 */
export async function startHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const routes = options.services.flatMap(({ name, resources }) => routesOf(name, resources));
  const now = options.now ?? Date.now;
  const api: Api = {
    table: new RouteTable(routes),
    authorization: new JwtAuthorization(options.verificationKeys ?? { keys: [] }, now),
    buckets: new Map(routes.flatMap((route) => (route.limit ? [[route, new TokenBucket(route.limit, now)]] : []))),
    now,
  };
  let underWay = 0;
  let stopping = false;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      // A connection that is kept alive would keep the server from closing.
      if (stopping && underWay === 0) server.closeAllConnections();
    });
    const failed = (error: Error): HttpResponse => {
      options.onWarning?.(`${request.method} ${request.url}: ${error.message}`);
      return failure(500, 'Internal Server Error');
    };
    void answer(request, response, api, options)
      .catch(failed)
      .then(async (answered) => {
        await discardRest(request);
        if (answered) respond(response, answered);
      });
  };
  const server = createGuardedServer(handle, {
    allowsOrigin: (origin) => routes.some(({ cors }) => cors?.allows(origin)),
    // A client that asks before it sends a body gets a refusal at once, and never sends it.
    onCheckContinue: handle,
  });
  const port = await listenOnLoopback(server, options.port);
  return {
    port,
    url: `http://${LOOPBACK}:${port}`,
    routes,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      stopping = true;
      if (underWay === 0) server.closeAllConnections();
      const force = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
      await closed;
      clearTimeout(force);
    },
  };
}

/**
 * Reads what is still on its way, and throws it away: a connection that ends before takes the answer with it. Not for long: a
 * client may never send what it has announced, and one that waits to be told to continue does not.
 */
async function discardRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed || request.headers.expect !== undefined) return;
  request.resume();
  const over = once(request, 'close').catch(() => undefined);
  await Promise.race([over, delay(DISCARD_WITHIN_MS, undefined, { ref: false })]);
}

interface Api {
  table: RouteTable;
  authorization: JwtAuthorization;
  /** Of the routes that have a limit. */
  buckets: Map<Route, TokenBucket>;
  now: () => number;
}

/** @returns undefined when the client has left */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  api: Api,
  options: HttpApiOptions,
): Promise<HttpResponse | undefined> {
  const requestId = randomUUID();
  response.setHeader('apigw-requestid', requestId);
  const { method = '', headers } = request;
  // Unless it is told to continue, the client never sends the body that would have to come first on this connection.
  if (headers.expect !== undefined) response.setHeader('connection', 'close');
  if (headBytes(request) > HEAD_LIMIT_BYTES) return failure(431, 'Request Header Fields Too Large');
  const [rawPath = '', ...query] = (request.url ?? '').split('?');
  const segments = decodeSegments(rawPath);
  if (!segments) return failure(400, 'Bad Request');
  const match = api.table.match(method, segments);
  const cors = method === 'OPTIONS' ? corsOfPreflight(headers, segments, match, api.table) : undefined;
  if (cors) return cors.answerPreflight(headers);
  if (!match) return failure(404, 'Not Found');

  const answered = await answerRoute(
    request,
    response,
    { match, requestId, segments, query: query.join('?') },
    api,
    options,
  );
  return answered && (match.route.cors?.apply(headers, answered) ?? answered);
}

function headBytes({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): number {
  const values = rawHeaders.filter((_, index) => index % 2 === 1);
  // Node reads a head as latin1, so that each character is a byte.
  return `${method} ${url} HTTP/${httpVersion}`.length + values.reduce((sum, value) => sum + value.length, 0);
}

/** A path of another API's, or one that this API itself has a route with OPTIONS for, is not answered by the API. */
function corsOfPreflight(
  headers: IncomingHttpHeaders,
  segments: string[],
  match: RouteMatch | undefined,
  table: RouteTable,
): Cors | undefined {
  const asked =
    table.match(headers['access-control-request-method'] ?? '', segments)?.route ?? table.matchPath(segments);
  return asked?.apiId === match?.route.apiId ? undefined : asked?.cors;
}

/** @returns undefined when the client has left */
async function answerRoute(
  request: IncomingMessage,
  response: ServerResponse,
  { match, requestId, segments, query }: { match: RouteMatch; requestId: string; segments: string[]; query: string },
  { authorization, buckets, now }: Api,
  { accountId, invoke, onWarning }: HttpApiOptions,
): Promise<HttpResponse | undefined> {
  const { route } = match;
  const { method = '', headers, rawHeaders, socket } = request;
  const timeEpoch = now();
  if (buckets.get(route)?.take() === false) return failure(429, 'Too Many Requests');
  const caller =
    route.authorization &&
    (await authorization.authorize(route.authorization, carriedToken(route.authorization, headers, query)));
  if (caller && 'status' in caller) {
    const { status, message, wwwAuthenticate } = caller;
    return failure(status, message, { 'www-authenticate': wwwAuthenticate });
  }

  const body = await readBody(request, response);
  if (body === 'gone') return undefined;
  if (body === 'too long') {
    response.setHeader('connection', 'close');
    return failure(413, 'Request Too Long');
  }
  const event = requestEvent(
    {
      requestId,
      method,
      path: `/${segments.join('/')}`,
      rawQueryString: query,
      protocol: `HTTP/${request.httpVersion}`,
      sourceIp: socket.remoteAddress ?? LOOPBACK,
      port: socket.localPort ?? 0,
      rawHeaders,
      body,
      timeEpoch,
      caller,
    },
    match,
    accountId,
  );
  const { 'x-amzn-trace-id': traceHeader } = event.headers;
  // Who has been answered, or has left, waits for nothing: a call that has not begun would only keep others waiting, its repetition too.
  const answered = new AbortController();
  response.once('close', () => answered.abort());
  const called = invoke(route.functionArn, JSON.stringify(event), { traceHeader, signal: answered.signal });
  const result = await within(route.timeoutMs, called).catch((error: Error) => {
    // The request fits into API Gateway's 10 MB and, with its envelope, not into Lambda's 6 MB.
    if (error instanceof AwsError && error.status === 413) return 'too long' as const;
    // As many calls as the function has reserved are running.
    if (error instanceof AwsError && error.status === 429) return 'timeout' as const;
    throw error;
  });
  if (result === 'too long') return failure(413, 'Request Too Long');
  if (result === 'timeout') return failure(503, 'Service Unavailable');
  if (result.functionError) return failure(500, 'Internal Server Error');
  try {
    return httpResponse(result.payload);
  } catch (error) {
    onWarning?.(`${method} /${segments.join('/')}: the function's answer is no response: ${(error as Error).message}`);
    return failure(500, 'Internal Server Error');
  }
}

/** What a request carries in the place where its authorizer looks for a token. */
function carriedToken(
  { authorizer: { identitySource } }: RouteAuthorization,
  headers: IncomingHttpHeaders,
  query: string,
): string | undefined {
  if (identitySource.in === 'querystring') return new URLSearchParams(query).get(identitySource.name) ?? undefined;
  const value = headers[identitySource.name.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

/** The decoded segments of a path, none for `/`; undefined when it is no path or not encoded properly. */
function decodeSegments(rawPath: string): string[] | undefined {
  if (!rawPath.startsWith('/')) return undefined;
  if (rawPath === '/') return [];
  try {
    return rawPath.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer | 'too long' | 'gone'> {
  return new Promise((resolve) => {
    if (request.destroyed) return resolve('gone');
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return resolve('too long');
    if (request.headers.expect !== undefined) response.writeContinue();
    const chunks: Buffer[] = [];
    let bytes = 0;
    const receive = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.off('data', receive);
      resolve('too long');
    };
    request.on('data', receive);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => resolve('gone'));
    request.once('close', () => resolve('gone'));
  });
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | 'timeout'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('timeout'), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function failure(status: number, message: string, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) };
}

function respond(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  if (response.headersSent || response.destroyed) return;
  const noBody = status === 204 || status === 304;
  response.writeHead(status, { ...headers, ...(noBody ? {} : { 'content-length': Buffer.byteLength(body) }) });
  response.end(noBody ? undefined : body);
}
