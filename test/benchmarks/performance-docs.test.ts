/** docs/performance.md is true: its commits, its order, its figures and its commands. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startCommand } from '../run-script.ts';
import { PAGE, type Row, rowsOf } from './performance-page.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(PAGE, 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

function git(...args: string[]): string {
  return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** Without the history there is nothing to look for: an archive, or a shallow clone. */
function hasHistory(): boolean {
  try {
    return git('rev-parse', '--is-shallow-repository') === 'false';
  } catch {
    return false;
  }
}

const hashOf = ({ Commit = '' }: Row): string => Commit.replaceAll('`', '');

describe.each(['Orders', 'One pipeline'])('the table "%s"', (heading) => {
  const rows = rowsOf(page, heading);

  test('has rows', () => {
    expect(rows.length).toBeGreaterThan(0);
  });

  test('names commits of this history, each with its date, the oldest first', () => {
    if (!hasHistory()) return;
    for (const row of rows) {
      // Throws for a commit that is not an ancestor: it was rebased after it was measured.
      git('merge-base', '--is-ancestor', hashOf(row), 'HEAD');
      const committed = new Date(Number(git('log', '-1', '--format=%ct', hashOf(row))) * 1000);
      expect(row.Date).toBe(committed.toISOString().slice(0, 16).replace('T', ' '));
    }
    for (const [index, row] of rows.slice(1).entries()) {
      git('merge-base', '--is-ancestor', hashOf(rows[index] ?? {}), hashOf(row));
    }
  });

  test('has a figure, or a dash, in each column', () => {
    for (const { Commit, Date: date, Machine, 'CPU × row above': ratio = '–', ...figures } of rows) {
      expect([Commit, date, Machine]).not.toContain('');
      expect(ratio).toMatch(/^(–|\d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\))$/);
      for (const figure of Object.values(figures)) expect(figure).toMatch(/^(–|\d+(\.\d+)?)$/);
    }
  });
});

const commands = [...page.matchAll(/npm run (\S+) -- ([^#`\n]+)/g)].map(([, name = '', options = '']) => ({
  name,
  flags: options.match(/--[a-z-]+/g) ?? [],
}));

test('the page has its commands', () => {
  expect(commands.length).toBeGreaterThan(3);
});

test.each([...new Set(commands.map(({ name }) => name))])(
  'npm run %s takes the options that the page gives it',
  async (name) => {
    const [, ...args] = (scripts[name] ?? '').split(' ');
    const { exitCode, stdout } = await startCommand(process.execPath, [...args, '--help']).ended;
    expect(exitCode).toBe(0);
    for (const flag of commands.filter((command) => command.name === name).flatMap(({ flags }) => flags)) {
      expect(stdout).toContain(`  ${flag}`);
    }
  },
);
