/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const dynamodbDifferences: readonly string[] = [
  'Tables and indexes can be used at once, and settings change at once.',
  'Global indexes and reads that are not consistent are never behind.',
  'Time to Live deletes within a second; AWS takes up to a few days.',
  'A stream has one open shard and is read as soon as it has a record; AWS reads it four times a second.',
  'A stream keeps its newest 100,000 records at least, and not more than 110,000, of the last 24 hours.',
  'Transactions conflict, and capacity is limited, only with --faults.',
  'PartiQL, backups, global tables, imports, exports and resource policies are refused by name. Nothing is encrypted.',
  'Numbers of items and sizes of tables are those of now; AWS updates them about every six hours.',
];
