import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { accepted } from './accepted-mutants.ts';
import type { MutantReport } from './try-mutants.ts';

describe('every change to a template that might weaken it', () => {
  let report: MutantReport;

  beforeAll(async () => {
    const script = join(import.meta.dirname, 'try-mutants.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 64 * 1024 * 1024 });
    report = JSON.parse(stdout);
  });

  test('is found by a rule, or accepted with a reason', () => {
    expect(report.survivors).toEqual([]);
  });

  test('and none is accepted that is found: it would hide the next gap', () => {
    expect(accepted.filter((_, index) => report.accepted[index] === 0)).toEqual([]);
  });

  test('is tried alone', () => {
    expect(report.left).toEqual([]);
    expect(report.tried).toBeGreaterThan(20_000);
  });
});
