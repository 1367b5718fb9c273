/**
 * Limits of AWS that code and templates have to stay within, each with the page that names it. They cannot be raised, unless
 * the comment says so. Keep every such number here: what the build accepts, the local runtime and AWS must accept as well.
 *
 * @example if (detailType.length > eventBridgeLimits.detailTypeLength) throw …
 */

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html, and the page at each limit */
export const eventBridgeLimits = {
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
  entriesPerPut: 10,
  /** Bytes of all entries of one call. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
  bytesPerPut: 1024 * 1024,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
  detailTypeLength: 128,
  /** Of each of the resources of an entry. Same page. */
  resourceLength: 2048,
  /** Same page. */
  traceHeaderLength: 500,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html */
  busNameLength: 256,
  /** Of a name or an ARN. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
  busNameOrArnLength: 1600,
  /** Of a bus. It can be raised. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
  policyLength: 10_240,
  /** Of a bus. It can be raised. Same page. */
  rulesPerBus: 300,
  /** It can be raised. Same page. */
  targetsPerRule: 5,
  /** Of a rule's pattern. It can be raised as far as `raisedPatternLength`. Same page. */
  patternLength: 2048,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html */
  raisedPatternLength: 4096,
  /** Same page. */
  ruleNameLength: 64,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html */
  targetIdLength: 64,
  /** Of a target that is a FIFO queue; SQS takes 128. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_SqsParameters.html */
  messageGroupIdLength: 100,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html */
  retryAttempts: 185,
  /** Seconds. Same page. */
  retryAge: 24 * 60 * 60,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html */
  archiveNameLength: 48,
  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html */
  replayNameLength: 64,
} as const;

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html, and the page at each limit */
export const schedulerLimits = {
  /** Of a schedule. */
  nameLength: 64,
  /** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html */
  groupNameLength: 64,
  /** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html */
  retryAttempts: 185,
  /** Seconds. Same page. */
  retryAge: 24 * 60 * 60,
} as const;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html, and the page at each limit */
export const sqsLimits = {
  /** Bytes of body and attributes of a message, and of all messages of one call. */
  messageBytes: 1024 * 1024,
  /** Messages of one batch call. */
  batchEntries: 10,
  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
  messageAttributes: 10,
  /** With `.fifo`. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html */
  queueNameLength: 80,
  /** Seconds. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
  retention: { minimum: 60, maximum: 14 * 24 * 60 * 60 },
  /** Seconds, counted from the receive. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
  visibilityTimeout: 12 * 60 * 60,
  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
  maxReceiveCount: 1000,
} as const;

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html, and the page at each limit */
export const lambdaLimits = {
  /** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
  functionNameLength: 64,
  /** Seconds. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  timeout: 900,
  /** Bytes of names and values. Same page. */
  environmentBytes: 4096,
  /** Bytes of an event or an answer. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  payloadBytes: 6 * 1024 * 1024,
  /** Bytes of the event of an asynchronous invocation. Same page. */
  asyncPayloadBytes: 1024 * 1024,
  /** Messages of a standard queue, or records of a stream. */
  batchSize: 10_000,
  fifoBatchSize: 10,
  /** Messages above which a `batchWindow` is necessary. */
  batchSizeWithoutWindow: 10,
  /** Seconds. */
  batchWindow: 300,
  /** https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html */
  maximumConcurrency: { minimum: 2, maximum: 1000 },
  /** Of mappings of streams: batches of a shard at once, attempts, and seconds. https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html */
  streams: { parallelization: 10, retryAttempts: 10_000, recordAge: 60 },
  /** 5, which can be raised to 10. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html */
  filters: 10,
  /** https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html */
  filterPatternLength: 4096,
} as const;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, and the page at each limit */
export const durableLimits = {
  /** Seconds of an execution, and of whatever one waits for. https://docs.aws.amazon.com/lambda/latest/api/API_DurableConfig.html */
  seconds: 366 * 24 * 60 * 60,
  /** Days. Same page. */
  retention: { minimum: 1, maximum: 90, default: 14 },
  /** Of an execution, retries included. */
  operations: 3000,
  /** That one execution keeps, in all. */
  bytes: 100 * 1024 * 1024,
  /** Of one operation, and of an asynchronous execution. https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html */
  operationPayloadBytes: 1024 * 1024,
  /** Of a page. https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionHistory.html */
  pageSize: { default: 100, maximum: 1000 },
  /** Minutes that a client token is remembered. https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html */
  clientTokenMinutes: 15,
  /** https://docs.aws.amazon.com/lambda/latest/api/API_Execution.html */
  nameLength: 64,
} as const;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const stackLimits = { resources: 500, parameters: 200, outputs: 200 } as const;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const roleNameLength = 64;

/** The property that names a resource, and its longest value, by type: from the API reference of its service. */
export const nameLimits: Readonly<Record<string, { property: string; length: number }>> = {
  'AWS::CloudWatch::Alarm': { property: 'AlarmName', length: 255 },
  'AWS::DynamoDB::Table': { property: 'TableName', length: 255 },
  'AWS::Events::Archive': { property: 'ArchiveName', length: eventBridgeLimits.archiveNameLength },
  'AWS::Events::EventBus': { property: 'Name', length: eventBridgeLimits.busNameLength },
  'AWS::Events::Rule': { property: 'Name', length: eventBridgeLimits.ruleNameLength },
  'AWS::IAM::Role': { property: 'RoleName', length: roleNameLength },
  'AWS::Kinesis::Stream': { property: 'Name', length: 128 },
  'AWS::Lambda::Function': { property: 'FunctionName', length: lambdaLimits.functionNameLength },
  'AWS::Logs::LogGroup': { property: 'LogGroupName', length: 512 },
  'AWS::Pipes::Pipe': { property: 'Name', length: 64 },
  'AWS::Scheduler::Schedule': { property: 'Name', length: 64 },
  'AWS::SNS::Topic': { property: 'TopicName', length: 256 },
  'AWS::SQS::Queue': { property: 'QueueName', length: sqsLimits.queueNameLength },
};
