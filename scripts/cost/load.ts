import { type Runtime, requestToken } from '@millrace/local';

/** People who use a running stage. */
export interface Load {
  /** Makes ready what the next `count` runs need. */
  prepare(count: number): Promise<void>;
  /**
   * Does so much of what is counted, each person one after the other, and waits until each has ended.
   * @returns how long each took, in ms
   */
  run(count: number): Promise<number[]>;
  /** Closes the connections that are kept open. */
  close(): void;
}

/** Longer than any run. */
const TOKEN_SECONDS = 24 * 60 * 60;

/** A token of the stage's issuer. */
export function tokenOf(
  { awsUrl }: Pick<Runtime, 'awsUrl'>,
  wish: Parameters<typeof requestToken>[1],
): Promise<string> {
  return requestToken(`${awsUrl}/_local/issuer`, { ...wish, expiresIn: TOKEN_SECONDS });
}

/**
 * Sends a request to the HTTP API.
 * @throws Error for another status than the one that is expected
 */
export async function request<Body>(
  { apiUrl }: Pick<Runtime, 'apiUrl'>,
  [method, path, status]: readonly [method: string, path: string, status: number],
  token: string,
  body?: unknown,
): Promise<Body> {
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Body;
}
