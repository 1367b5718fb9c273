import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { problemWithNode } from '@millrace/command-line/node-version';

const scratch = mkdtempSync(join(tmpdir(), 'millrace-node-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a command on an old version of Node says what to do', () => {
  test('before anything is installed', () => {
    expect(problemWithNode('20.19.5', scratch)).toBe(
      'Millrace runs on Node 24 or later, and this is Node 20.19.5. Run npm ci, which installs it for the npm scripts.',
    );
  });

  test('after npm ci --ignore-scripts, and outside of npm', () => {
    const bin = join(scratch, 'node_modules', 'node', 'bin');
    mkdirSync(join(bin, '..'), { recursive: true });
    expect(problemWithNode('20.19.5', scratch)).toMatch(/its install script has not run: run npm rebuild node/);
    mkdirSync(bin);
    writeFileSync(join(bin, 'node'), '');
    expect(problemWithNode('22.20.0', scratch)).toMatch(/start commands with npm run or npx/);
  });

  test('and nothing on the version that is tested', () => {
    expect(problemWithNode(process.versions.node, scratch)).toBeUndefined();
  });
});

test('every npm script that runs a file of this repository looks at the version first', () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'));
  const runningNode = Object.entries<string>(scripts).filter(([, command]) => command.startsWith('node '));
  expect(runningNode.length).toBeGreaterThan(15);
  expect(runningNode.filter(([, command]) => !/^node (--\S+ )*scripts\/run\.mjs \S+( --\S+)*$/.test(command))).toEqual(
    [],
  );
});
