import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort, LOOPBACK } from '../../core/port.ts';

const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 3_000;

/** A DynamoDB endpoint that the runtime uses. */
export interface DynamoDb {
  endpoint: string;
  stop(): Promise<void>;
}

/** There is no DynamoDB to start on this platform. */
export class DynamoDbUnavailableError extends Error {
  override readonly name = 'DynamoDbUnavailableError';
}

/**
 * Starts dynoxide, a DynamoDB with streams over SQLite, as a child process. It cannot outlive this process: not even
 * when this process is killed.
 *
 * @param dataDirectory where tables are kept; without one they live in a temporary directory until stop
 * @param onExit is told when the process ends without having been asked to
 * @throws DynamoDbUnavailableError when there is no binary for this platform, saying what to do
 */
export async function startDynamoDb({
  dataDirectory,
  onExit,
}: {
  dataDirectory?: string | undefined;
  onExit: (reason: string) => void;
}): Promise<DynamoDb> {
  const binary = findBinary();
  const port = await findFreePort();
  const endpoint = `http://${LOOPBACK}:${port}`;
  // Nothing is waited for from here until the guard is there, so that no end of this process leaves anything behind.
  const temporaryDirectory = dataDirectory === undefined ? mkdtempSync(join(tmpdir(), 'millrace-')) : undefined;
  const directory = temporaryDirectory ?? join(dataDirectory ?? '', 'dynamodb');
  mkdirSync(directory, { recursive: true });
  const databasePath = join(directory, 'dynamodb.db');

  // Detached: Ctrl-C goes to the terminal's whole process group, and this process must be the last to stop, not the first.
  const child = spawn(binary, ['serve', '--host', LOOPBACK, '--port', String(port), '--db-path', databasePath], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2_000);
  });
  const guard = child.pid === undefined ? undefined : guardAgainstOrphaning(child.pid, temporaryDirectory);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      resolve(
        `dynoxide ended (${signal ?? `exit code ${code}`})${errors ? `: ${errors.trim().split('\n').at(-1)}` : ''}`,
      );
    });
  });
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await endChild(child);
    guard?.kill('SIGKILL');
    if (temporaryDirectory) await rm(temporaryDirectory, { recursive: true, force: true });
  };

  try {
    await Promise.race([
      untilReady(endpoint),
      ended.then((reason) => {
        throw new Error(`DynamoDB did not start: ${reason}`);
      }),
    ]);
    indexStreamRecords(databasePath);
  } catch (error) {
    await stop();
    throw error;
  }
  void ended.then((reason) => {
    if (!stopping) onExit(reason);
  });
  return { endpoint, stop };
}

function findBinary(): string {
  const packageName = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return join(dirname(manifest), process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide');
  } catch (error) {
    throw new DynamoDbUnavailableError(
      `There is no DynamoDB for this platform: the package ${packageName} is not installed. ` +
        'Start one yourself (e.g. `npx dynoxide serve --port 8000`, or DynamoDB Local) and give --dynamodb-endpoint http://127.0.0.1:8000',
      { cause: error },
    );
  }
}

async function untilReady(endpoint: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      const response = await fetch(endpoint);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`DynamoDB did not start within ${READY_WITHIN_MS} ms`, { cause: error });
    }
    await delay(10);
  }
}

/**
 * dynoxide has no index on a stream record's sequence number, so that reading the stream slows every write down as the
 * stream grows; with these two the cost stays where it was.
 */
function indexStreamRecords(databasePath: string): void {
  const database = new DatabaseSync(databasePath, { timeout: 5_000 });
  try {
    database.exec(
      `CREATE INDEX IF NOT EXISTS millrace_stream_sequence ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
       CREATE INDEX IF NOT EXISTS millrace_stream_shard ON _stream_records (table_name, shard_id, CAST(sequence_number AS INTEGER));`,
    );
  } finally {
    database.close();
  }
}

/**
 * Ends the child and removes its temporary files when this process is gone: the shell's standard input is a pipe only
 * this process holds open, and the system closes it however this process ends.
 */
function guardAgainstOrphaning(pid: number, temporaryDirectory: string | undefined): ChildProcess {
  const script = 'read -r _; kill "$0" 2>/dev/null; if [ -n "$1" ]; then sleep 1; rm -rf "$1"; fi';
  const guard = spawn('/bin/sh', ['-c', script, String(pid), temporaryDirectory ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // The pipe may break while both processes end; then there is nothing left to guard.
  guard.stdin?.on('error', () => undefined);
  guard.on('error', () => undefined);
  guard.unref();
  return guard;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(force);
}
