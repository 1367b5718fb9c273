import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { registerHooks } from 'node:module';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type HttpResponse, httpTransport, processTransport, type Transport } from '@millrace/aws/transport';
import type { AwsPort } from './aws-port.ts';
import { PortClientRequest, type RequestParameters } from './port-client-request.ts';
import { fetchThroughPort } from './port-fetch.ts';
import { type IsRuntime, isSignature, runtimeAt } from './runtime-requests.ts';

/**
 * Leads the requests of AWS clients to the runtime through the container's port: those of @millrace/aws, and what others, such as the
 * SDK, send signed by node:http or `fetch`. All other requests take the way that they take without it.
 *
 * @param awsUrl origin of the runtime's AWS APIs
 * @param current the port of the container whose code runs; over HTTP goes what is sent without one
 */
export function leadThroughPort(awsUrl: string, current: () => AwsPort | undefined): void {
  const isRuntime = runtimeAt(awsUrl);
  const transport: Transport = (request, limits) => {
    const aws = request.protocol === 'http:' && isRuntime(request.hostname, request.port) ? current() : undefined;
    return aws ? throughPort(aws, request, limits) : httpTransport(request, limits);
  };
  Object.assign(globalThis, { [processTransport]: transport, fetch: fetchThroughPort(current, isRuntime, fetch) });

  // Not before the function asks for it: node:http takes 6 MB of each thread, and clients of @millrace/aws do without.
  let isIntercepted = false;
  registerHooks({
    resolve: (specifier, context, next) => {
      if (!isIntercepted && (specifier === 'node:http' || specifier === 'http')) {
        isIntercepted = true;
        interceptHttp(isRuntime, current);
      }
      return next(specifier, context);
    },
  });
}

/** Replaces `request` and `get` of node:http. */
function interceptHttp(isRuntime: IsRuntime, current: () => AwsPort | undefined): void {
  const http = process.getBuiltinModule('node:http');
  const { request: overHttp } = http;
  const request = (...given: Parameters<typeof overHttp>): ClientRequest => {
    const read = readParameters(given);
    const isOurs = read && isRuntime(read.url.hostname, read.url.port) && isSigned(read.options);
    const aws = isOurs ? current() : undefined;
    return aws && read ? (new PortClientRequest(aws, read) as unknown as ClientRequest) : overHttp(...given);
  };
  const get = (...given: Parameters<typeof overHttp>): ClientRequest => {
    const sent = request(...given);
    sent.end();
    return sent;
  };
  Object.assign(http, { request, get });
}

/** Sends a request of @millrace/aws. It needs no signature, unless it is sent with other credentials than the function's. */
async function throughPort(
  aws: AwsPort,
  request: Parameters<Transport>[0],
  { responseMs }: Parameters<Transport>[1],
): Promise<HttpResponse> {
  const { method, service, path: target, body } = request;
  const headers = request.accessKeyId === process.env.AWS_ACCESS_KEY_ID ? request.unsignedHeaders : request.headers;
  const sent = aws.send({ method, service, target, headers, body });
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`AWS did not give an answer within ${responseMs} ms`);
    error.name = 'TimeoutError';
    sent.cancel(error);
    reject(error);
  }, responseMs);
  try {
    const answer = await Promise.race([sent.answer, tooLate]);
    const whole = answer.body instanceof Readable ? await Promise.race([buffer(answer.body), tooLate]) : answer.body;
    return { statusCode: answer.status, headers: answer.headers, body: whole };
  } finally {
    clearTimeout(timer);
  }
}

/** @returns undefined for what node:http itself has to judge */
function readParameters(given: unknown[]): RequestParameters | undefined {
  const onResponse = given.find((each) => typeof each === 'function') as
    | ((response: IncomingMessage) => void)
    | undefined;
  const [first, second] = given;
  const isUrl = typeof first === 'string' || first instanceof URL;
  const options = ((isUrl ? second : first) ?? {}) as RequestOptions;
  if (typeof options !== 'object' || options.socketPath) return undefined;
  const { hostname, host = 'localhost', port, path = '/' } = options;
  const url = isUrl ? URL.parse(String(first)) : URL.parse(`http://${hostname ?? host}:${port ?? 80}${path}`);
  if (url?.protocol !== 'http:') return undefined;
  return { url, path: isUrl ? `${url.pathname}${url.search}` : String(path), options, onResponse };
}

function isSigned({ headers = {} }: RequestOptions): boolean {
  if (Array.isArray(headers)) return false;
  return Object.entries(headers).some(([name, value]) => name.toLowerCase() === 'authorization' && isSignature(value));
}
