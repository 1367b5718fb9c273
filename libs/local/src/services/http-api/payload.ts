import { randomBytes } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { type RouteMatch, STAGE } from './route.ts';

/** Bodies of other types, and of none, reach the function in base64, those of forms and of `application/problem+json` too. */
const TEXT = /^(text\/|application\/(json|xml|javascript) *(;|$))/i;
/** What belongs to the connection, or is said anew of the request as a whole. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'cookie',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-port',
  'x-forwarded-proto',
]);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Makes the event of payload format 2.0.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function requestEvent(
  request: HttpRequest,
  { route, pathParameters }: RouteMatch,
  accountId: string,
): { headers: Record<string, string>; [member: string]: unknown } {
  const sent = headerValues(request.rawHeaders);
  const headers = eventHeaders(sent, request);
  const cookies = (sent.get('cookie') ?? []).flatMap((cookie) => cookie.split(/; */)).filter((cookie) => cookie !== '');
  const query = queryParameters(request.rawQueryString);
  // A name has no port; on AWS it has none to begin with.
  const domainName = (headers.host ?? 'localhost').replace(/:\d+$/, '');
  const isText = TEXT.test(headers['content-type'] ?? '');
  return {
    version: '2.0',
    routeKey: route.routeKey,
    rawPath: request.path,
    rawQueryString: request.rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(query ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId,
      apiId: route.apiId,
      ...(request.caller ? { authorizer: { jwt: request.caller } } : {}),
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: route.routeKey,
      stage: STAGE,
      time: commonLogTime(new Date(request.timeEpoch)),
      timeEpoch: request.timeEpoch,
    },
    ...(Object.keys(pathParameters).length > 0 ? { pathParameters } : {}),
    ...(route.stageVariables ? { stageVariables: route.stageVariables } : {}),
    ...(request.body.length > 0 ? { body: request.body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: request.body.length > 0 && !isText,
  };
}

/** The values of each header by its name in lower case, in the order in which they came. */
function headerValues(rawHeaders: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = String(rawHeaders[index]).toLowerCase();
    values.set(name, [...(values.get(name) ?? []), String(rawHeaders[index + 1])]);
  }
  return values;
}

/** Repeated headers are joined by commas, whichever they are, and API Gateway adds its own. */
function eventHeaders(
  sent: ReadonlyMap<string, string[]>,
  { body, port, sourceIp, timeEpoch }: HttpRequest,
): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, values] of sent) if (!NOT_PASSED_ON.has(name)) headers[name] = values.join(',');
  return {
    ...headers,
    'content-length': String(body.length),
    'x-amzn-trace-id': headers['x-amzn-trace-id'] ?? traceId(timeEpoch),
    'x-forwarded-for': [...(sent.get('x-forwarded-for') ?? []), sourceIp].join(', '),
    'x-forwarded-port': String(port),
    'x-forwarded-proto': 'http',
  };
}

/** `Root=1-58406520-a006649127e371903a2de979`, https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function traceId(timeEpoch: number): string {
  const seconds = Math.floor(timeEpoch / 1000)
    .toString(16)
    .padStart(8, '0');
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')}`;
}

/** Repeated parameters are joined by commas. */
function queryParameters(rawQueryString: string): Record<string, string> | undefined {
  if (rawQueryString === '') return undefined;
  const parameters: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const earlier = parameters[name];
    parameters[name] = earlier === undefined ? value : `${earlier},${value}`;
  }
  return parameters;
}

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(date: Date): string {
  const [day, time] = date.toISOString().split(/[T.]/);
  const [year, month, dayOfMonth] = day?.split('-') ?? [];
  return `${dayOfMonth}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}

/**
 * Reads a function's answer in format 2.0: an object with a statusCode is a response, anything else is the body of a 200.
 *
 * @throws Error when API Gateway could not make a response of it, which the caller sees as a 500
 */
export function httpResponse(payload: string): HttpResponse {
  const answer: unknown = JSON.parse(payload);
  if (typeof answer !== 'object' || answer === null || !('statusCode' in answer)) {
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: typeof answer === 'string' ? answer : JSON.stringify(answer),
    };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = answer as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new Error(`statusCode ${statusCode} is not valid`);
  if (body !== undefined && body !== null && typeof body !== 'string') throw new Error('body is not a string');
  const text = body ?? '';
  const found = responseHeaders(headers);
  if (cookies !== undefined && cookies !== null) {
    if (!Array.isArray(cookies)) throw new Error('cookies is not a list');
    for (const cookie of cookies) validateHeaderValue('set-cookie', String(cookie));
    found['set-cookie'] = cookies.map(String);
  }
  if (text !== '') found['content-type'] ??= 'text/plain;charset=UTF-8';
  return { status, headers: found, body: isBase64Encoded === true ? Buffer.from(text, 'base64') : text };
}

/** What the server decides itself. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'trailer']);

function responseHeaders(headers: unknown): Record<string, string | string[]> {
  if (headers === undefined || headers === null) return {};
  if (typeof headers !== 'object' || Array.isArray(headers)) throw new Error('headers is not an object');
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && typeof value === 'object') throw new Error(`header ${name} is not text`);
    const text = String(value);
    validateHeaderName(name);
    validateHeaderValue(name, text);
    if (!HOP_BY_HOP.has(name.toLowerCase())) result[name.toLowerCase()] = text;
  }
  return result;
}
