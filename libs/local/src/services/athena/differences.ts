/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const athenaDifferences: readonly string[] = [
  'Work groups and named queries are those that templates declare, read only. No query runs here: `npm run analytics` runs them with DuckDB.',
];
