import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { JwtAuthorizer } from './jwt-authorizer.ts';

/** What a route asks of a caller. */
export interface RouteAuthorization {
  authorizer: JwtAuthorizer;
  /** A token must have one of them, if there are any. */
  scopes: readonly string[];
}

/** Who calls, as the function gets to see it in `requestContext.authorizer.jwt`. */
export interface JwtCaller {
  claims: Record<string, string>;
  /** Of the token; null when the route asks for none. */
  scopes: string[] | null;
}

/** Why a caller is turned away. */
export interface JwtRefusal {
  status: 401 | 403;
  message: 'Unauthorized' | 'Forbidden';
  /** The header's value. https://www.rfc-editor.org/rfc/rfc6750#section-3 */
  wwwAuthenticate: string;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512'];
const BEARER = 'Bearer ';

/** What is wrong with a token, in words for its bearer. */
class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
}

/**
 * Decides who may call a route, as API Gateway's JWT authorizers do: by the token's RSA signature, kid, iss, aud (or client_id where
 * there is no aud), exp, nbf, iat and scopes, without any leeway.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export class JwtAuthorization {
  readonly #keyOf: ReturnType<typeof createLocalJWKSet>;
  readonly #now: () => number;

  /**
   * @param keys that tokens are verified with; AWS fetches them from the issuer
   * @param now epoch milliseconds
   */
  constructor(keys: JSONWebKeySet, now: () => number) {
    this.#keyOf = createLocalJWKSet(keys);
    this.#now = now;
  }

  /** @param carried what stands in the request's identity source, if there is something */
  async authorize(
    { authorizer, scopes: wanted }: RouteAuthorization,
    carried: string | undefined,
  ): Promise<JwtCaller | JwtRefusal> {
    const token = carried?.startsWith(BEARER) ? carried.slice(BEARER.length).trim() : carried;
    if (!token) return { status: 401, message: 'Unauthorized', wwwAuthenticate: 'Bearer' };
    const challenge = (error: string, description: string): string =>
      `Bearer scope="${wanted.join(' ')}" error="${error}" error_description="${description}"`;
    try {
      const claims = await this.#verify(token, authorizer);
      const scopes = scopesOf(claims);
      if (wanted.length > 0 && !wanted.some((scope) => scopes.includes(scope))) {
        const wwwAuthenticate = challenge('insufficient_scope', "the token has none of the route's scopes");
        return { status: 403, message: 'Forbidden', wwwAuthenticate };
      }
      return { claims: claimTexts(claims), scopes: wanted.length > 0 ? scopes : null };
    } catch (error) {
      const description = describe(error);
      if (description === undefined) throw error;
      return { status: 401, message: 'Unauthorized', wwwAuthenticate: challenge('invalid_token', description) };
    }
  }

  /** @throws InvalidTokenError, or one of jose's errors */
  async #verify(token: string, { issuer, audiences }: JwtAuthorizer): Promise<JWTPayload> {
    if (token.split('.').length !== 3) throw new InvalidTokenError('token contains an invalid number of segments');
    const currentDate = new Date(this.#now());
    const { payload, protectedHeader } = await jwtVerify(token, this.#keyOf, {
      algorithms: ALGORITHMS,
      issuer,
      requiredClaims: ['exp'],
      currentDate,
    });
    if (protectedHeader.kid === undefined) throw new InvalidTokenError('the token does not name its key');
    const { aud = payload.client_id, iat } = payload;
    if (![aud].flat().some((audience) => typeof audience === 'string' && audiences.includes(audience))) {
      throw new InvalidTokenError('the token does not have a valid audience');
    }
    if (iat !== undefined && (typeof iat !== 'number' || iat * 1000 > currentDate.getTime())) {
      throw new InvalidTokenError('the token is not valid yet');
    }
    return payload;
  }
}

/** What to tell the bearer; undefined for what is no fault of the token. */
function describe(error: unknown): string | undefined {
  if (error instanceof InvalidTokenError) return error.message;
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'the token does not have a valid issuer';
    if (error.claim === 'nbf') return 'the token is not valid yet';
    return `the token does not have a valid ${error.claim}`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return `the token is not signed with ${ALGORITHMS.join(', ')}`;
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is not signed by a key of the issuer';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is not valid';
  return error instanceof errors.JOSEError ? 'the token is malformed' : undefined;
}

/** `scope` (with spaces) or else `scp` (so, or a list). */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  const scopes = scope ?? scp;
  if (Array.isArray(scopes)) return scopes.map(String);
  return typeof scopes === 'string' ? scopes.split(' ').filter((name) => name !== '') : [];
}

/** API Gateway hands claims on as text: `["a","b"]` as `[a b]`, objects as JSON, and those that are null not at all. */
function claimTexts(claims: JWTPayload): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, Array.isArray(value) ? `[${value.map(claimText).join(' ')}]` : claimText(value)]),
  );
}

function claimText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
