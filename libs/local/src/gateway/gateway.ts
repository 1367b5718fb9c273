import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Caller } from '@millrace/iam-policy';
import type { Authorizer } from '../core/authorizer.ts';
import { AwsError } from '../core/aws-error.ts';
import { createGuardedServer } from '../core/guarded-server.ts';
import { HttpAnswer, type HttpRequest } from '../core/http-message.ts';
import type { AwsService, RunningService } from '../core/service.ts';
import type { Usage } from '../core/usage.ts';
import { checkEncoding, credentialOf, readBody, targetOf, urlOf } from './http-request.ts';
import { isLocalPath, type LocalRoutes } from './local-routes.ts';
import { protocolOf } from './protocols/index.ts';

/** A service that requests can be sent to. */
export interface ServiceOnPort {
  service: AwsService;
  running: Pick<RunningService<unknown>, 'handle' | 'api' | 'meter'>;
}

/** What the port leads to. */
export interface GatewayParts {
  services: readonly ServiceOnPort[];
  callerOf: (accessKeyId: string | undefined) => Caller;
  authorizer: Pick<Authorizer, 'authorize'>;
  /** Calls of functions are counted; nothing is counted without it. */
  usage?: Usage | undefined;
  local: LocalRoutes;
}

/**
 * The AWS APIs on one port, for any SDK and the AWS CLI. Each request takes the same way: it is read, its caller is identified and
 * authorized, the service is called, the call is metered, the answer is written.
 *
 * @param parts requests that come before they are ready wait for them
 * @example
 * const gateway = createGateway(Promise.resolve({ services, callerOf, authorizer, local }));
 * await listenOnLoopback(gateway, 4566);
 */
export function createGateway(parts: Promise<GatewayParts>): Server {
  const server = createGuardedServer(
    (message, response) => {
      const id = randomUUID();
      response.setHeader('x-amzn-requestid', id);
      const closed = new AbortController();
      response.on('close', () => closed.abort());
      const answered = parts.then(async (ready) => {
        const { answer, service } = await answerMessage(message, { id, signal: closed.signal }, ready);
        await write(response, answer, message, service);
      });
      answered.catch((error: unknown) => {
        // Before the parts are ready, or while the answer was written.
        if (response.headersSent) response.destroy();
        else void write(response, errorAnswer(error, undefined, message, id));
      });
    },
    { speaksHttp2: true },
  );
  // Longer than the SDKs keep a connection, so that none is closed under a request that is being sent.
  server.keepAliveTimeout = 65_000;
  return server;
}

/** What is known of a request before it is read. */
type Connection = Pick<HttpRequest, 'id' | 'signal'>;

async function answerMessage(
  message: IncomingMessage,
  connection: Connection,
  parts: GatewayParts,
): Promise<{ answer: HttpAnswer; service?: AwsService | undefined }> {
  let service: AwsService | undefined;
  try {
    const url = urlOf(message);
    if (!url) throw new AwsError('BadRequest', 'The target of the request is not a path');
    if (isLocalPath(url)) return { answer: await parts.local.answer(await requestOf(message, url, connection)) };
    const credential = credentialOf(message, url);
    const found = find(message, url, credential.service, parts.services);
    service = found.service;
    // Not before the service is known: its clients read the error in its own form.
    checkEncoding(url);
    const request = await requestOf(message, url, connection, service);
    return { answer: await call(found, request, credential.accessKeyId, parts), service };
  } catch (error) {
    return { answer: errorAnswer(error, service, message, connection.id), service };
  }
}

/** The way of every request to a service. */
async function call(
  { service, running }: ServiceOnPort,
  request: HttpRequest,
  signedWith: string | undefined,
  { callerOf, authorizer, usage }: GatewayParts,
): Promise<HttpAnswer> {
  const protocol = protocolOf(service, request.headers);
  const read = await (service.read?.(request, running.handle) ?? protocol.read(request, service));
  const { operation, input, accessKeyId = signedWith } = read;
  const caller = callerOf(accessKeyId);
  authorizer.authorize(accessKeyId, { service: service.name, operation, input });
  // Only what functions do is part of the bill, not what operators do.
  const { functionName } = caller;
  const isMetered = usage !== undefined && functionName !== undefined && running.meter !== undefined;
  const output = await running.api?.({ operation, input, caller, accessKeyId, request, isMetered });
  if (usage && functionName !== undefined) running.meter?.(usage, { operation, input, output, functionName });
  return output instanceof HttpAnswer ? output : protocol.answer(output, operation, request, service);
}

async function requestOf(
  message: IncomingMessage,
  url: URL,
  connection: Connection,
  service?: AwsService,
): Promise<HttpRequest> {
  const { method = 'GET', url: target = '/', headers } = message;
  const body = service?.streamsBody ? Buffer.alloc(0) : await readBody(message);
  return { ...connection, method, target, url, headers, body, message };
}

/** @param signed the service that the request is signed for */
function find(
  { method = 'GET', headers }: IncomingMessage,
  url: URL,
  signed: string | undefined,
  services: readonly ServiceOnPort[],
): ServiceOnPort {
  const addressable = services.filter(({ service }) => service.protocols !== undefined);
  if (signed !== undefined) {
    const found = addressable.find(({ service }) => service.name === signed);
    if (found) return found;
    throw new AwsError('UnknownService', `The service "${signed}" is not available on this machine`, 501);
  }
  const prefix = targetOf(headers)?.prefix;
  const found = addressable.find(
    ({ service }) =>
      (prefix !== undefined && service.targets?.includes(prefix)) || service.takesUnsigned?.({ method, url, headers }),
  );
  if (found) return found;
  checkEncoding(url);
  throw new AwsError(
    'MissingAuthenticationToken',
    'The request is not signed, so it does not say which AWS service it is for. See /_local/ for what is here',
    403,
  );
}

/** The error in the form that the request's protocol has for it. */
function errorAnswer(
  error: unknown,
  service: AwsService | undefined,
  { url: target = '/', headers }: IncomingMessage,
  id: string,
): HttpAnswer {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
  return protocolOf(service, headers).error(known, headers, { id, target });
}

async function write(
  response: ServerResponse,
  { status, headers, body }: HttpAnswer,
  message?: IncomingMessage,
  service?: AwsService,
): Promise<void> {
  if (typeof body === 'function') {
    body(response);
    return;
  }
  // A body that nobody has read would be taken for the next request of the connection.
  if (service?.streamsBody) message?.resume();
  if (body instanceof Readable) {
    response.writeHead(status, headers);
    await pipeline(body, response);
    return;
  }
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  // An answer to HEAD has the length of what it does not carry.
  response.writeHead(status, { ...length, ...headers }).end(body);
}
