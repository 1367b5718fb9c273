import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningIssuer, startIssuer } from '@millrace/local';
import { runScript } from '../../test/run-script.ts';

const token = (...args: string[]) => runScript('token', ...args);
const ada = ['--sub', 'ada', '--scope', 'orders:read orders:write'];

/** What a token says; nobody has verified it. */
const claimsOf = (printed: string) => JSON.parse(Buffer.from(printed.split('.')[1] ?? '', 'base64url').toString());

describe('npm run token', () => {
  /** Shows an issuer of its own where a runtime has one. */
  let issuer: RunningIssuer;
  const gateway = createServer(async (request, response) => {
    const path = (request.url ?? '').replace(/^\/_local\/issuer/, '');
    const answer = await fetch(`${issuer.url}${path}`, { method: 'POST', body: await text(request) });
    response.writeHead(answer.status).end(await answer.text());
  });
  let port = 0;
  beforeAll(async () => {
    issuer = await startIssuer({ port: 0, audience: 'https://api.example' });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const address = gateway.address();
    port = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(async () => {
    gateway.close();
    gateway.closeAllConnections();
    await issuer.stop();
  });

  test('--help says what can be set', async () => {
    const { exitCode, stdout } = await token('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['--sub', '--scope', '--expires-in', '--aws-port', '--endpoint']) expect(stdout).toContain(flag);
  });

  test.each([
    ['--aws-port', () => String(port)],
    ['--endpoint', () => `http://127.0.0.1:${port}/`],
  ])('prints the token of %s and nothing else', async (flag, value) => {
    const { exitCode, stdout, stderr } = await token(...ada, '--expires-in', '60', flag, value());
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { sub, scope, exp, iat } = claimsOf(stdout);
    expect([sub, scope, exp - iat]).toEqual(['ada', 'orders:read orders:write', 60]);
  });

  test('says what the issuer does not take', async () => {
    const { exitCode, stdout, stderr } = await token('--sub', 'ada', '--scope', 'a  b', '--aws-port', String(port));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('gives no token: "scope" must be scopes with one space between them');
  });

  test.each([
    [['--scope', 'a'], '--sub is missing'],
    [['--sub', 'ada'], '--scope is missing'],
    [['--sub', '', '--scope', 'a'], '--sub is missing'],
    [[...ada, '--expires-in', '1h'], '--expires-in must be a whole number of at least 1, not "1h"'],
    [[...ada, '--aws-port', '70000'], '--aws-port must be a port from 1 to 65535, not "70000"'],
    [[...ada, '--endpoint', 'localhost'], '--endpoint must be a URL like http://127.0.0.1:4566, not "localhost"'],
    [[...ada, '--endpoint', 'http://127.0.0.1:1', '--aws-port', '1'], 'exclude each other'],
    [[...ada, '--scopes', 'a'], "Unknown option '--scopes'"],
    [['ada'], 'ada'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stdout, stderr } = await token(...args);
    expect(stderr).toContain(message);
    expect([exitCode, stdout]).toEqual([2, '']);
  });

  test('where nothing runs is one line', async () => {
    const { exitCode, stderr } = await token(...ada, '--aws-port', '1');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('Nothing answers at http://127.0.0.1:1/_local/issuer: is npm start running?\n');
  });
});
