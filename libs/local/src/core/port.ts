import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';

/** Everything listens here and nowhere else: nothing on this machine's network can reach the runtime. */
export const LOOPBACK = '127.0.0.1';

/** The port is in use by another process. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(port: number, options?: ErrorOptions) {
    super(`Port ${port} on ${LOOPBACK} is already in use`, options);
    this.port = port;
  }
}

/**
 * Starts a server on the loopback interface.
 *
 * @param port 0 for any free one
 * @returns the port it listens on
 * @throws PortTakenError when another process has it
 */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(port, { cause: error }) : error);
    };
    server.once('error', onError);
    server.listen(port, LOOPBACK, () => {
      server.off('error', onError);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago, for a child process that cannot choose one itself. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
