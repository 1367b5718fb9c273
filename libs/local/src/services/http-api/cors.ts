import type { IncomingHttpHeaders } from 'node:http';
import type { HttpResponse } from './http-message.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-api-cors.html */
interface CorsConfiguration {
  AllowCredentials?: unknown;
  AllowHeaders?: unknown[];
  AllowMethods?: unknown[];
  AllowOrigins?: unknown[];
  ExposeHeaders?: unknown[];
  MaxAge?: unknown;
}

const CORS_HEADERS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'access-control-max-age',
];

/**
 * What an API lets the pages of other origins do.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 */
export class Cors {
  readonly #origins: string[];
  readonly #everyAnswer: Record<string, string>;
  readonly #preflight: Record<string, string>;

  constructor(configuration: CorsConfiguration) {
    const { AllowCredentials, AllowHeaders, AllowMethods, AllowOrigins = [], ExposeHeaders, MaxAge } = configuration;
    this.#origins = AllowOrigins.map(String);
    this.#everyAnswer = {
      ...(String(AllowCredentials) === 'true' ? { 'access-control-allow-credentials': 'true' } : {}),
      ...listHeader('access-control-expose-headers', ExposeHeaders),
    };
    this.#preflight = {
      ...listHeader('access-control-allow-methods', AllowMethods),
      ...listHeader('access-control-allow-headers', AllowHeaders),
      ...(MaxAge === undefined ? {} : { 'access-control-max-age': String(MaxAge) }),
    };
  }

  /** True for an origin whose pages may call the API. */
  allows(origin: string): boolean {
    return this.#allowed(origin) !== undefined;
  }

  /** The answer to an OPTIONS request that no route takes: it says what is allowed if the request asks for that. */
  answerPreflight(headers: IncomingHttpHeaders): HttpResponse {
    return this.apply(headers, { status: 204, headers: {}, body: '' });
  }

  /** Puts the API's headers in the place of those that a function has answered with. */
  apply(request: IncomingHttpHeaders, answer: HttpResponse): HttpResponse {
    const others = Object.entries(answer.headers).filter(([name]) => !CORS_HEADERS.includes(name));
    return { ...answer, headers: { ...Object.fromEntries(others), ...this.#headersFor(request) } };
  }

  #headersFor(request: IncomingHttpHeaders): Record<string, string> {
    const { origin } = request;
    const isPreflight = request['access-control-request-method'] !== undefined;
    const allowed = origin === undefined ? undefined : this.#allowed(origin);
    if (allowed === undefined) return {};
    return {
      'access-control-allow-origin': allowed,
      ...this.#everyAnswer,
      ...(isPreflight ? this.#preflight : {}),
    };
  }

  /** What stands in Access-Control-Allow-Origin for an origin. `https://*` is every origin with that scheme. */
  #allowed(origin: string): string | undefined {
    if (this.#origins.includes('*')) return '*';
    const matches = (pattern: string): boolean =>
      pattern.endsWith('://*') ? origin.startsWith(pattern.slice(0, -1)) : origin === pattern;
    return this.#origins.some(matches) ? origin : undefined;
  }
}

function listHeader(name: string, values: unknown[] | undefined): Record<string, string> {
  return values === undefined || values.length === 0 ? {} : { [name]: values.join(',') };
}
