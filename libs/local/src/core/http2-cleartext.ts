import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** An HTTP/2 connection begins with `PRI * HTTP/2.0`; no method of HTTP/1.1 begins so. https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const PREFACE = 'PRI';

/**
 * Makes a server of HTTP/1.1 answer HTTP/2 without TLS on the same port, for clients that begin with it: the SDK of Kinesis for
 * JavaScript speaks nothing else.
 *
 * @param handle gets the requests, as those of HTTP/1.1
 */
export function answerHttp2(server: Server, handle: RequestListener): void {
  const http2 = createServer((request, response) => {
    request.headers.host ??= request.authority;
    handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  const sessions = new Set<Http2Session>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    // The client has gone away: its requests are told by their own streams.
    session.on('error', () => undefined);
  });
  const silent = new Set<Socket>();
  const http1 = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const choose = (socket: Socket): void => {
    const first = socket.read(PREFACE.length) as Buffer | null;
    if (!first) {
      socket.once('readable', () => choose(socket));
      return;
    }
    silent.delete(socket);
    socket.removeListener('error', ignore);
    socket.unshift(first);
    if (String(first) === PREFACE) http2.emit('connection', socket);
    else for (const listener of http1) listener.call(server, socket);
  };
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.on('error', ignore).once('close', () => silent.delete(socket));
    // Servers of HTTP keep the half that is open: a client that ends first would keep it for ever.
    socket.once('end', () => silent.has(socket) && socket.destroy());
    choose(socket);
  });
  const closeAllConnections = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeAllConnections();
    for (const session of sessions) session.destroy();
    for (const socket of silent) socket.destroy();
  };
}

/** A client that goes away before it has said anything. */
function ignore(): void {}
