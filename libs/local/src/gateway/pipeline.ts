import { Readable } from 'node:stream';
import type { Caller } from '@millrace/iam-policy';
import type { Authorizer } from '../core/authorizer.ts';
import { AwsError } from '../core/aws-error.ts';
import { HttpAnswer, type HttpRequest } from '../core/http-message.ts';
import { isSessionKey } from '../core/identities.ts';
import type { AwsService, RunningService } from '../core/service.ts';
import type { Usage } from '../core/usage.ts';
import { checkEncoding, credentialOf, targetOf, urlOf } from './http-request.ts';
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

/** A request that has come, over HTTP or from a function of this process. */
export interface Arrival extends Omit<HttpRequest, 'url' | 'body'> {
  /** @throws AwsError for a body that cannot be read */
  readBody(): Promise<Buffer>;
  /** The service that it is for, where that is known without its signature. */
  service?: string | undefined;
  /** The function that has sent it, where that is known without its signature. */
  functionName?: string | undefined;
}

/** An answer, and the service that it is of where that is known. */
export interface Answered {
  answer: HttpAnswer;
  service?: AwsService | undefined;
}

/**
 * The way of every request: it is read, its caller is identified and authorized, the service is called, the call is metered.
 *
 * @returns the answer in the protocol of the request, also when it is an error
 */
export async function answerArrival(arrival: Arrival, parts: GatewayParts): Promise<Answered> {
  let service: AwsService | undefined;
  try {
    const url = urlOf(arrival.target);
    if (!url) throw new AwsError('BadRequest', 'The target of the request is not a path');
    if (isLocalPath(url)) return { answer: await parts.local.answer(await requestOf(arrival, url)) };
    const credential = credentialOf(arrival.headers, url);
    const found = find(arrival, url, credential.service ?? arrival.service, parts.services);
    service = found.service;
    // Not before the service is known: its clients read the error in its own form.
    checkEncoding(url);
    const request = await requestOf(arrival, url, service);
    return {
      answer: await call(found, request, { ...credential, functionName: arrival.functionName }, parts),
      service,
    };
  } catch (error) {
    return { answer: errorAnswer(error, service, arrival), service };
  }
}

/** What tells who has sent a request. */
interface Sender {
  functionName: string | undefined;
  accessKeyId?: string;
}

async function call(
  { service, running }: ServiceOnPort,
  request: HttpRequest,
  sender: Sender,
  { callerOf, authorizer, usage }: GatewayParts,
): Promise<HttpAnswer> {
  const protocol = protocolOf(service, request.headers);
  const read = await (service.read?.(request, running.handle) ?? protocol.read(request, service));
  const { operation, input } = read;
  const accessKeyId = keyOf(sender, read.accessKeyId ?? sender.accessKeyId);
  const caller = callerOf(accessKeyId);
  authorizer.authorize(accessKeyId, { service: service.name, operation, input });
  // Only what functions do is part of the bill, not what operators do.
  const { functionName } = caller;
  const isMetered = usage !== undefined && functionName !== undefined && running.meter !== undefined;
  const output = await running.api?.({ operation, input, caller, accessKeyId, request, isMetered });
  if (usage && functionName !== undefined) running.meter?.(usage, { operation, input, output, functionName });
  return output instanceof HttpAnswer ? output : protocol.answer(output, operation, request, service);
}

/** Over HTTP the signature tells who calls. A function that is known can be nobody else, but for a role that it has assumed. */
function keyOf({ functionName }: Sender, signedWith: string | undefined): string | undefined {
  return functionName === undefined || isSessionKey(signedWith) ? signedWith : functionName;
}

async function requestOf(arrival: Arrival, url: URL, service?: AwsService): Promise<HttpRequest> {
  const { id, method, target, headers, sourceIp, signal } = arrival;
  const body = service?.streamsBody ? Buffer.alloc(0) : await arrival.readBody();
  return {
    ...{ id, method, target, url, headers, body, sourceIp, signal },
    get content() {
      return arrival.content;
    },
  };
}

/** @param signed the service that the request is signed for, or says that it is for */
function find(
  { method, headers }: Arrival,
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
export function errorAnswer(
  error: unknown,
  service: AwsService | undefined,
  { id, target, headers }: Pick<Arrival, 'id' | 'target' | 'headers'>,
): HttpAnswer {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
  return protocolOf(service, headers).error(known, headers, { id, target });
}

/** The headers of an answer, with those that every one has. */
export function headersOf({ status, headers, body }: HttpAnswer, { id }: Pick<Arrival, 'id'>): HttpAnswer['headers'] {
  const hasLength = !(body instanceof Readable) && status !== 204 && status !== 304;
  // An answer to HEAD has the length of what it does not carry.
  return { 'x-amzn-requestid': id, ...(hasLength && { 'content-length': `${Buffer.byteLength(body)}` }), ...headers };
}
