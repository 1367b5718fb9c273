/** How a column is written. */
export interface Column {
  title: string;
  align?: 'right';
}

/** Aligned columns with a title line. What a terminal would take for a command is left out. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, index) =>
    lines.reduce((widest, line) => Math.max(widest, line[index]?.length ?? 0), 0),
  );
  return lines
    .map((line) =>
      columns
        .map(({ align }, index) => {
          const [cell = '', width = 0] = [line[index], widths[index]];
          return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The text on one line, without control characters: what is shown may have come from anywhere. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
