import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A row of a table, by the titles of its columns. */
export type Row = Readonly<Record<string, string>>;

/** The page with a row for each version that was measured. */
export const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');

/**
 * The rows of the table below a heading, the oldest first.
 * @throws Error when there is no such heading, or no table below it
 * @example rowsOf(readFileSync(PAGE, 'utf8'), 'Orders').at(-1)?.Commit
 */
export function rowsOf(page: string, heading: string): Row[] {
  const { titles, rows } = tableOf(page, heading);
  return rows.map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(titles.map((title, index) => [title, cells[index] ?? '']));
  });
}

/**
 * Adds a row to the table below a heading.
 * @param row has a cell for each column
 * @returns the page with it
 * @throws Error when the table has other columns
 */
export function withRow(page: string, heading: string, row: Row): string {
  const { titles, end, lines } = tableOf(page, heading);
  if (titles.toSorted().join() !== Object.keys(row).toSorted().join()) {
    throw new Error(
      `The table "${heading}" has the columns ${titles.join(', ')}, and not ${Object.keys(row).join(', ')}`,
    );
  }
  const line = `| ${titles.map((title) => row[title]).join(' | ')} |`;
  return lines.toSpliced(end, 0, line).join('\n');
}

/** Writes a row into the page. */
export function addRow(heading: string, row: Row): void {
  writeFileSync(PAGE, withRow(readFileSync(PAGE, 'utf8'), heading, row));
}

/** The commit of a table's last row, without its backquotes. */
export function lastCommit(heading: string): string | undefined {
  return rowsOf(readFileSync(PAGE, 'utf8'), heading).at(-1)?.Commit?.replaceAll('`', '');
}

function tableOf(page: string, heading: string) {
  const lines = page.split('\n');
  const from = lines.indexOf(`## ${heading}`);
  const start = from === -1 ? -1 : lines.findIndex((line, index) => index > from && line.startsWith('| '));
  const next = lines.findIndex((line, index) => index > from && line.startsWith('## '));
  if (start === -1 || (next !== -1 && next < start)) throw new Error(`docs/performance.md has no table "${heading}"`);
  const after = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  const end = after === -1 ? lines.length : after;
  return { lines, end, titles: cellsOf(lines[start] ?? ''), rows: lines.slice(start + 2, end) };
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
