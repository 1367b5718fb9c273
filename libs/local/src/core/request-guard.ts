/** Header names and values by turns, as they came: https://nodejs.org/api/http.html#messagerawheaders */
export type RawHeaders = readonly string[];

/** Why a request may not come in. */
export interface GuardRefusal {
  code: 'FOREIGN_HOST' | 'FOREIGN_ORIGIN' | 'CROSS_SITE_REQUEST';
  detail: string;
}

/** `[::1]` and `localhost` lead here too where a client chooses to use them; buckets have names below `localhost`. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|\[::1\]|([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*localhost)(:(\d+))?$/i;

/** A browser sets it, and no page can: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header */
const SITES_OF_THE_USER: ReadonlySet<string> = new Set(['none', 'same-origin']);

/**
 * Decides whether a request may have come from this machine's user rather than from a web page that is open in their browser.
 *
 * A page of any site can send requests to a loopback port, and read the answers once its own name resolves to 127.0.0.1 (DNS
 * rebinding). Its browser tells on it: by the `Host` it believes to talk to, by `Origin`, and by `Sec-Fetch-Site`.
 *
 * @param headers of the request
 * @param port that the request came in on
 * @param allowsOrigin true for the origins whose pages may send requests
 * @returns undefined for a request that may come in
 * @example
 * findGuardRefusal(['Host', 'evil.example:4566'], 4566, () => false)?.code; // 'FOREIGN_HOST'
 */
export function findGuardRefusal(
  headers: RawHeaders,
  port: number | undefined,
  allowsOrigin: (origin: string) => boolean,
): GuardRefusal | undefined {
  const hosts = valuesOf(headers, 'host');
  if (hosts.length !== 1 || !isLoopback(hosts[0] ?? '', port)) {
    return {
      code: 'FOREIGN_HOST',
      detail: `The Host header must be 127.0.0.1:${port} or localhost:${port}: this port answers only clients on this machine`,
    };
  }
  const origins = valuesOf(headers, 'origin');
  if (origins.length > 0) {
    if (origins.every(allowsOrigin)) return undefined;
    return {
      code: 'FOREIGN_ORIGIN',
      detail: 'Web pages of this Origin may not send requests to this port',
    };
  }
  if (valuesOf(headers, 'sec-fetch-site').every((site) => SITES_OF_THE_USER.has(site))) return undefined;
  return { code: 'CROSS_SITE_REQUEST', detail: 'Web pages of other sites may not send requests to this port' };
}

function isLoopback(host: string, port: number | undefined): boolean {
  const match = LOOPBACK_HOST.exec(host);
  return match !== null && Number(match[5] ?? 80) === port;
}

function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) values.push(headers[index + 1] ?? '');
  }
  return values;
}
