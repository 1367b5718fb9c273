import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const READY_WITHIN_MS = 10_000;

/** A DynamoDB of others, to compare with. */
export interface Dynoxide extends AsyncDisposable {
  endpoint: string;
}

/**
 * Starts dynoxide as a child process, in a temporary directory.
 * @throws Error when there is no binary for this platform, or it is not ready in ten seconds
 */
export async function startDynoxide(): Promise<Dynoxide> {
  const binary = findBinary();
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'dynoxide-'));
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(
    binary,
    ['serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', join(directory, 'tables.db')],
    { stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilReady(endpoint);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, [Symbol.asyncDispose]: stop };
}

/** True if there is a binary for this platform: the dependency is optional. */
export function hasDynoxide(): boolean {
  return packageFile() !== undefined;
}

function findBinary(): string {
  const file = packageFile();
  if (file !== undefined) return join(dirname(file), 'dynoxide');
  throw new Error(
    `There is no dynoxide for this platform: the package ${packageName} is not installed. Give another DynamoDB to compare with: --endpoint http://127.0.0.1:8000`,
  );
}

const packageName = `@dynoxide/${process.platform}-${process.arch}`;

function packageFile(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilReady(endpoint: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let cause: unknown;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(endpoint);
      await response.arrayBuffer();
      if (response.ok) return;
      cause = new Error(`it answers ${response.status}`);
    } catch (error) {
      cause = error;
    }
    await delay(20);
  }
  throw new Error('dynoxide did not start', { cause });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
