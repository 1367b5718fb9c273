import type { Input } from '../../core/access.ts';

const BATCHING = ['BatchSize', 'MaximumBatchingWindowInSeconds'];
const HTTP = ['PathParameterValues', 'HeaderParameters', 'QueryStringParameters'];
const INVOCATION = ['InvocationType'];

const STREAM = [
  ...BATCHING,
  ...['StartingPosition', 'DeadLetterConfig', 'OnPartialBatchItemFailure', 'MaximumRecordAgeInSeconds'],
  ...['MaximumRetryAttempts', 'ParallelizationFactor'],
];

/** The parameters that have the effect here that they have at AWS, by the structure they are in. */
const SUPPORTED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  SourceParameters: {
    FilterCriteria: ['Filters'],
    SqsQueueParameters: BATCHING,
    DynamoDBStreamParameters: STREAM,
    KinesisStreamParameters: [...STREAM, 'StartingPositionTimestamp'],
  },
  EnrichmentParameters: { InputTemplate: [], HttpParameters: HTTP },
  TargetParameters: {
    InputTemplate: [],
    LambdaFunctionParameters: INVOCATION,
    StepFunctionStateMachineParameters: INVOCATION,
    SqsQueueParameters: ['MessageGroupId', 'MessageDeduplicationId'],
    EventBridgeEventBusParameters: ['DetailType', 'Source', 'Resources', 'Time'],
    KinesisStreamParameters: ['PartitionKey'],
    CloudWatchLogsParameters: ['LogStreamName', 'Timestamp'],
    HttpParameters: HTTP,
  },
};

/**
 * The parameters of a pipe that have no effect here, by their paths.
 * @example unsupportedParameters({ TargetParameters: { BatchJobParameters: {} } }) // ['TargetParameters.BatchJobParameters']
 */
export function unsupportedParameters(definition: Input): string[] {
  const found: string[] = [];
  for (const [property, structures] of Object.entries(SUPPORTED)) {
    for (const [name, value] of Object.entries((definition[property] ?? {}) as object)) {
      const members = structures[name];
      if (!members) found.push(`${property}.${name}`);
      else if (typeof value === 'object' && value !== null) {
        const unknown = Object.keys(value).filter((member) => !members.includes(member));
        found.push(...unknown.map((member) => `${property}.${name}.${member}`));
      }
    }
  }
  return found;
}
