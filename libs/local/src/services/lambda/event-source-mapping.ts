import { lambdaLimits } from '@millrace/events/aws-limits';
import type { InvocationResult, InvokeOptions } from './function-pool.ts';
import { checkRange, invalidParameter, validationError } from './lambda-errors.ts';

/** The settings of a mapping that can be changed while it runs, in the API's and CloudFormation's own names. */
export interface EventSourceMappingSettings {
  Enabled?: boolean;
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  FilterCriteria?: { Filters?: { Pattern?: string }[] };
  FunctionResponseTypes?: string[];
  /** SQS only. */
  ScalingConfig?: { MaximumConcurrency?: number };
  /** Streams only, as is everything below. */
  BisectBatchOnFunctionError?: boolean;
  /** -1: until the record is too old. */
  MaximumRetryAttempts?: number;
  /** -1: never too old. */
  MaximumRecordAgeInSeconds?: number;
  ParallelizationFactor?: number;
  /** 0: records are handled without windows. */
  TumblingWindowInSeconds?: number;
  DestinationConfig?: { OnFailure?: { Destination?: string } };
}

/** The resolved properties of an AWS::Lambda::EventSourceMapping. */
export interface EventSourceMappingProperties extends EventSourceMappingSettings {
  EventSourceArn: string;
  FunctionName: string;
  StartingPosition?: string;
  /** Of AT_TIMESTAMP: seconds since the epoch. */
  StartingPositionTimestamp?: number;
  /** The function that has had the records so far, by its ARN, where it is another one. */
  positionOf?: string;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html */
export interface EventSourceMappingConfiguration extends Omit<EventSourceMappingSettings, 'Enabled'> {
  UUID: string;
  EventSourceArn: string;
  FunctionArn: string;
  State: 'Enabled' | 'Disabling' | 'Disabled';
  StateTransitionReason: string;
  /** Epoch seconds. */
  LastModified: number;
  StartingPosition?: string;
  /** Epoch seconds. */
  StartingPositionTimestamp?: number;
}

/** Something that polls an event source and invokes a function with batches of its records. */
export interface EventSourceMapping {
  readonly uuid: string;
  configuration(): EventSourceMappingConfiguration;
  /** Changes settings; a disabled mapping finishes the batches under way. Throws AwsError InvalidParameterValueException. */
  update(settings: EventSourceMappingSettings): Promise<void>;
  /** Something may have arrived: polls now. */
  wake(): void;
  /** Stops polling and waits for the batches under way. */
  stop(): Promise<void>;
}

/** Calls the function with an event in JSON, as FunctionPool.invoke does. */
export type Invoke = (payload: string, options?: InvokeOptions) => Promise<InvocationResult>;

/** Settings that only streams have. */
const STREAM_SETTINGS = [
  'StartingPosition',
  'StartingPositionTimestamp',
  'ParallelizationFactor',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'TumblingWindowInSeconds',
  'DestinationConfig',
] as const;

/** Settings of event sources that are not here. */
const OTHER_SETTINGS = [
  'Topics',
  'Queues',
  'SourceAccessConfigurations',
  'SelfManagedEventSource',
  'AmazonManagedKafkaEventSourceConfig',
  'SelfManagedKafkaEventSourceConfig',
  'DocumentDBEventSourceConfig',
] as const;

/**
 * Checks the settings of a mapping.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 * @param queueArn of an SQS queue; without it the source is a stream
 * @param stream what the stream is of
 * @throws AwsError ValidationException, InvalidParameterValueException
 */
export function checkSettings(settings: EventSourceMappingSettings, queueArn?: string, stream = 'DynamoDB'): void {
  checkRange('BatchSize', settings.BatchSize, 1, lambdaLimits.batchSize);
  checkRange('MaximumBatchingWindowInSeconds', settings.MaximumBatchingWindowInSeconds, 0, lambdaLimits.batchWindow);
  for (const type of settings.FunctionResponseTypes ?? []) {
    if (type !== 'ReportBatchItemFailures') {
      throw validationError(
        [type],
        'functionResponseTypes',
        'Member must satisfy enum value set: [ReportBatchItemFailures]',
      );
    }
  }
  checkFilters(settings);
  const given: Readonly<Record<string, unknown>> = { ...settings };
  const source = queueArn === undefined ? stream : 'SQS';
  const foreign = [...OTHER_SETTINGS, ...(queueArn === undefined ? (['ScalingConfig'] as const) : STREAM_SETTINGS)];
  for (const name of foreign) {
    if (given[name] !== undefined) throw invalidParameter(`${name} is not valid for ${source} event sources.`);
  }
  for (const name of ['ProvisionedPollerConfig', 'MetricsConfig', 'LoggingConfig']) {
    // A template that has one is warned of it.
    if (given[name] !== undefined) throw invalidParameter(`${name} is not available on this machine`);
  }
  if (queueArn === undefined) checkStreamSettings(settings);
  else checkQueueSettings(settings, queueArn);
}

function checkQueueSettings(settings: EventSourceMappingSettings, queueArn: string): void {
  const { BatchSize = 10, MaximumBatchingWindowInSeconds: window = 0, ScalingConfig } = settings;
  const { minimum, maximum } = lambdaLimits.maximumConcurrency;
  checkRange('MaximumConcurrency', ScalingConfig?.MaximumConcurrency, minimum, maximum);
  if (queueArn.endsWith('.fifo')) {
    if (BatchSize > lambdaLimits.fifoBatchSize) {
      throw invalidParameter(`The maximum batch size of a FIFO queue is ${lambdaLimits.fifoBatchSize}`);
    }
    if (window > 0) throw invalidParameter('Batching window is not supported for FIFO queues');
  }
  if (BatchSize > lambdaLimits.batchSizeWithoutWindow && window < 1) {
    throw invalidParameter(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    );
  }
}

function checkStreamSettings(settings: EventSourceMappingSettings): void {
  const { MaximumRecordAgeInSeconds: age } = settings;
  checkRange('MaximumRetryAttempts', settings.MaximumRetryAttempts, -1, 10_000);
  checkRange('MaximumRecordAgeInSeconds', age, -1, 604_800);
  checkRange('ParallelizationFactor', settings.ParallelizationFactor, 1, 10);
  checkRange('TumblingWindowInSeconds', settings.TumblingWindowInSeconds, 0, 900);
  if (settings.TumblingWindowInSeconds && (settings.ParallelizationFactor ?? 1) > 1) {
    throw invalidParameter('A tumbling window needs a ParallelizationFactor of 1 on this machine');
  }
  if (age !== undefined && age !== -1 && age < 60) {
    throw invalidParameter(
      'MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)',
    );
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html */
function checkFilters({ FilterCriteria }: EventSourceMappingSettings): void {
  const filters = FilterCriteria?.Filters ?? [];
  const { filters: most, filterPatternLength } = lambdaLimits;
  if (filters.length > most)
    throw invalidParameter(`A mapping can have at most ${most} filters, not ${filters.length}`);
  for (const { Pattern = '' } of filters) {
    if (Pattern.length > filterPatternLength) {
      throw validationError(
        `${Pattern.slice(0, 100)}…`,
        'filterCriteria.filters.member.pattern',
        `Member must have length less than or equal to ${filterPatternLength}`,
      );
    }
  }
}

/** True when the function says itself which records of a batch failed. */
export function reportsBatchItemFailures(settings: EventSourceMappingSettings): boolean {
  return settings.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false;
}
