import { randomUUID } from 'node:crypto';
import { type JSONWebKeySet, SignJWT } from 'jose';
import type { Clock } from '../../core/clock.ts';
import { SIGNING_ALGORITHM, type SigningKey } from './signing-key.ts';
import { readTokenRequest, type TokenRequest, TokenRequestError } from './token-request.ts';

export interface IssuerOptions {
  /** What its tokens say in `iss`. */
  issuer: string;
  /** What its tokens say in `aud`. */
  audiences: readonly string[];
  key: SigningKey;
  /** Where it answers, e.g. http://127.0.0.1:4566/_local/issuer: the discovery document leads there, whatever `issuer` says. */
  url: string;
  clock: Pick<Clock, 'now'>;
}

/** A request to an issuer. */
export interface IssuerRequest {
  method: string;
  /** Below the issuer's URL, e.g. `/token`. */
  path: string;
  body: string;
}

/** What it is answered with: the body is sent as JSON. */
export interface IssuerAnswer {
  status: number;
  body: unknown;
}

/**
 * Signs tokens for anybody who asks: it stands in for the issuer that templates name, on one machine. Its public side is OpenID Connect's.
 *
 * https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export class Issuer {
  readonly #options: IssuerOptions;
  /** The keys that its tokens can be verified with. */
  readonly keys: JSONWebKeySet;

  constructor(options: IssuerOptions) {
    this.#options = options;
    this.keys = { keys: [options.key.publicJwk] };
  }

  /** @returns 400 with the field's name for a token request that is not valid, 404 for what is not here */
  async answer({ method, path, body }: IssuerRequest): Promise<IssuerAnswer> {
    switch (`${method} ${path}`) {
      case 'GET /.well-known/openid-configuration':
        return { status: 200, body: this.#configuration() };
      case 'GET /.well-known/jwks.json':
        return { status: 200, body: this.keys };
      case 'POST /token':
        return this.#answerToken(body);
      default:
        return {
          status: 404,
          body: {
            message: `There is no ${method} ${path} here, only POST /token, GET /.well-known/openid-configuration and GET /.well-known/jwks.json`,
          },
        };
    }
  }

  #configuration(): object {
    const { issuer, url } = this.#options;
    return {
      issuer,
      jwks_uri: `${url}/.well-known/jwks.json`,
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
    };
  }

  async #answerToken(body: string): Promise<IssuerAnswer> {
    try {
      return { status: 200, body: await this.#sign(body) };
    } catch (error) {
      if (error instanceof TokenRequestError) return { status: 400, body: { message: error.message } };
      throw error;
    }
  }

  async #sign(body: string): Promise<{ token: string; expiresAt: string }> {
    const { key, audiences, issuer, clock } = this.#options;
    const request = readTokenRequest(body);
    const issuedAt = Math.floor(clock.now() / 1000);
    const expiresAt = issuedAt + request.expiresIn;
    const token = new SignJWT({ scope: request.scope, ...contactClaims(request) })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid, typ: 'JWT' })
      .setIssuer(request.issuer ?? issuer)
      .setSubject(request.sub)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .setJti(randomUUID());
    const [first, ...others] = request.audience === undefined ? audiences : [request.audience];
    if (first !== undefined) token.setAudience(others.length === 0 ? first : [first, ...others]);
    return { token: await token.sign(key.privateKey), expiresAt: new Date(expiresAt * 1000).toISOString() };
  }
}

/** https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims */
function contactClaims({ email, phone }: TokenRequest): Record<string, string | boolean> {
  return {
    ...(email !== undefined && { email, email_verified: true }),
    ...(phone !== undefined && { phone_number: phone, phone_number_verified: true }),
  };
}
