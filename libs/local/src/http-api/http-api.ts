import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { InvocationResult } from '../lambda/function-pool.ts';
import { listenOnLoopback } from '../port.ts';
import { type HttpResponse, httpResponse, requestEvent } from './payload.ts';
import { type Route, RouteTable } from './route.ts';

/** A resource of a stack, its properties resolved: no intrinsic function is left in them. */
export interface ResolvedResource {
  logicalId: string;
  physicalId: string;
  type: string;
  properties: Record<string, unknown>;
}

export interface HttpApiOptions {
  /** 0 for a free one. */
  port: number;
  accountId: string;
  services: { name: string; resources: ResolvedResource[] }[];
  /** Calls a function with an event in JSON. */
  invoke: (functionArn: string, payload: string) => Promise<InvocationResult>;
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
const INTEGRATION_TIMEOUT_MS = 30_000;
const STOP_WITHIN_MS = 5_000;

/**
 * Serves the HTTP APIs (AWS::ApiGatewayV2) of all services on one port of the loopback interface, their routes merged by path.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
 * @throws RouteCollisionError naming both services when two declare the same route; Error naming the route and what is wrong with it;
 *   PortTakenError
 */
export async function startHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const routes = options.services.flatMap(({ name, resources }) => routesOf(name, resources, options.onWarning));
  const table = new RouteTable(routes);
  let underWay = 0;
  let stopping = false;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      // A connection that is kept alive would keep the server from closing.
      if (stopping && underWay === 0) server.closeAllConnections();
    });
    answer(request, response, table, options).catch((error: Error) => {
      options.onWarning?.(`${request.method} ${request.url}: ${error.message}`);
      respond(response, failure(500, 'Internal Server Error'));
    });
  };
  const server = createServer(handle);
  // A client that asks before it sends a body gets the refusal at once, and never sends it.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length'] ?? 0) <= BODY_LIMIT_BYTES) response.writeContinue();
    handle(request, response);
  });
  const port = await listenOnLoopback(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
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

function routesOf(service: string, resources: ResolvedResource[], onWarning?: (message: string) => void): Route[] {
  const integrations = new Map(
    resources
      .filter(({ type }) => type === 'AWS::ApiGatewayV2::Integration')
      .map((resource) => [resource.physicalId, resource]),
  );
  for (const { type, logicalId, properties } of resources) {
    if (type === 'AWS::ApiGatewayV2::Api' && properties.CorsConfiguration) {
      onWarning?.(`${service}: CorsConfiguration of ${logicalId} has no effect here`);
    }
  }
  return resources
    .filter(({ type }) => type === 'AWS::ApiGatewayV2::Route')
    .map(({ logicalId, properties }) => {
      const integration = integrations.get(String(properties.Target).replace(/^integrations\//, ''))?.properties;
      const functionArn = /arn:aws[^:]*:lambda:[^:]*:\d+:function:[^/:]+/.exec(
        String(integration?.IntegrationUri),
      )?.[0];
      if (integration?.IntegrationType !== 'AWS_PROXY' || functionArn === undefined) {
        throw new Error(
          `${service}: ${logicalId} (${properties.RouteKey}) has no AWS_PROXY integration with a function`,
        );
      }
      if (integration.PayloadFormatVersion !== '2.0') {
        throw new Error(`${service}: ${logicalId} (${properties.RouteKey}) must have payload format 2.0`);
      }
      return {
        routeKey: String(properties.RouteKey),
        service,
        apiId: String(properties.ApiId),
        functionArn,
        timeoutMs: Number(integration.TimeoutInMillis ?? INTEGRATION_TIMEOUT_MS),
      };
    });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  table: RouteTable,
  { accountId, invoke, onWarning }: HttpApiOptions,
): Promise<void> {
  const timeEpoch = Date.now();
  const requestId = randomUUID();
  response.setHeader('apigw-requestid', requestId);
  const [rawPath = '', ...query] = (request.url ?? '').split('?');
  const segments = decodeSegments(rawPath);
  if (!segments) return respond(response, failure(400, 'Bad Request'));

  const body = await readBody(request);
  if (body === 'gone') return;
  if (body === 'too long') {
    // What is still on its way is read and thrown away, so that the client gets to see the answer before the connection ends.
    request.resume();
    response.setHeader('connection', 'close');
    return respond(response, failure(413, 'Request Too Long'));
  }
  const method = request.method ?? '';
  const match = table.match(method, segments);
  if (!match) return respond(response, failure(404, 'Not Found'));

  const event = requestEvent(
    {
      requestId,
      method,
      path: `/${segments.join('/')}`,
      rawQueryString: query.join('?'),
      protocol: `HTTP/${request.httpVersion}`,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      headers: request.headers,
      body,
      timeEpoch,
    },
    match,
    accountId,
  );
  const result = await within(match.route.timeoutMs, invoke(match.route.functionArn, JSON.stringify(event))).catch(
    (error: Error) => {
      // The request fits into API Gateway's 10 MB and, with its envelope, not into Lambda's 6 MB.
      if (error instanceof AwsError && error.status === 413) return 'too long' as const;
      throw error;
    },
  );
  if (result === 'too long') return respond(response, failure(413, 'Request Too Long'));
  if (result === 'timeout') return respond(response, failure(503, 'Service Unavailable'));
  if (result.functionError) return respond(response, failure(500, 'Internal Server Error'));
  try {
    respond(response, httpResponse(result.payload));
  } catch (error) {
    onWarning?.(`${method} ${rawPath}: the function's answer is no response: ${(error as Error).message}`);
    respond(response, failure(500, 'Internal Server Error'));
  }
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

function readBody(request: IncomingMessage): Promise<Buffer | 'too long' | 'gone'> {
  return new Promise((resolve) => {
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return resolve('too long');
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

function failure(status: number, message: string): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}

function respond(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  if (response.headersSent || response.destroyed) return;
  const noBody = status === 204 || status === 304;
  response.writeHead(status, { ...headers, ...(noBody ? {} : { 'content-length': Buffer.byteLength(body) }) });
  response.end(noBody ? undefined : body);
}
