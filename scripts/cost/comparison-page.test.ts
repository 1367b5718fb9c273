import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';
import { comparisonTable } from './comparison.ts';
import { measuredTable, PAGE, withComparison } from './comparison-page.ts';
import { COMPARED_PROCESSES } from './order-mix.ts';
import type { CostReport } from './report.ts';

const page = readFileSync(PAGE, 'utf8');
const root = join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };

/** Of orders that used nothing. */
const nothing = {
  ...{
    mix: 'no order',
    orders: 1,
    clients: 1,
    stage: 'prod',
    region: 'us-east-1',
    pricesOf: '2026-11-30',
    counted: {},
  },
  ...{ latencyMs: { p50: 1, p95: 2 }, aMillionOrders: [], storage: [] },
} as unknown as CostReport;
const empty = comparisonTable(COMPARED_PROCESSES.map((process) => ({ process, report: nothing })));
const titlesOf = (table: string) =>
  table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ')[0]);

describe('docs/choreography-or-orchestration.md', () => {
  test('has the figures that the command prints, of each form', () => {
    const table = measuredTable(page);
    expect(titlesOf(table)).toEqual(titlesOf(empty));
    for (const process of COMPARED_PROCESSES) expect(table.split('\n')[0]).toContain(process);
    expect(table).toContain('Counted over 300 orders by each process');
  });

  test('gets new figures in the place of the old ones', () => {
    const changed = withComparison(page, empty);
    expect(measuredTable(changed)).toBe(empty);
    expect(changed.replace(empty, '')).toBe(page.replace(measuredTable(page), ''));
    expect(() => withComparison('# Another page', empty)).toThrow('has no "measured by npm run cost"');
  });

  const commands = [...page.matchAll(/\bnpm run ([\w:-]+)(?: -- ([^\n#`]*?))?(?= -->|\s*[\n#`])/g)].map(
    ([, script = '', args = '']) => [script, args.split(/\s+/).filter((arg) => arg.startsWith('--'))] as const,
  );

  test('has commands', () => {
    expect(commands.length).toBeGreaterThan(6);
  });

  test.each(commands)('npm run %s has the options %j', async (script, options) => {
    expect(scripts).toHaveProperty(script);
    const { stdout } = await runScript(script, '--help');
    for (const option of options) expect(stdout).toContain(option);
  });
});
