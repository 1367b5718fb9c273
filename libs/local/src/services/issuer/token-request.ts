/** What a token is asked for with. */
export interface TokenRequest {
  /** Whose token it is. */
  sub: string;
  /** Scopes with spaces between them, or none. */
  scope: string;
  /** Seconds from now; negative for a token that has expired. */
  expiresIn: number;
  /** Instead of the issuer's own name. */
  issuer?: string;
  /** Instead of the issuer's audience. */
  audience?: string;
  /** The token says that this address is verified. */
  email?: string;
  /** The token says that this number is verified. */
  phone?: string;
}

/** A request for a token that is not valid; the message names the field. */
export class TokenRequestError extends Error {
  override readonly name = 'TokenRequestError';
}

const DEFAULT_EXPIRES_IN = 3600;
const LONGEST_SECONDS = 10 * 365 * 24 * 3600;
const FIELDS = ['sub', 'scope', 'expiresIn', 'issuer', 'audience', 'email', 'phone'] as const;
/** https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
const SCOPES = /^([\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*)?$/;

/**
 * Reads the body of a request for a token.
 *
 * @throws TokenRequestError
 */
export function readTokenRequest(body: string): TokenRequest {
  const fields = parseObject(body);
  const known: readonly string[] = FIELDS;
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TokenRequestError(`"${unknown}" is none of ${FIELDS.join(', ')}`);
  const { scope, expiresIn = DEFAULT_EXPIRES_IN } = fields;
  if (typeof scope !== 'string' || !SCOPES.test(scope)) {
    throw new TokenRequestError('"scope" must be scopes with one space between them, e.g. "orders:read orders:write"');
  }
  if (typeof expiresIn !== 'number' || !Number.isInteger(expiresIn) || Math.abs(expiresIn) > LONGEST_SECONDS) {
    throw new TokenRequestError(
      `"expiresIn" must be a whole number of seconds from -${LONGEST_SECONDS} to ${LONGEST_SECONDS}`,
    );
  }
  return {
    sub: readText('sub', fields.sub),
    scope,
    expiresIn,
    ...Object.fromEntries(
      (['issuer', 'audience', 'email', 'phone'] as const)
        .filter((name) => fields[name] !== undefined)
        .map((name) => [name, readText(name, fields[name])]),
    ),
  };
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below, like JSON that is not an object.
  }
  throw new TokenRequestError('The body must be a JSON object, e.g. {"sub": "ada", "scope": "orders:read"}');
}

function readText(field: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw new TokenRequestError(`"${field}" must be a text`);
  return value;
}
