import { AwsError } from '../../core/aws-error.ts';
import type { Host } from '../../core/service.ts';
import { compileFilter } from '../lambda/event-filter.ts';
import { checkSettings } from '../lambda/event-source-mapping.ts';
import { compileInputTemplate } from './input-template.ts';
import { kindOf, type Pipe } from './pipe.ts';
import { batchSizeOf, largestBatch, SOURCES } from './source.ts';
import { BATCH_LIMITS, isApiDestination } from './target.ts';

/** The parameters that belong to a service, by its name in ARNs. */
const SOURCE_PARAMETERS: Readonly<Record<string, string>> = {
  SqsQueueParameters: 'sqs',
  DynamoDBStreamParameters: 'dynamodb',
  KinesisStreamParameters: 'kinesis',
};
const TARGET_PARAMETERS: Readonly<Record<string, string>> = {
  LambdaFunctionParameters: 'lambda',
  StepFunctionStateMachineParameters: 'states',
  SqsQueueParameters: 'sqs',
  EventBridgeEventBusParameters: 'events',
  KinesisStreamParameters: 'kinesis',
  CloudWatchLogsParameters: 'logs',
};
const TARGETS = new Set(['lambda', 'states', 'events', ...Object.keys(BATCH_LIMITS)]);

/**
 * Checks what a pipe is made of, as far as it can be seen without its source and its target.
 * @throws AwsError ValidationException
 */
export function checkPipe(pipe: Pipe, host: Pick<Host, 'clock'>): void {
  checkKinds(pipe);
  try {
    checkSource(pipe);
    compileInputTemplate(pipe.EnrichmentParameters?.InputTemplate, pipe, () => host.clock.now());
    compileInputTemplate(pipe.TargetParameters?.InputTemplate, pipe, () => host.clock.now());
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

function checkKinds({ Source, SourceParameters, Enrichment, Target, TargetParameters }: Pipe): void {
  const source = kindOf(Source);
  const target = kindOf(Target);
  if (!SOURCES[source])
    throw invalid(`The source ${Source} is not available on this machine: use SQS, DynamoDB or Kinesis`);
  if (source === 'dynamodb' && !SourceParameters?.DynamoDBStreamParameters) {
    throw invalid('DynamoDBStreamParameters are required for a DynamoDB stream');
  }
  if (source === 'kinesis' && !SourceParameters?.KinesisStreamParameters) {
    throw invalid('KinesisStreamParameters are required for a Kinesis stream');
  }
  if (!TARGETS.has(target)) throw invalid(`The target ${Target} is not available on this machine`);
  if (target === 'sns' && Target.endsWith('.fifo')) throw invalid('SNS FIFO topics are not supported as a target');
  if (target === 'sqs' && Target.endsWith('.fifo') && !TargetParameters?.SqsQueueParameters?.MessageGroupId) {
    throw invalid('MessageGroupId is required for a FIFO queue');
  }
  if (target === 'kinesis' && !TargetParameters?.KinesisStreamParameters) {
    throw invalid('KinesisStreamParameters are required for a Kinesis stream');
  }
  const enrichment = kindOf(Enrichment ?? '');
  if (Enrichment && !['lambda', 'states'].includes(enrichment) && !isApiDestination(Enrichment)) {
    throw invalid(`The enrichment ${Enrichment} is not available on this machine`);
  }
  foreign(SourceParameters, SOURCE_PARAMETERS, source);
  foreign(TargetParameters, TARGET_PARAMETERS, target);
}

function foreign(parameters: object | undefined, services: Readonly<Record<string, string>>, service: string): void {
  for (const name of Object.keys(parameters ?? {})) {
    if (services[name] !== undefined && services[name] !== service) {
      throw invalid(`${name} is not valid for ${service}`);
    }
  }
}

function checkSource(pipe: Pipe): void {
  const kind = SOURCES[kindOf(pipe.Source)];
  const { MaximumBatchingWindowInSeconds, MaximumRecordAgeInSeconds } = kind?.settingsOf(pipe) ?? {};
  const BatchSize = batchSizeOf(pipe);
  if (BatchSize > largestBatch(pipe)) {
    throw invalid(
      `BatchSize ${BatchSize} is more than the ${largestBatch(pipe)} that the enrichment and the target take`,
    );
  }
  checkSettings(
    {
      BatchSize,
      ...(MaximumBatchingWindowInSeconds === undefined ? {} : { MaximumBatchingWindowInSeconds }),
      ...(MaximumRecordAgeInSeconds === undefined ? {} : { MaximumRecordAgeInSeconds }),
    },
    kindOf(pipe.Source) === 'sqs' ? pipe.Source : undefined,
  );
  compileFilter(pipe.SourceParameters?.FilterCriteria);
}
