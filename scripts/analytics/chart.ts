import { printable } from '@millrace/command-line';
import type { QueryResult } from './lake-database.ts';
import type { ChartColumns } from './named-queries.ts';

/** One bar. */
export interface Bar {
  label: string;
  series: string | undefined;
  value: number;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * The bars of a result.
 *
 * @param columns of a named query; for any other the first column and the first one with numbers
 * @returns an empty list when the result has no such columns
 */
export function barsOf({ columns, rows }: QueryResult, chart?: ChartColumns): Bar[] {
  const indexOf = (name: string | undefined): number => columns.findIndex((column) => column.name === name);
  const value = chart ? indexOf(chart.value) : columns.findIndex(({ isNumber }, index) => isNumber && index > 0);
  const label = chart ? indexOf(chart.label) : 0;
  const series = indexOf(chart?.series);
  if (value < 0 || label < 0) return [];
  return rows.map((row) => ({
    label: String(row[label] ?? '–'),
    series: series < 0 ? undefined : String(row[series] ?? '–'),
    value: Number(row[value] ?? 0),
  }));
}

/**
 * Draws bars for a terminal: one line each, the longest as wide as there is room.
 * @param width of the terminal, in characters
 * @example drawBars([{ label: 'Mon', series: undefined, value: 3 }], 80)
 */
export function drawBars(bars: readonly Bar[], width = 80): string {
  const names = bars.map(({ label, series }) => printable(series === undefined ? label : `${label} ${series}`));
  const values = bars.map(({ value }) => value.toLocaleString('en'));
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const room = Math.max(10, width - longest(names) - longest(values) - 4);
  const largest = Math.max(...bars.map(({ value }) => Math.abs(value)), Number.EPSILON);
  return bars
    .map(({ value }, index) => {
      const eighths = Math.round((Math.abs(value) / largest) * room * 8);
      const bar = (value < 0 ? '░' : '█').repeat(Math.floor(eighths / 8)) + (value < 0 ? '' : EIGHTHS[eighths % 8]);
      return `${(names[index] ?? '').padEnd(longest(names))}  ${(values[index] ?? '').padStart(longest(values))}  ${bar}`;
    })
    .map((line) => line.trimEnd())
    .join('\n');
}
