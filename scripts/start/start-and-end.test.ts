/** How `npm start` ends, in each way and at any time: with its ports free, its children gone and its temporary files removed. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { requestToken } from '@millrace/local/request-token';
import { eventually } from '@millrace/testing';
import { descendantsOf, listeningPortsOf } from '../../test/listening-ports.ts';
import { runScript, startScript } from '../../test/run-script.ts';
import { type RunningStart, startMillrace } from '../../test/running-start.ts';

let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'start-and-end-'));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answered = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return answered;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Everything that belongs to a start, to be gone later. */
function traceOf({ child, ready }: RunningStart) {
  const pid = child.pid ?? 0;
  return {
    ports: [...new Set([ready.apiUrl, ready.awsUrl].map((url) => Number(new URL(url).port))), ...portsOf(pid)],
    pids: descendantsOf(pid),
  };
}

const portsOf = (pid: number): number[] => listeningPortsOf(pid).map(({ port }) => port);

async function expectNothingLeft({ ports, pids }: ReturnType<typeof traceOf>): Promise<void> {
  await eventually(
    async () => {
      const listening = await Promise.all(ports.map(isListening));
      expect({
        ports: ports.filter((_, index) => listening[index]),
        pids: pids.filter(isRunning),
        files: readdirSync(temporary),
      }).toEqual({ ports: [], pids: [], files: [] });
    },
    { deadlineMs: 20_000 },
  );
}

const environment = () => ({ TMPDIR: temporary });

describe('a running start', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends at %s, with exit code 0', async (signal) => {
    const millrace = await startMillrace({ environment: environment() });
    const trace = traceOf(millrace);
    expect(trace.ports.length).toBeGreaterThanOrEqual(4);
    millrace.child.kill(signal);
    expect(await millrace.ended).toMatchObject({ exitCode: 0, signal: null });
    expect(readdirSync(temporary)).toEqual([]);
    await expectNothingLeft(trace);
  });

  test('waits for a request under way, and at a second Ctrl-C, a second later, no longer', async () => {
    const millrace = await startMillrace({ environment: environment() });
    const trace = traceOf(millrace);
    const { apiUrl, issuerUrl } = millrace.ready;
    const { host, port } = new URL(apiUrl);
    const token = await requestToken(issuerUrl, { subject: 'ada', scope: 'orders:write' });
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const head = ['POST /orders HTTP/1.1', `Host: ${host}`, `Authorization: Bearer ${token}`, 'Expect: 100-continue'];
    socket.write([...head, 'Content-Length: 100', '', ''].join('\r\n'));
    // The function waits for a body that never comes.
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 100 /);
    const impatience = setInterval(() => millrace.child.kill('SIGINT'), 100);
    try {
      expect(await millrace.ended).toMatchObject({ exitCode: 130, signal: null });
    } finally {
      clearInterval(impatience);
      socket.destroy();
    }
    await expectNothingLeft(trace);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('ends when npm gets %s', async (signal) => {
    const millrace = await startMillrace({ environment: environment(), byNpm: true });
    const trace = traceOf(millrace);
    expect(trace.pids).toContain(millrace.ready.pid);
    millrace.child.kill(signal);
    await expectNothingLeft(trace);
  });

  test('ends when its output is no longer read', async () => {
    const millrace = await startMillrace({ environment: environment(), args: ['--verbose'] });
    const trace = traceOf(millrace);
    millrace.child.stdout?.destroy();
    millrace.child.stderr?.destroy();
    // It has to write something to notice.
    await fetch(`${millrace.ready.awsUrl}/2015-03-31/functions/millrace-orders-dev-getOrder/invocations`, {
      method: 'POST',
      body: '{}',
    }).catch(() => undefined);
    await expectNothingLeft(trace);
  });

  test('leaves no process and no file when it is killed', async () => {
    const millrace = await startMillrace({ environment: environment() });
    const trace = traceOf(millrace);
    millrace.child.kill('SIGKILL');
    await expectNothingLeft(trace);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('a start that still packages ends at %s', async (signal) => {
  const cache = mkdtempSync(join(tmpdir(), 'start-and-end-cache-'));
  try {
    const args = ['--cold', '--api-port', '0', '--aws-port', '0', '--cache-dir', cache];
    const { child, ended } = startScript('start', args, environment());
    const folder = await eventually(() => {
      const mirror = readdirSync(temporary).find((name) => name.startsWith('millrace-packaging-'));
      if (mirror === undefined) throw new Error('It does not package yet');
      return mirror;
    });
    const trace = { ports: portsOf(child.pid ?? 0), pids: descendantsOf(child.pid ?? 0) };
    child.kill(signal);
    expect(await ended).toMatchObject({ exitCode: 0, signal: null });
    expect(readdirSync(temporary)).not.toContain(folder);
    await expectNothingLeft(trace);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

describe('a data directory', () => {
  const start = (directory: string) =>
    runScript('start', '--cold', '--api-port', '0', '--aws-port', '0', '--data-dir', directory);

  test('is never shared by two processes: the second ends with one line, and changes nothing', async () => {
    const directory = join(temporary, 'data');
    const first = await startMillrace({ args: ['--data-dir', directory] });

    const second = await start(directory);

    expect(second.stderr.trim().split('\n')).toEqual([
      `Cannot start: The data directory ${directory} is in use by another process`,
    ]);
    expect(second.exitCode).toBe(1);
    expect((await fetch(`${first.ready.awsUrl}/_local/health`)).status).toBe(200);
    first.child.kill('SIGKILL');
    await first.ended;
    // A process that was killed holds it no longer.
    const third = await startMillrace({ args: ['--data-dir', directory] });
    third.child.kill('SIGTERM');
    expect(await third.ended).toMatchObject({ exitCode: 0 });
  });

  test('that does not exist yet is had by one of two that start at once', async () => {
    const directory = join(temporary, 'data');
    const readyFiles = ['one', 'two'].map((name) => join(temporary, name));
    const starts = readyFiles.map((readyFile) =>
      startScript('start', [
        ...['--cold', '--api-port', '0', '--aws-port', '0'],
        ...['--data-dir', directory, '--ready-file', readyFile],
      ]),
    );
    const refused = await Promise.race(starts.map(({ ended }) => ended));
    await eventually(() => {
      if (!readyFiles.some((file) => existsSync(file))) throw new Error('None of the two is ready');
    });
    for (const { child } of starts) child.kill('SIGTERM');
    const all = await Promise.all(starts.map(({ ended }) => ended));

    expect(refused.stderr).toContain(`The data directory ${directory} is in use by another process`);
    expect(all.map(({ exitCode }) => exitCode).toSorted()).toEqual([0, 1]);
  });
});

describe('a start that cannot be ends with one line', () => {
  const start = (...args: string[]) => runScript('start', '--api-port', '0', '--aws-port', '0', ...args);

  test.each([
    ['a data directory where nothing can be made', ['--data-dir', '/proc/x/y'], 1, '/proc/x/y cannot be used'],
    ['a ready file in a folder that is not there', ['--ready-file', '/nowhere/ready.json'], 2, 'there is no /nowhere'],
  ])('%s', async (_name, args, exitCode, message) => {
    const ended = await start(...args);
    expect(ended.stderr.trim().split('\n')).toEqual([expect.stringContaining(message)]);
    expect(ended.exitCode).toBe(exitCode);
  });

  test('a cache that cannot be written', async () => {
    // As in a checkout that is read-only; a test that runs as root may write everywhere.
    const file = join(temporary, 'file');
    writeFileSync(file, '');
    const ended = await start('--cache-dir', join(file, 'cache'));
    expect(ended.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^Cannot start: The cache directory .* cannot be used: .*: choose another with --cache-dir$/,
      ),
    ]);
    expect(ended.exitCode).toBe(1);
  });
});
