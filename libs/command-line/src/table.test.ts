import { expect, test } from '@jest/globals';
import { formatTable } from './table.ts';

test('a table is aligned, and a cell cannot write to the terminal', () => {
  const table = formatTable(
    [{ title: 'QUEUE' }, { title: 'LETTERS', align: 'right' }, { title: 'REASONS' }],
    [
      ['a', '1', ''],
      ['a longer one', '5,000', 'RED\u001b[31m\nX'],
    ],
  );
  expect(table.split('\n')).toEqual([
    'QUEUE         LETTERS  REASONS',
    'a                   1',
    'a longer one    5,000  RED [31m X',
  ]);
});
