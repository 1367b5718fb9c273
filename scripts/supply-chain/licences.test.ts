import { describe, expect, test } from '@jest/globals';
import { isAllowed, parseLicence } from './licence-expression.ts';
import { licenceProblems } from './licences.ts';
import type { ShippedPackage } from './shipped-packages.ts';

describe('licenceProblems', () => {
  const allowed = new Set(['MIT', 'Apache-2.0', 'BSD-3-Clause']);
  const shipped = (licence: string | undefined): ShippedPackage => ({
    name: 'left-pad',
    version: '1.3.0',
    licence,
    services: ['orders', 'payments'],
    direct: true,
    dependsOn: [],
    integrity: undefined,
  });

  test.each([
    ['GPL-3.0-only', 'left-pad@1.3.0 (in orders, payments) has a licence that is not allowed: GPL-3.0-only'],
    ['MIT AND GPL-2.0-only', 'left-pad@1.3.0 (in orders, payments) has a licence that is not allowed: MIT AND'],
    ['SEE LICENSE IN a.txt', 'left-pad@1.3.0 (in orders, payments) has a licence that is no SPDX expression: "SEE'],
    [undefined, 'left-pad@1.3.0 (in orders, payments) names no licence'],
  ])('%s', (licence, problem) => {
    expect(licenceProblems([shipped('MIT'), shipped(licence)], allowed)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('a licence expression', () => {
  const allowed = new Set(['MIT', 'Apache-2.0', 'BSD-3-Clause', 'GPL-2.0-only WITH Classpath-exception-2.0']);

  test.each([
    ['MIT', true],
    ['MIT-0', false],
    ['mit', false],
    ['GPL-3.0-only OR MIT', true],
    ['(MIT OR GPL-3.0-only) AND Apache-2.0', true],
    ['(MIT OR Apache-2.0) AND GPL-3.0-only', false],
    // AND binds before OR.
    ['MIT OR Apache-2.0 AND GPL-3.0-only', true],
    ['GPL-3.0-only AND MIT OR GPL-2.0-only', false],
    ['MIT AND Apache-2.0 AND BSD-3-Clause', true],
    ['((MIT))', true],
    ['Apache-2.0+', false],
    ['GPL-2.0-only WITH Classpath-exception-2.0', true],
    ['GPL-2.0-only', false],
    ['MIT WITH Classpath-exception-2.0', false],
    ['LicenseRef-ours', false],
  ])('%s is allowed: %s', (text, expected) => {
    const expression = parseLicence(text);
    if (expression === undefined) throw new Error(`${text} was not read`);
    expect(isAllowed(expression, allowed)).toBe(expected);
  });

  test.each(['', 'OR', 'MIT OR', 'MIT Apache-2.0', '(MIT', 'MIT)', '()', 'MIT AND OR', 'MIT WITH', 'MIT/X11', 'a, b'])(
    '"%s" is none',
    (text) => {
      expect(parseLicence(text)).toBeUndefined();
    },
  );
});
