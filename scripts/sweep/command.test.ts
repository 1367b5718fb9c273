import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';

describe('npm run sweep', () => {
  test('--help says what it does, and what its exit codes mean', async () => {
    const { exitCode, stdout } = await runScript('sweep', '--help');

    expect(exitCode).toBe(0);
    for (const option of ['--from', '--to', '--grace', '--dry-run', '--unlogged', '--endpoint', 'Exit codes: 0']) {
      expect(stdout).toContain(option);
    }
  });

  test.each([
    [['shop'], 'No service "shop" emits events: checkout, fulfillment, inventory, orders, payments'],
    [['orders', 'payments'], 'sweep takes one service'],
    [['orders', '--from', 'yesterday'], '--from must be a time'],
    [['orders', '--grace', '5'], 'invalid duration "5"'],
    [['orders', '--from', '1h', '--to', '2h'], '--from must be before --to'],
    [['orders', '--segments', '33'], '--segments must be at most 32'],
  ])('%j is misused', async (args, reason) => {
    const { exitCode, stdout, stderr } = await runScript('sweep', ...args, '--endpoint', 'http://127.0.0.1:1');

    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
  });
});
