import { printable } from '@millrace/command-line';
import type { QueryResult } from './lake-database.ts';
import type { ChartColumns } from './named-queries.ts';

/** One bar. */
export interface Bar {
  label: string;
  series: string | undefined;
  value: number;
}

/** So many characters are left for bars, however long the labels are. */
const SHORTEST = 10;
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
 * Numbers as people read them, all with as many digits behind the point, so that they line up.
 * @example formatNumbers([1200, 3.5]); // ['1,200.0', '3.5']
 */
export function formatNumbers(numbers: readonly number[]): string[] {
  const digits = Math.max(0, ...numbers.map((each) => (String(each).split('.')[1] ?? '').length));
  const fractions = Math.min(digits, 3);
  const format = { minimumFractionDigits: fractions, maximumFractionDigits: fractions };
  return numbers.map((each) => each.toLocaleString('en', format));
}

/** Cuts a text that is too long, and says so. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The label of a bar with its series. */
export function nameOf({ label, series }: Bar): string {
  return series === undefined ? label : `${label} ${series}`;
}

/**
 * Draws bars for a terminal: one line each, the longest as wide as there is room.
 * @param width of the terminal, in characters
 * @example drawBars([{ label: 'Mon', series: undefined, value: 3 }], 80)
 */
export function drawBars(bars: readonly Bar[], width = 80): string {
  const values = formatNumbers(bars.map(({ value }) => value));
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const names = bars.map((bar) => cut(printable(nameOf(bar)), Math.max(10, width - longest(values) - 4 - SHORTEST)));
  const room = Math.max(SHORTEST, width - longest(names) - longest(values) - 4);
  const largest = Math.max(...bars.map(({ value }) => Math.abs(value)), Number.EPSILON);
  return bars
    .map(({ value }, index) => {
      // What is not nothing is to be seen.
      const eighths = Math.max(value === 0 ? 0 : 1, Math.round((Math.abs(value) / largest) * room * 8));
      const bar =
        value < 0 ? '░'.repeat(Math.ceil(eighths / 8)) : '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
      return `${(names[index] ?? '').padEnd(longest(names))}  ${(values[index] ?? '').padStart(longest(values))}  ${bar}`;
    })
    .map((line) => line.trimEnd())
    .join('\n');
}
