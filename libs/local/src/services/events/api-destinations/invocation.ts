import { JsonObject, jsonText, parseJson } from '@millrace/event-pattern';
import type { Clock } from '../../../core/clock.ts';
import { DeliveryError, type HttpTargetParameters } from '../../../core/delivery.ts';
import {
  type OutgoingAnswer,
  OutgoingError,
  type OutgoingRequest,
  type SendRequest,
} from '../../../core/outgoing-http.ts';
import type { ApiDestination, ApiDestinations } from './api-destinations.ts';
import type { Authorization, HttpParameter } from './authorization-parameters.ts';
import type { Connection } from './connections.ts';
import { RateLimit } from './rate-limit.ts';

const timeoutMs = 5000;

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html: errors that are retried, with 5xx */
const retriedStatuses = new Set([401, 407, 409, 429]);

/** What each request has, and no parameter changes. Same page. */
const fixedHeaders = {
  'User-Agent': 'Amazon/EventBridge/ApiDestinations',
  Range: 'bytes=0-1048575',
  'Accept-Encoding': 'gzip,deflate',
  Connection: 'close',
};
/** Those that are set by what is sent. */
const ownHeaders = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  ...Object.keys(fixedHeaders).map((name) => name.toLowerCase()),
]);
const withoutBody = new Set(['GET', 'HEAD']);

export interface InvocationOptions {
  httpParameters?: HttpTargetParameters | undefined;
  /** When the event is too old, in milliseconds since the epoch. */
  deadline?: number | undefined;
}

/** Calls API destinations, no more often than their rates allow. */
export class Invocations {
  readonly #destinations: ApiDestinations;
  readonly #clock: Clock;
  readonly #send: SendRequest;
  /** By the ARN of the API destination. */
  readonly #limits = new Map<string, RateLimit>();
  readonly #closing = new AbortController();

  constructor(destinations: ApiDestinations, clock: Clock, send: SendRequest) {
    this.#destinations = destinations;
    this.#clock = clock;
    this.#send = send;
  }

  /**
   * Sends one event.
   * @returns the body of the answer
   * @throws DeliveryError
   */
  async invoke(arn: string, payload: string, options: InvocationOptions): Promise<string> {
    const { destination, connection } = this.#ready(arn);
    const limit = this.#limits.get(arn) ?? new RateLimit(this.#clock);
    this.#limits.set(arn, limit);
    const { deadline = Number.MAX_SAFE_INTEGER } = options;
    if (!(await limit.take(destination.rateLimit, deadline, this.#closing.signal))) {
      throw failed(
        `The rate of ${destination.rateLimit} invocations per second was reached`,
        true,
        undefined,
        'THROTTLING',
      );
    }
    const request = await requestOf(destination, connection, payload, options.httpParameters ?? {});
    const answer = await this.#answer(request);
    if (answer.status === 401 || answer.status === 407) connection.token?.refused();
    check(answer, this.#clock.now());
    return answer.body.toString();
  }

  /** Lets nothing wait any longer. */
  close(): void {
    this.#closing.abort(new Error('EventBridge ends'));
  }

  #ready(arn: string): { destination: ApiDestination; connection: Connection } {
    const destination = this.#destinations.find(arn);
    if (!destination) throw new DeliveryError('NO_RESOURCE', `${arn} does not exist`, false);
    const connection = this.#destinations.connectionOf(destination);
    if (!connection) throw failed('The connection does not exist', false);
    if (connection.state === 'AUTHORIZED') return { destination, connection };
    const isUnderWay = connection.state === 'AUTHORIZING';
    throw failed(`The connection ${connection.name} is in the state ${connection.state}`, isUnderWay);
  }

  async #answer(request: OutgoingRequest): Promise<OutgoingAnswer> {
    try {
      return await this.#send(request);
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error;
      if (error.reason === 'timeout')
        throw failed('Timeout calling endpoint for API Destination', true, undefined, 'TIMEOUT');
      if (error.reason === 'forbidden') throw failed(`${error.message}`, false);
      throw failed(`API destination endpoint cannot be reached: ${error.message}`, true);
    }
  }
}

async function requestOf(
  { endpoint, httpMethod }: ApiDestination,
  { parameters, token }: Connection,
  payload: string,
  target: HttpTargetParameters,
): Promise<OutgoingRequest> {
  if (!parameters) throw failed('The connection has no authorization', false);
  const { authorization, invocation } = parameters;
  const authorized = await authorizationHeader(authorization, () => token?.get());
  const body = withoutBody.has(httpMethod) ? undefined : withMembers(payload, invocation.body);
  return {
    method: httpMethod,
    url: urlOf(endpoint, target, invocation.query),
    headers: {
      // The connection's headers come after the target's: they take precedence.
      ...headersOf([
        ...(body === undefined ? [] : [{ key: 'Content-Type', value: 'application/json; charset=utf-8' }]),
        ...entries(target.HeaderParameters),
        ...invocation.headers,
        authorized,
      ]),
      ...fixedHeaders,
      ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    },
    body,
    timeout: timeoutMs,
  };
}

async function authorizationHeader(
  authorization: Authorization,
  token: () => Promise<string> | undefined,
): Promise<HttpParameter> {
  switch (authorization.type) {
    case 'BASIC': {
      const { username, password } = authorization;
      const value = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      return { key: 'Authorization', value };
    }
    case 'API_KEY':
      return { key: authorization.name, value: authorization.value };
    case 'OAUTH_CLIENT_CREDENTIALS':
      try {
        return { key: 'Authorization', value: `Bearer ${await token()}` };
      } catch (error) {
        throw failed(`No access token: ${error instanceof Error ? error.message : error}`, true);
      }
  }
}

/** Later ones replace earlier ones, whatever their case. */
function headersOf(parameters: readonly HttpParameter[]): Record<string, string> {
  const named = new Map<string, HttpParameter>();
  for (const parameter of parameters) {
    const name = parameter.key.toLowerCase();
    if (!ownHeaders.has(name)) named.set(name, parameter);
  }
  return Object.fromEntries([...named.values()].map(({ key, value }) => [key, value]));
}

/** The endpoint with its wildcards filled in and with the parameters of its query string: the connection's take precedence. */
function urlOf(endpoint: string, target: HttpTargetParameters, query: readonly HttpParameter[]): URL {
  const values = [...(target.PathParameterValues ?? [])];
  const [path = '', ...rest] = endpoint.split('?');
  const filled = path.replaceAll('*', () => {
    const value = values.shift();
    if (value === undefined)
      throw failed('A path parameter of the endpoint has no value', false, undefined, 'INVALID_PARAMETER');
    return encodeURIComponent(value);
  });
  const url = new URL([filled, ...rest].join('?'));
  for (const { key, value } of [...entries(target.QueryStringParameters), ...query]) url.searchParams.set(key, value);
  return url;
}

function entries(parameters: Readonly<Record<string, string>> = {}): HttpParameter[] {
  return Object.entries(parameters).map(([key, value]) => ({ key, value }));
}

/** A JSON object with further members, which take the place of its own of the same name. Any other payload is left as it is. */
function withMembers(payload: string, members: readonly HttpParameter[]): string {
  if (members.length === 0) return payload;
  let node: unknown;
  try {
    node = parseJson(payload);
  } catch {
    return payload;
  }
  if (!(node instanceof JsonObject)) return payload;
  const names = new Set(members.map(({ key }) => key));
  const own = node.members.filter(([name]) => !names.has(name));
  const all = [
    ...own.map(([name, value]) => [name, jsonText(value)]),
    ...members.map(({ key, value }) => [key, JSON.stringify(value)]),
  ];
  return `{${all.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** @throws DeliveryError for anything but a status of 200 to 299 */
function check({ status, headers }: OutgoingAnswer, now: number): void {
  if (status >= 200 && status <= 299) return;
  const retryAfter = readRetryAfter(headers['retry-after'], now);
  const isRetried = (retriedStatuses.has(status) || status >= 500) && (retryAfter ?? 0) >= 0;
  throw failed(`API destination endpoint returned HTTP status code ${status}`, isRetried, retryAfter);
}

/** Milliseconds; negative when the endpoint wants no further request. */
function readRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const seconds = Number(header);
  if (!Number.isNaN(seconds)) return seconds * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}

function failed(reason: string, isRetryable: boolean, retryAfter?: number, code = 'SDK_CLIENT_ERROR'): DeliveryError {
  return new DeliveryError(code, `Unable to invoke ApiDestination endpoint: ${reason}.`, isRetryable, retryAfter);
}
