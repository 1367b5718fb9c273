import { list, mapOf, oneOf, required, structure, text, time, whole } from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html

const name = text({ min: 1, max: 64, pattern: /^[.\-_A-Za-z0-9]+$/ });
const arn = text({ min: 1, max: 1600, pattern: /^arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$/ });
const optionalArn = text({ max: 1600, pattern: /^$|^arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$/ });
const source = text({
  min: 1,
  max: 1600,
  pattern: /^smk:\/\/.+:\d{1,5}$|^arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$/,
});
const roleArn = text({ min: 1, max: 1600, pattern: /^arn:aws[a-zA-Z-]*:iam::\d{12}:role\/?[a-zA-Z0-9+=,.@\-_/]+$/ });
const desiredState = oneOf('RUNNING', 'STOPPED');
const tags = mapOf(text({ max: 256 }));
const invocation = structure({ InvocationType: oneOf('REQUEST_RESPONSE', 'FIRE_AND_FORGET') });
const inputTemplate = text({ max: 8192 });
const http = structure({
  PathParameterValues: list(text()),
  HeaderParameters: mapOf(text({ max: 512 })),
  QueryStringParameters: mapOf(text({ max: 512 })),
});

const batching = {
  BatchSize: whole({ min: 1, max: 10_000 }),
  MaximumBatchingWindowInSeconds: whole({ min: 0, max: 300 }),
};
const stream = {
  ...batching,
  DeadLetterConfig: structure({ Arn: arn }),
  OnPartialBatchItemFailure: oneOf('AUTOMATIC_BISECT'),
  MaximumRecordAgeInSeconds: whole({ min: -1, max: 604_800 }),
  MaximumRetryAttempts: whole({ min: -1, max: 10_000 }),
  ParallelizationFactor: whole({ min: 1, max: 10 }),
};
const FilterCriteria = structure({ Filters: list(structure({ Pattern: text({ max: 4096 }) }), { max: 5 }) });
const sourceParameters = structure({
  FilterCriteria,
  SqsQueueParameters: structure(batching),
  DynamoDBStreamParameters: structure({ ...stream, StartingPosition: required(oneOf('TRIM_HORIZON', 'LATEST')) }),
  KinesisStreamParameters: structure({
    ...stream,
    StartingPosition: required(oneOf('TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP')),
    StartingPositionTimestamp: time(),
  }),
});

const common = {
  Name: required(name),
  RoleArn: required(roleArn),
  Description: text({ max: 512 }),
  DesiredState: desiredState,
  Enrichment: optionalArn,
  EnrichmentParameters: structure({ InputTemplate: inputTemplate, HttpParameters: http }),
  TargetParameters: structure({
    InputTemplate: inputTemplate,
    LambdaFunctionParameters: invocation,
    StepFunctionStateMachineParameters: invocation,
    SqsQueueParameters: structure({ MessageGroupId: text({ max: 100 }), MessageDeduplicationId: text({ max: 100 }) }),
    EventBridgeEventBusParameters: structure({
      DetailType: text({ min: 1, max: 128 }),
      Source: text({ min: 1, max: 256, pattern: /^(?!aws\.).+$/ }),
      Resources: list(text({ min: 1, max: 1600 }), { max: 10 }),
      Time: text({ min: 1, max: 256, pattern: /^\$(\.[\w/_-]+(\[(\d+|\*)\])*)*$/ }),
    }),
    KinesisStreamParameters: structure({ PartitionKey: required(text({ max: 256 })) }),
    CloudWatchLogsParameters: structure({
      LogStreamName: text({ min: 1, max: 256 }),
      Timestamp: text({ min: 1, max: 256, pattern: /^\$(\.[\w/_-]+(\[(\d+|\*)\])*)*$/ }),
    }),
    HttpParameters: http,
  }),
  KmsKeyIdentifier: text({ max: 2048, pattern: /^[a-zA-Z0-9_\-/:]*$/ }),
  LogConfiguration: structure({ Level: required(oneOf('OFF', 'ERROR', 'INFO', 'TRACE')) }),
};

export const createPipe = structure({
  ...common,
  Source: required(source),
  Target: required(arn),
  SourceParameters: sourceParameters,
  Tags: tags,
});
export const updatePipe = structure({
  ...common,
  Target: arn,
  SourceParameters: structure({
    FilterCriteria,
    SqsQueueParameters: structure(batching),
    DynamoDBStreamParameters: structure(stream),
    KinesisStreamParameters: structure(stream),
  }),
});
export const pipeName = structure({ Name: required(name) });
export const listPipes = structure({
  NamePrefix: name,
  DesiredState: desiredState,
  CurrentState: text(),
  SourcePrefix: text({ min: 1, max: 1600 }),
  TargetPrefix: text({ min: 1, max: 1600 }),
  Limit: whole({ min: 1, max: 100 }),
  NextToken: text({ min: 1, max: 2048 }),
});
export const tagsOf = structure({ resourceArn: required(arn) });
export const tagResource = structure({ resourceArn: required(arn), tags: required(tags) });
export const untagResource = structure({
  resourceArn: required(arn),
  tagKeys: required(list(text({ min: 1, max: 128 }), { max: 50 })),
});
