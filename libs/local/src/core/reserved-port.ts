import type { Server } from 'node:http';
import { createGuardedServer } from './guarded-server.ts';
import { listenOnLoopback } from './port.ts';

/**
 * Keeps a port from others, so that a taken one is reported at once and not after everything else has started.
 *
 * @param port 0 for none
 * @returns a function that gives the port free
 * @throws PortTakenError
 */
export async function reservePort(port: number): Promise<() => Promise<void>> {
  const server = createGuardedServer((_request, response) => response.writeHead(503).end('Starting\n'));
  await listenOnLoopback(server, port);
  return () => closeServer(server);
}

/** Closes a server with the connections that are still open. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
