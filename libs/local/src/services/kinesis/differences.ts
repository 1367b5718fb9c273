/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const kinesisDifferences: readonly string[] = [
  'Streams, shards and consumers can be used at once, and settings change at once.',
  'A stream on demand keeps its four shards.',
  'Throughput is limited only with --faults throttling.',
  'SubscribeToShard, resource policies, channels, warm throughput and record distribution are refused by name.',
  'Keys of KMS and shard-level metrics are kept and have no effect.',
  'How often a mode or a number of shards may change in a day is not limited.',
];
