import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';

const start = (...args: string[]) => runScript('start', ...args);

describe('npm start', () => {
  test('--help says what can be set', async () => {
    const { exitCode, stdout } = await start('--help');
    expect(exitCode).toBe(0);
    for (const flag of [
      '--api-port',
      '--aws-port',
      '--data-dir',
      '--dynamodb-endpoint',
      '--allow-host',
      '--alarm-period',
      '--shared',
      '--cold',
      '--shuffle',
      '--raw',
    ])
      expect(stdout).toContain(flag);
  });

  test.each([
    [['--prot', '1'], "Unknown option '--prot'"],
    [['surprise'], 'surprise'],
    [['--api-port', 'abc'], '--api-port must be a port from 0 to 65535, not "abc"'],
    [['--aws-port', '70000'], '--aws-port must be a port from 0 to 65535, not "70000"'],
    [['--dynamodb-endpoint', 'localhost'], '--dynamodb-endpoint must be a URL'],
    [['--alarm-period', '0'], '--alarm-period must be a whole number of at least 1, not "0"'],
    [['--seed', '1'], '--seed is for --shuffle'],
    [['--shuffle', '--seed', 'x'], '--seed must be a whole number'],
    [['--stage', 'Dev'], '--stage must be lower-case letters'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stderr } = await start(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test.each([
    ['--api-port', '--aws-port'],
    ['--aws-port', '--api-port'],
  ])('a taken port is one line that names %s', async (taken, other) => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const { exitCode, stderr } = await start(taken, String(port), other, '0');
      expect(exitCode).toBe(1);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toContain(`Port ${port} on 127.0.0.1 is already in use: choose another with ${taken}`);
    } finally {
      server.close();
    }
  });

  test('a service that is not there is one line', async () => {
    const { exitCode, stderr } = await start('--api-port', '0', '--aws-port', '0', '--service', 'services/nothing');
    expect(exitCode).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('services/nothing');
  });
});
