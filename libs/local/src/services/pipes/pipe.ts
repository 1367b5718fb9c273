/** The states that a pipe is in. https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_DescribePipe.html */
export type PipeState =
  | ('RUNNING' | 'STOPPED' | 'CREATING' | 'UPDATING' | 'DELETING' | 'STARTING' | 'STOPPING')
  | ('CREATE_FAILED' | 'UPDATE_FAILED' | 'START_FAILED');

/** What streams and queues have in common, and what streams alone have. */
export interface SourceSettings {
  BatchSize?: number;
  MaximumBatchingWindowInSeconds?: number;
  StartingPosition?: string;
  /** Of AT_TIMESTAMP: seconds since the epoch. */
  StartingPositionTimestamp?: number;
  DeadLetterConfig?: { Arn?: string };
  OnPartialBatchItemFailure?: string;
  MaximumRecordAgeInSeconds?: number;
  MaximumRetryAttempts?: number;
  ParallelizationFactor?: number;
}

export interface SourceParameters {
  FilterCriteria?: { Filters?: { Pattern?: string }[] };
  SqsQueueParameters?: SourceSettings;
  DynamoDBStreamParameters?: SourceSettings;
  KinesisStreamParameters?: SourceSettings;
}

export interface HttpParameters {
  PathParameterValues?: string[];
  HeaderParameters?: Record<string, string>;
  QueryStringParameters?: Record<string, string>;
}

export interface EnrichmentParameters {
  InputTemplate?: string;
  HttpParameters?: HttpParameters;
}

type InvocationType = 'REQUEST_RESPONSE' | 'FIRE_AND_FORGET';

export interface TargetParameters {
  InputTemplate?: string;
  LambdaFunctionParameters?: { InvocationType?: InvocationType };
  StepFunctionStateMachineParameters?: { InvocationType?: InvocationType };
  SqsQueueParameters?: { MessageGroupId?: string; MessageDeduplicationId?: string };
  EventBridgeEventBusParameters?: { DetailType?: string; Source?: string; Resources?: string[]; Time?: string };
  KinesisStreamParameters?: { PartitionKey: string };
  CloudWatchLogsParameters?: { LogStreamName?: string; Timestamp?: string };
  HttpParameters?: HttpParameters;
}

/** What a caller or a template says of a pipe, by the names of the API. */
export interface PipeDefinition {
  Name: string;
  Source: string;
  Target: string;
  RoleArn: string;
  Description?: string;
  DesiredState?: 'RUNNING' | 'STOPPED';
  SourceParameters?: SourceParameters;
  Enrichment?: string;
  EnrichmentParameters?: EnrichmentParameters;
  TargetParameters?: TargetParameters;
  LogConfiguration?: object;
  KmsKeyIdentifier?: string;
  Tags?: Record<string, string>;
}

/** A pipe as it is kept. */
export interface Pipe extends PipeDefinition {
  Arn: string;
  DesiredState: 'RUNNING' | 'STOPPED';
  CurrentState: PipeState;
  StateReason?: string | undefined;
  /** Epoch seconds. */
  CreationTime: number;
  LastModifiedTime: number;
  /** A template has it. */
  isDeclared: boolean;
}

/** The service of an ARN, e.g. `sqs`. */
export function kindOf(arn: string): string {
  return arn.split(':')[2] ?? '';
}
