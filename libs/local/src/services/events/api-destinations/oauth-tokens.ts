import type { Clock } from '../../../core/clock.ts';
import type { OutgoingAnswer, SendRequest } from '../../../core/outgoing-http.ts';
import type { OAuthClient } from './authorization-parameters.ts';

/** A token is asked for anew when it is valid for less than this. */
const refreshAheadMs = 60_000;
const requestTimeoutMs = 5000;

/**
 * The access token of one connection. AWS does not document the request: it is that of RFC 6749, section 4.4, with the client's id
 * and secret in the body, or in the query string of a GET.
 */
export class OAuthToken {
  readonly #client: OAuthClient;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #send: SendRequest;
  #token: { value: string; expiresAt: number } | undefined;
  #asked: Promise<string> | undefined;

  constructor(client: OAuthClient, clock: Pick<Clock, 'now'>, send: SendRequest) {
    this.#client = client;
    this.#clock = clock;
    this.#send = send;
  }

  /**
   * The token that is known, or a new one: one request for all who ask at the same time.
   * @throws Error when there is none to be had; it names no secret
   */
  async get(): Promise<string> {
    if (this.#token && this.#token.expiresAt - refreshAheadMs > this.#clock.now()) return this.#token.value;
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  /** The endpoint did not take the token. */
  refused(): void {
    this.#token = undefined;
  }

  async #ask(): Promise<string> {
    const { endpoint, clientId, clientSecret, httpMethod, parameters } = this.#client;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    for (const { key, value } of parameters.body) form.set(key, value);
    const url = new URL(endpoint);
    for (const { key, value } of parameters.query) url.searchParams.set(key, value);
    if (httpMethod === 'GET') for (const [key, value] of form) url.searchParams.set(key, value);
    const answer = await this.#send({
      method: httpMethod,
      url,
      headers: {
        accept: 'application/json',
        ...(httpMethod === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...Object.fromEntries(parameters.headers.map(({ key, value }) => [key, value])),
      },
      body: httpMethod === 'GET' ? undefined : form.toString(),
      timeout: requestTimeoutMs,
    });
    const { value, lifetime } = readToken(answer);
    this.#token = { value, expiresAt: this.#clock.now() + lifetime };
    return value;
  }
}

function readToken({ status, body }: OutgoingAnswer): { value: string; lifetime: number } {
  if (status < 200 || status > 299) throw new Error(`the authorization endpoint answered ${status}`);
  let token: { access_token?: unknown; expires_in?: unknown };
  try {
    token = JSON.parse(body.toString()) ?? {};
  } catch {
    throw new Error('the authorization endpoint did not answer with JSON');
  }
  if (typeof token.access_token !== 'string') throw new Error('the authorization endpoint gave no access_token');
  const seconds = Number(token.expires_in);
  return { value: token.access_token, lifetime: seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY };
}
