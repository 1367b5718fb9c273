import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { answerHttp2 } from './http2-cleartext.ts';
import { findGuardRefusal } from './request-guard.ts';

export interface GuardedServerOptions {
  /** True for the origins whose pages may send requests; without it no page may. */
  allowsOrigin?: (origin: string) => boolean;
  /** Gets the requests whose client waits for `100 Continue` before it sends the body; without it every one is told to continue. */
  onCheckContinue?: RequestListener;
  /** The port speaks HTTP/2 as well, without TLS. */
  speaksHttp2?: boolean;
}

/**
 * Creates an HTTP server that refuses what web pages of others send, before anything else is done with it. Every HTTP port of the
 * runtime is one of these.
 *
 * @param handle gets the requests that may come in
 * @example
 * const server = createGuardedServer((request, response) => response.end('Hello'));
 * await listenOnLoopback(server, 4566);
 */
export function createGuardedServer(
  handle: RequestListener,
  { allowsOrigin = () => false, onCheckContinue, speaksHttp2 = false }: GuardedServerOptions = {},
): Server {
  const guarded =
    (next: RequestListener): RequestListener =>
    (request, response) => {
      const refusal = findGuardRefusal(headersOf(request), request.socket.localPort, allowsOrigin);
      if (refusal) refuse(request, response, refusal);
      else next(request, response);
    };
  const proceed: RequestListener = (request, response) => {
    response.writeContinue();
    handle(request, response);
  };
  const server = createServer(guarded(handle));
  server.on('checkContinue', guarded(onCheckContinue ?? proceed));
  if (speaksHttp2) answerHttp2(server, guarded(handle));
  return server;
}

/** The headers as they came. In HTTP/2 `:authority` says what `Host` says. https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1 */
function headersOf({ rawHeaders, httpVersionMajor }: IncomingMessage): string[] {
  return httpVersionMajor < 2
    ? rawHeaders
    : rawHeaders.map((text, index) => (index % 2 === 0 && text === ':authority' ? 'host' : text));
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { code, detail }: { code: string; detail: string },
): void {
  const body = JSON.stringify({ type: 'about:blank', title: 'Forbidden', status: 403, detail, code });
  const headers = { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) };
  // HTTP/2 has no such header.
  const connection = request.httpVersionMajor < 2 ? { connection: 'close' } : {};
  response.writeHead(403, { ...headers, ...connection }).end(body);
  // A body that is still on its way would reset the connection, and take the answer with it.
  request.resume();
}
