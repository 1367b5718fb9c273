/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const pipesDifferences: readonly string[] = [
  'Sources are SQS queues, DynamoDB streams and Kinesis streams. Pipes from Kafka and message brokers are refused by name.',
  'Enrichments are functions, Express state machines and API destinations; targets are these, queues, topics, buses, Kinesis streams, Firehose streams and log groups.',
  'A pipe writes no log. It is never stopped by errors that go on, and of a queue it handles up to ten batches at once.',
  'Every failure counts as a receive of the queue; on AWS a failure of AWS itself does not.',
];
