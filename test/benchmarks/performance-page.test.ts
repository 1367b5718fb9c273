import { describe, expect, test } from '@jest/globals';
import { rowsOf, withRow } from './performance-page.ts';

const page = `# Performance

## One

Text with a | in it.

| Commit | Orders/s |
|---|---:|
| \`aaa\` | 1.0 |

Below it.

## Two

| Commit | Events/s |
|---|---:|
`;

describe('a table of the page', () => {
  test('has rows, by the titles of its columns', () => {
    expect(rowsOf(page, 'One')).toEqual([{ Commit: '`aaa`', 'Orders/s': '1.0' }]);
    expect(rowsOf(page, 'Two')).toEqual([]);
  });

  test('gets a new row at its end, and nothing else changes', () => {
    const changed = withRow(page, 'One', { 'Orders/s': '2.0', Commit: '`bbb`' });
    expect(changed).toBe(page.replace('| 1.0 |\n', '| 1.0 |\n| `bbb` | 2.0 |\n'));
    expect(rowsOf(withRow(changed, 'Two', { Commit: '`ccc`', 'Events/s': '3' }), 'Two')).toHaveLength(1);
  });

  test('that is not there, or has other columns, is an error', () => {
    expect(() => rowsOf(page, 'Three')).toThrow('docs/performance.md has no table "Three"');
    expect(() => rowsOf(page.replace('## Two', '## No table\n\n## Two'), 'No table')).toThrow('no table "No table"');
    expect(() => withRow(page, 'One', { Commit: 'x' })).toThrow('has the columns Commit, Orders/s, and not Commit');
  });
});
