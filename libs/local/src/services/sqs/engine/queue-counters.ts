/**
 * What SQS counts of a queue, since it was created or this process started.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export interface QueueCounters {
  NumberOfMessagesSent: number;
  NumberOfMessagesReceived: number;
  NumberOfMessagesDeleted: number;
  NumberOfEmptyReceives: number;
  NumberOfDeduplicatedSentMessages: number;
  SentMessageSize: number;
}

export const newCounters = (): QueueCounters => ({
  NumberOfMessagesSent: 0,
  NumberOfMessagesReceived: 0,
  NumberOfMessagesDeleted: 0,
  NumberOfEmptyReceives: 0,
  NumberOfDeduplicatedSentMessages: 0,
  SentMessageSize: 0,
});
