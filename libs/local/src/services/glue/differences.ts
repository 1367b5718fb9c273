/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const glueDifferences: readonly string[] = [
  'The Data Catalog has the databases and tables that templates declare, read only: no crawlers, jobs, partitions or schemas.',
  'A table that no query of Athena could read is refused at the start: its SerDe, location, types and partition projection are checked.',
];
