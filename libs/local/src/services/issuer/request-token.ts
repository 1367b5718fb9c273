/** The claims of a token to ask for. */
export interface TokenRequest {
  /** The token's `sub`. */
  subject: string;
  /** Scopes with spaces between them. */
  scope: string;
  /** Seconds from now, 3600 unless given; negative for a token that has expired. */
  expiresIn?: number;
  /** Instead of the issuer's own name. */
  issuer?: string;
  /** Instead of the issuer's audience. */
  audience?: string;
  /** A verified address: the claims `email` and `email_verified`. */
  email?: string;
  /** A verified number: the claims `phone_number` and `phone_number_verified`. */
  phone?: string;
}

/**
 * Asks the local issuer for a token.
 *
 * @param issuerUrl e.g. http://127.0.0.1:4566/_local/issuer
 * @returns the token, to be sent as `authorization: Bearer <token>`
 * @throws Error when nothing answers there, or with the reason why the issuer refused
 */
export async function requestToken(issuerUrl: string, { subject, ...claims }: TokenRequest): Promise<string> {
  const response = await fetch(`${issuerUrl}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: subject, ...claims }),
  }).catch((error: unknown) => {
    throw new Error(`Nothing answers at ${issuerUrl}: is npm start running?`, { cause: error });
  });
  const answer = (await response.json().catch(() => ({}))) as { token?: unknown; message?: unknown };
  if (response.ok && typeof answer.token === 'string') return answer.token;
  const reason = typeof answer.message === 'string' ? answer.message : `it answered ${response.status}`;
  throw new Error(`${issuerUrl} gives no token: ${reason}`);
}
