import { TransientError } from '@millrace/errors';
import { type Logger, logger, nextTraceparent } from '@millrace/telemetry';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod';
import { type AnswerOnce, answerOnceByIdempotencyTable } from './idempotency.ts';
import { HttpError } from './problem.ts';
import { bodyText, correlationIdOf, idempotencyKeyOf, parseBody, parsePath } from './request.ts';

/** What an endpoint accepts. */
export interface EndpointContract<Path extends z.ZodType, Body extends z.ZodType> {
  path?: Path;
  /** Without it the endpoint takes no body. Use `z.strictObject`: unknown fields are mistakes. */
  body?: Body;
  /** Honour `Idempotency-Key`: the same key gives the same answer, and the handler runs once. */
  idempotent?: boolean;
}

/** A validated request. */
export interface EndpointRequest<Path, Body> {
  path: Path;
  body: Body;
  idempotencyKey?: string;
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
 * The Lambda handler of one HTTP API route (payload format 2.0): validates, calls `handle`, and answers JSON, or a
 * problem document (RFC 9457) for what `handle` and the validation throw.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function endpoint<Path extends z.ZodType = z.ZodUnknown, Body extends z.ZodType = z.ZodUnknown>(
  contract: EndpointContract<Path, Body>,
  handle: (request: EndpointRequest<z.output<Path>, z.output<Body>>) => Promise<EndpointResponse>,
  dependencies: { answerOnce?: AnswerOnce } = {},
): (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  const answerOnce = contract.idempotent ? (dependencies.answerOnce ?? answerOnceByIdempotencyTable()) : undefined;

  return async (event, context) => {
    const correlationId = correlationIdOf(event);
    const log = logger.createChild();
    log.appendKeys({ correlation_id: correlationId, route: event.routeKey });
    try {
      const path = parsePath(event, contract.path ?? z.unknown()) as z.output<Path>;
      const text = bodyText(event);
      // A client that must send something sends `{}` where no body is wanted; anything more would be lost in silence.
      if (!contract.body && text !== '') parseBody(text, z.strictObject({}));
      const body = (contract.body ? parseBody(text, contract.body) : undefined) as z.output<Body>;
      const idempotencyKey = answerOnce ? idempotencyKeyOf(event) : undefined;
      const request = {
        path,
        body,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        correlationId,
        traceparent: nextTraceparent(event.headers.traceparent),
        logger: log,
      };
      const answer = async () => json(await handle(request), correlationId);
      if (!answerOnce || idempotencyKey === undefined) return await answer();
      // The concrete path is part of the key: the same key for another resource is another request.
      return await answerOnce(
        `${event.requestContext.http.method} ${event.rawPath} ${idempotencyKey}`,
        text,
        context,
        answer,
      );
    } catch (error) {
      return problem(error, correlationId, log);
    }
  };
}

function json({ status, body, headers }: EndpointResponse, correlationId: string): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', 'x-correlation-id': correlationId, ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

function problem(error: unknown, correlationId: string, log: Logger): APIGatewayProxyStructuredResultV2 {
  const answer = httpErrorOf(error);
  if (answer.status >= 500) log.error('Request failed', { error: error as Error });
  else log.info('Request refused', { status: answer.status, error_code: answer.code });
  return {
    statusCode: answer.status,
    headers: {
      'content-type': 'application/problem+json',
      'x-correlation-id': correlationId,
      ...(answer.status === 503 ? { 'retry-after': '1' } : {}),
    },
    body: JSON.stringify(answer.problem),
  };
}

/** What went wrong inside is for the log, not for the caller. */
function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof TransientError) return new HttpError(503, error.code, 'Busy; try again in a moment');
  return new HttpError(500, 'INTERNAL_ERROR', 'The request could not be handled');
}
