import { text } from 'node:stream/consumers';
import { createGuardedServer } from '../../core/guarded-server.ts';
import { LOOPBACK, listenOnLoopback } from '../../core/port.ts';
import { Issuer } from './issuer.ts';
import { provideSigningKey } from './signing-key.ts';

/** An issuer on a port of its own. */
export interface RunningIssuer {
  /** Where it answers, and, unless it was given another name, what its tokens say in `iss`. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts an issuer without a runtime, for an API elsewhere on this machine that is to believe it.
 *
 * @param options `port`: 0 for any free one; `audience`: what its tokens say in `aud`; `issuer`: its name, its URL unless given
 * @throws PortTakenError
 */
export async function startIssuer(options: {
  port: number;
  audience: string;
  issuer?: string;
}): Promise<RunningIssuer> {
  const key = await provideSigningKey();
  const issuer = Promise.withResolvers<Issuer>();
  const server = createGuardedServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url ?? '/', `http://${LOOPBACK}`);
      const answer = await (await issuer.promise).answer({
        method: request.method ?? '',
        path: pathname,
        body: await text(request),
      });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    } catch {
      // The client has left, or sent what is no request.
      response.destroy();
    }
  });
  const url = `http://${LOOPBACK}:${await listenOnLoopback(server, options.port)}`;
  issuer.resolve(
    new Issuer({ issuer: options.issuer ?? url, audiences: [options.audience], key, url, clock: { now: Date.now } }),
  );
  return {
    url,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
