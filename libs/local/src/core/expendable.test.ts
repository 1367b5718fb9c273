import { expect, test } from '@jest/globals';
import { expendable } from './expendable.ts';

test('a write that fails is warned of once, and again after one that succeeded', () => {
  const warnings: string[] = [];
  let isFull = false;
  const write = expendable(
    'Log lines are lost',
    (line) => warnings.push(line),
    () => {
      if (isFull) throw new Error('disk I/O error');
    },
  );

  for (const full of [false, true, true, false, true]) {
    isFull = full;
    write();
  }

  const warning = 'Log lines are lost: disk I/O error';
  expect(warnings).toEqual([warning, warning]);
});
