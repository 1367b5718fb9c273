import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';

/** A running MiniStack. */
export interface MiniStack {
  /** Where it answers: every AWS API. */
  url: string;
  /** What it printed. */
  logFile: string;
  stop(): Promise<void>;
}

const lambdaRuntime = join(import.meta.dirname, 'lambda-runtime.cjs');

/**
 * Starts MiniStack under hypercorn on a free port of 127.0.0.1. Functions run in processes of this Node.js, without Docker.
 * @param options.executables folder of the virtual environment's executables
 * @param options.directory for its files and its functions' code; emptied first
 * @throws Error with the end of its log when it does not answer within a minute
 */
export async function startMiniStack(options: { executables: string; directory: string }): Promise<MiniStack> {
  const { executables, directory } = options;
  rmSync(directory, { recursive: true, force: true });
  const [bin, temporary] = ['bin', 'tmp'].map((name) => join(directory, name)) as [string, string];
  for (const folder of [bin, temporary]) mkdirSync(folder, { recursive: true });
  // MiniStack writes CommonJS there, and the repository's own package.json would make ES modules of it.
  writeFileSync(join(temporary, 'package.json'), JSON.stringify({ type: 'commonjs' }));
  const node = join(bin, 'node');
  writeFileSync(
    node,
    `#!/bin/sh\nexec "${process.execPath}" --disable-warning=DEP0169 --require "${lambdaRuntime}" "$@"\n`,
  );
  chmodSync(node, 0o755);

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(directory, 'ministack.log');
  const log = createWriteStream(logFile);
  const child = spawn(join(executables, 'python'), ['-m', 'ministack'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: its functions' processes end with it.
    detached: true,
    env: {
      PATH: `${bin}:${executables}:/usr/bin:/bin`,
      HOME: directory,
      TMPDIR: temporary,
      PYTHONUNBUFFERED: '1',
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: 'local',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      // Listeners on ports of their own that nothing here uses.
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null) {
      process.kill(-child.pid, 'SIGKILL');
      await exited;
    }
    log.end();
  };
  try {
    await eventually(
      async () => {
        const { ok } = await fetch(`${url}/_ministack/health`);
        if (!ok) throw new Error('MiniStack is not healthy');
      },
      { deadlineMs: 60_000, intervalMs: 100 },
    );
  } catch (error) {
    await stop();
    throw new Error(`MiniStack did not start, see ${logFile}`, { cause: error });
  }
  return { url, logFile, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('No free port');
  return address.port;
}
