import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** SNS waits for an answer for so long. https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html */
const TIMEOUT_MS = 15_000;

/** Whether a URL leads to this machine. Messages go nowhere else. */
export function isOnThisMachine(url: URL): boolean {
  return /^(127(\.\d{1,3}){3}|\[::1\]|([a-z0-9-]+\.)*localhost)$/.test(url.hostname);
}

/**
 * Posts a body to an endpoint on this machine. Redirects are not followed.
 *
 * @param signal gives up
 * @returns the status of the answer
 * @throws Error if the endpoint does not answer, or the URL leads elsewhere
 */
export function postOnThisMachine(
  address: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const url = new URL(address);
  if (!isOnThisMachine(url)) return Promise.reject(new Error(`${url.host} is not on this machine`));
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  // Names are not looked up: only the system could say that one below "localhost" leads here.
  const host = url.hostname.endsWith('localhost') ? '127.0.0.1' : url.hostname.replace(/^\[|\]$/g, '');
  const path = url.pathname + url.search;
  // For the whole of the answer: an endpoint that sends byte by byte has not answered.
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const options = { host, port: url.port, path, method: 'POST', signal: AbortSignal.any([signal, timeout]) };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(timeout.aborted ? new Error(`${url.host} has not answered within ${TIMEOUT_MS / 1000} seconds`) : error);
    const answered = (response: IncomingMessage): void => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', fail);
    };
    const request = send(
      { ...options, headers: { host: url.host, 'content-length': Buffer.byteLength(body), ...headers } },
      answered,
    );
    request.on('error', fail);
    request.end(body);
  });
}
