import { sqsLimits as documented } from '@millrace/events/aws-limits';

/**
 * The quotas of SQS: those that services are checked by as well, and those that only SQS itself looks at.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
 */
export const sqsLimits = {
  ...documented,
  attributeNameLength: 256,
  attributeTypeLength: 256,
  batchIdLength: 80,
  delaySeconds: 900,
  waitSeconds: 20,
  receivedMessages: 10,
  /** Received and not yet deleted, in one queue. */
  messagesInFlight: 120_000,
  listedQueues: 1000,
  tags: 50,
  tagKeyLength: 128,
  tagValueLength: 256,
  permissionActions: 7,
  policyStatements: 20,
  /** Between two purges of a queue. */
  purgeMs: 60_000,
  /** Between the deletion of a queue and the creation of another of its name. */
  deletedMs: 60_000,
  deduplicationMs: 300_000,
  moveTaskRate: 500,
  listedMoveTasks: 10,
} as const;
