import { Readable } from 'node:stream';
import type { AwsPort } from './aws-port.ts';
import { type IsRuntime, isSignature } from './runtime-requests.ts';

/** Statuses whose answers have no body: https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * A `fetch` that sends signed requests to the runtime through the container's port, and all others as before.
 * @param current the port of the container whose code runs
 * @param overHttp the `fetch` before
 */
export function fetchThroughPort(
  current: () => AwsPort | undefined,
  isRuntime: IsRuntime,
  overHttp: typeof fetch,
): typeof fetch {
  return async (input, init) => {
    const url = URL.parse(input instanceof Request ? input.url : String(input));
    if (url?.protocol !== 'http:' || !isRuntime(url.hostname, url.port)) return overHttp(input, init);
    const request = new Request(input, init);
    const aws = isSignature(request.headers.get('authorization')) ? current() : undefined;
    if (!aws) return overHttp(request);
    const { method, signal } = request;
    const target = `${url.pathname}${url.search}`;
    const headers = { ...Object.fromEntries(request.headers), host: url.host };
    const body = new Uint8Array(await request.arrayBuffer());
    signal.throwIfAborted();
    const sent = aws.send({ method, target, headers, body });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        sent.cancel(signal.reason);
        reject(signal.reason);
      });
    });
    const answer = await Promise.race([sent.answer, aborted]);
    return new Response(WITHOUT_BODY.has(answer.status) ? null : webBody(answer.body), {
      status: answer.status,
      headers: headersOf(answer.headers),
    });
  };
}

function webBody(body: string | Uint8Array | Readable): string | Uint8Array<ArrayBuffer> | ReadableStream {
  return body instanceof Readable ? (Readable.toWeb(body) as ReadableStream) : (body as Uint8Array<ArrayBuffer>);
}

function headersOf(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, each]),
  );
}
