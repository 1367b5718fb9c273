/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const firehoseDifferences: readonly string[] = [
  'Delivery streams deliver to S3 only. Other destinations and sources, format conversion, backup of source records, UpdateDestination, and compression other than GZIP are refused by name.',
  'The jq of dynamic partitioning can be paths, for example {customer: .customer.id, day: ."created-at"[0:10]}. Anything else is refused.',
  'Records are transformed when they are delivered. All partitions of a delivery stream share one buffer.',
  'A delivery that fails is tried again until it succeeds; AWS gives it up after 24 hours.',
  'Without a data directory, what waits in a buffer ends with the process.',
  'Nothing is encrypted, and errors are warned of, not logged to CloudWatch Logs.',
];
