import { randomUUID } from 'node:crypto';
import { isUnavailable, TransientError } from '@millrace/errors';
import { guard } from '@millrace/privacy';
import { redactionOf } from '@millrace/privacy/personal';
import { withinInvocation } from '@millrace/retry';
import { type Logger, logger, nextTraceparent } from '@millrace/telemetry';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod';
import { type Caller, callerOf, type HttpApiEvent } from './caller.ts';
import { type AnswerOnce, answerOnceByIdempotencyTable } from './idempotency.ts';
import { HttpError } from './problem.ts';
import { bodyText, clientCorrelationIdOf, idempotencyKeyOf, parseBody, parsePath, parseQuery } from './request.ts';
import { securityHeaders } from './security-headers.ts';

/** What an endpoint accepts. */
export interface EndpointContract<Path extends z.ZodType, Body extends z.ZodType, Query extends z.ZodType> {
  path?: Path;
  /** Without it the endpoint takes no query parameters. Use `z.strictObject`: unknown ones are mistakes. Every value is text. */
  query?: Query;
  /** Without it the endpoint takes no body. Use `z.strictObject`: unknown fields are mistakes. */
  body?: Body;
  /** Honour `Idempotency-Key`: the same key gives the same answer, and the handler runs once. */
  idempotent?: boolean;
  /** Larger bodies are refused before they are parsed. */
  maxBodyBytes?: number;
}

/** Unknown parameters are mistakes: ignored in silence, a misspelt filter would return everything. */
const noQuery = z.strictObject({});

/** A validated request. */
export interface EndpointRequest<Path, Body, Query = unknown> {
  caller: Caller;
  path: Path;
  query: Query;
  body: Body;
  idempotencyKey?: string;
  /** New for each request; the events that the request leads to carry it. */
  correlationId: string;
  traceparent: string;
  logger: Logger;
}

/** A 2xx answer: its status, an optional JSON body and headers. */
export interface EndpointResponse {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * The Lambda handler of one HTTP API route (payload format 2.0): identifies the caller, validates, calls `handle`, and
 * answers JSON, or a problem document (RFC 9457) for what `handle` and the validation throw. Every answer has the
 * security headers, unless `handle` sets one of them to something else, and the id of its request.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function endpoint<
  Path extends z.ZodType = z.ZodUnknown,
  Body extends z.ZodType = z.ZodUnknown,
  Query extends z.ZodType = z.ZodUnknown,
>(
  contract: EndpointContract<Path, Body, Query>,
  handle: (request: EndpointRequest<z.output<Path>, z.output<Body>, z.output<Query>>) => Promise<EndpointResponse>,
  dependencies: { answerOnce?: AnswerOnce } = {},
): (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  const answerOnce = contract.idempotent ? (dependencies.answerOnce ?? answerOnceByIdempotencyTable()) : undefined;
  const read = requestReader(contract);

  return answering(async (event, context, correlationId, log) => {
    const caller = callerOf(event);
    const { text, ...inputs } = read(event);
    const idempotencyKey = answerOnce ? idempotencyKeyOf(event) : undefined;
    const request = {
      ...{ caller, ...inputs, correlationId, logger: log },
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      traceparent: nextTraceparent(event.headers.traceparent),
    };
    const answer = async () => json(await handle(request), correlationId);
    if (!answerOnce || idempotencyKey === undefined) return answer();
    // The same key of another caller, or for another resource, is another request: the concrete path is part of it.
    const key = JSON.stringify([caller.subject, event.requestContext.http.method, event.rawPath, idempotencyKey]);
    return answerOnce(key, text, context, answer);
  });
}

/** A validated request to a route that anybody may call. */
export interface PublicRequest<Path, Body, Query = unknown>
  extends Omit<EndpointRequest<Path, Body, Query>, 'caller' | 'idempotencyKey'> {
  /** The page that the browser sends it from, as the header `Origin` has it; undefined outside a browser. */
  origin: string | undefined;
}

/**
 * As `endpoint`, for a route without an authorizer: it has no caller, and so no `Idempotency-Key` either. Whoever finds the
 * address calls it, so the handler decides what to refuse, and the route needs a limit of its own.
 * @example
 * export const handler = publicEndpoint({ body: viewsRequest, maxBodyBytes: 65_536 }, async ({ body }) => {
 *   await log.append(body);
 *   return { status: 202 };
 * });
 */
export function publicEndpoint<
  Path extends z.ZodType = z.ZodUnknown,
  Body extends z.ZodType = z.ZodUnknown,
  Query extends z.ZodType = z.ZodUnknown,
>(
  contract: Omit<EndpointContract<Path, Body, Query>, 'idempotent'>,
  handle: (request: PublicRequest<z.output<Path>, z.output<Body>, z.output<Query>>) => Promise<EndpointResponse>,
): (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  const read = requestReader(contract);
  return answering(async (event, _, correlationId, log) => {
    const { text: _text, ...inputs } = read(event);
    const { origin, traceparent } = event.headers;
    const request = { ...inputs, origin, correlationId, logger: log, traceparent: nextTraceparent(traceparent) };
    return json(await handle(request), correlationId);
  });
}

/** Reads and validates what a contract says of a request. */
function requestReader<Path extends z.ZodType, Body extends z.ZodType, Query extends z.ZodType>(
  contract: EndpointContract<Path, Body, Query>,
) {
  const bodyRedaction = redactionOf(contract.body ?? z.undefined());
  return (event: HttpApiEvent) => {
    const path = parsePath(event, contract.path ?? z.unknown()) as z.output<Path>;
    const query = parseQuery(event, contract.query ?? noQuery) as z.output<Query>;
    const text = bodyText(event, contract.maxBodyBytes);
    // A client that must send something sends `{}` where no body is wanted; anything more would be lost in silence.
    if (!contract.body && text !== '') parseBody(text, z.strictObject({}));
    const body = (contract.body ? parseBody(text, contract.body) : undefined) as z.output<Body>;
    guard(body, bodyRedaction); // for the logger
    return { path, query, body, text };
  };
}

/** The handler around `answerTo`: ids, logger, problem documents and security headers. */
function answering(
  answerTo: (event: HttpApiEvent, context: Context, correlationId: string, log: Logger) => Promise<Answer>,
): (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  return async (event, context) => {
    const { requestId } = event.requestContext;
    // Never the caller's: whoever may choose it could put an order into another one's lineage.
    const correlationId = randomUUID();
    const clientCorrelationId = clientCorrelationIdOf(event);
    const log = logger.createChild();
    log.appendKeys({
      ...{ request_id: requestId, correlation_id: correlationId, route: event.routeKey },
      ...(clientCorrelationId !== undefined && { client_correlation_id: clientCorrelationId }),
    });
    const { headers, ...answer } = await withinInvocation(context, () =>
      answerTo(event, context, correlationId, log),
    ).catch((error: unknown) => problem(error, requestId, correlationId, log));
    // A remembered answer is another request's, so the id is not part of it.
    return { ...answer, headers: { ...securityHeaders, ...headers, 'x-request-id': requestId } };
  };
}

type Answer = APIGatewayProxyStructuredResultV2;

function json({ status, body, headers }: EndpointResponse, correlationId: string): Answer {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', 'x-correlation-id': correlationId, ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

function problem(error: unknown, requestId: string, correlationId: string, log: Logger): Answer {
  const answer = httpErrorOf(error);
  if (answer.status >= 500) log.error('Request failed', { error: error as Error });
  else log.info('Request refused', { status: answer.status, error_code: answer.code });
  return {
    statusCode: answer.status,
    headers: {
      'content-type': 'application/problem+json',
      'x-correlation-id': correlationId,
      ...(answer.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(answer.retryAfterSeconds === undefined ? {} : { 'retry-after': String(answer.retryAfterSeconds) }),
    },
    body: JSON.stringify(answer.problem(requestId)),
  };
}

/** After how many seconds the same request may succeed: throttles and lost races are over in a moment. */
const RETRY_AFTER_SECONDS = 1;

/** What went wrong inside is for the log, not for the caller. */
function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const again = { retryAfterSeconds: RETRY_AFTER_SECONDS };
  const detail = 'Busy; try again in a moment';
  if (error instanceof TransientError) return new HttpError(503, error.code, detail, [], again);
  if (isUnavailable(error)) return new HttpError(503, 'TEMPORARILY_UNAVAILABLE', detail, [], again);
  return new HttpError(500, 'INTERNAL_ERROR', 'The request could not be handled');
}
