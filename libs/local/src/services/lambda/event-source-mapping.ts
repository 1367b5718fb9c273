import { lambdaLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { InvocationResult } from './function-pool.ts';

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
  DestinationConfig?: { OnFailure?: { Destination?: string } };
}

/** The resolved properties of an AWS::Lambda::EventSourceMapping. */
export interface EventSourceMappingProperties extends EventSourceMappingSettings {
  EventSourceArn: string;
  FunctionName: string;
  StartingPosition?: string;
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
export type Invoke = (payload: string) => Promise<InvocationResult>;

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}

function checkNumber(name: string, value: unknown, min: number, max: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
  }
}

/**
 * Checks what SQS and stream mappings have in common.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 * @throws AwsError InvalidParameterValueException
 */
export function checkSettings(settings: EventSourceMappingSettings, maxBatchSize: number): void {
  checkNumber('BatchSize', settings.BatchSize, 1, maxBatchSize);
  checkNumber('MaximumBatchingWindowInSeconds', settings.MaximumBatchingWindowInSeconds, 0, lambdaLimits.batchWindow);
  const { minimum, maximum } = lambdaLimits.maximumConcurrency;
  checkNumber('MaximumConcurrency', settings.ScalingConfig?.MaximumConcurrency, minimum, maximum);
  checkNumber('MaximumRetryAttempts', settings.MaximumRetryAttempts, -1, 10_000);
  checkNumber('MaximumRecordAgeInSeconds', settings.MaximumRecordAgeInSeconds, -1, 604_800);
  for (const type of settings.FunctionResponseTypes ?? []) {
    if (type !== 'ReportBatchItemFailures') throw invalid(`Unknown FunctionResponseType ${type}`);
  }
}

/** True when the function says itself which records of a batch failed. */
export function reportsBatchItemFailures(settings: EventSourceMappingSettings): boolean {
  return settings.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false;
}
