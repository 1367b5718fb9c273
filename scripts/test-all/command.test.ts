import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';

const root = join(import.meta.dirname, '..', '..');

test('--help says what is run', async () => {
  const { exitCode, stdout } = await runScript('test-all', '--help');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--full');
});

test('an option that does not exist is refused before anything is run', async () => {
  const { exitCode, stderr } = await runScript('test-all', '--ful');
  expect(stderr).toContain("Unknown option '--ful'");
  expect(exitCode).toBe(2);
});

test('what it runs are commands of the repository', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const names = [...readFileSync(join(import.meta.dirname, 'index.ts'), 'utf8').matchAll(/command\('([^']+)'/g)];
  expect(names.length).toBeGreaterThan(5);
  for (const [, name = ''] of names) {
    expect(scripts[name]).toBe(`node scripts/run.mjs scripts/${name.replace(':', '-')}.ts`);
  }
});
