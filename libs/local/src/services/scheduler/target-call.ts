import { randomUUID } from 'node:crypto';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Target } from './schedule.ts';

/** A request to a service's API. */
export interface TargetCall {
  /** As in a signature. */
  service: string;
  operation: string;
  input: Input;
}

/** What one attempt tells its target. */
export interface Attempt {
  scheduleArn: string;
  accountId: string;
  region: string;
  scheduledAt: number;
  executionId: string;
  /** From 1. */
  number: number;
}

const UNIVERSAL = /^arn:aws(?:-[a-z]+)*:scheduler:::aws-sdk:([a-zA-Z0-9-]+):([a-zA-Z0-9]+)$/;

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html */
const TEMPLATED = new Set([
  ...['codebuild', 'codepipeline', 'ecs', 'events', 'inspector', 'kinesis'],
  ...['firehose', 'lambda', 'sagemaker', 'sns', 'sqs', 'states'],
]);

/** How the SDKs name services whose signature has another name. */
const SIGNING_NAMES: Readonly<Record<string, string>> = {
  cloudwatch: 'monitoring',
  cloudwatchlogs: 'logs',
  eventbridge: 'events',
  sesv2: 'ses',
  sfn: 'states',
};

/**
 * Universal targets only write.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
 */
const READS =
  /^(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|translateDocument|isAuthorized|invokeModel)/;

/**
 * Checks what CreateSchedule and UpdateSchedule check of a target.
 * @throws AwsError ValidationException
 */
export function checkTarget(target: Target): void {
  const { Arn, Input, EventBridgeParameters, KinesisParameters } = target;
  const [, , api] = UNIVERSAL.exec(Arn) ?? [];
  if (api !== undefined) {
    if (READS.test(api)) throw invalid(`${api} API is not supported.`);
    if (Input === undefined) throw invalid('You must provide an input to set this target for your schedule.');
    return;
  }
  const service = Arn.split(':')[2] ?? '';
  if (!/^arn:aws[a-z-]*:[^:]+:[^:]*:\d*:.+$/.test(Arn) && !TEMPLATED.has(service)) {
    throw invalid(`Provided Arn is not in correct format: ${Arn}`);
  }
  if (!TEMPLATED.has(service)) throw invalid(`${service} is not a supported service for a target.`);
  if (service === 'events' && !EventBridgeParameters) {
    throw invalid('EventBridgeParameters must be provided for an EventBridge event bus target.');
  }
  if (service === 'kinesis' && !KinesisParameters) {
    throw invalid('KinesisParameters must be provided for a Kinesis stream target.');
  }
}

/**
 * The text that a target is given: the target's Input with its context attributes filled in, or EventBridge Scheduler's own event.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export function payloadOf({ Input }: Target, attempt: Attempt): string {
  const { scheduleArn, accountId, region, executionId, number } = attempt;
  const scheduledTime = `${new Date(attempt.scheduledAt).toISOString().slice(0, 19)}Z`;
  if (Input === undefined) {
    return JSON.stringify({
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: accountId,
      time: scheduledTime,
      region,
      resources: [scheduleArn],
      detail: '{}',
    });
  }
  const attributes: Readonly<Record<string, string>> = {
    'schedule-arn': scheduleArn,
    'scheduled-time': scheduledTime,
    'execution-id': executionId,
    'attempt-number': String(number),
  };
  return Input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (keyword, name: string) => attributes[name] ?? keyword);
}

/**
 * The request that calls a target.
 * @param payload as of `payloadOf`
 * @throws AwsError for a target that cannot be called
 */
export function callOf(target: Target, payload: string, queueUrlOf: (queueArn: string) => string): TargetCall {
  const { Arn, SqsParameters, EventBridgeParameters, KinesisParameters } = target;
  const [, sdkService, api] = UNIVERSAL.exec(Arn) ?? [];
  if (sdkService !== undefined && api !== undefined) {
    const service = SIGNING_NAMES[sdkService.toLowerCase()] ?? sdkService.toLowerCase();
    return { service, operation: api.charAt(0).toUpperCase() + api.slice(1), input: readInput(payload) };
  }
  const service = Arn.split(':')[2] ?? '';
  switch (service) {
    case 'lambda':
      return { service, operation: 'Invoke', input: { FunctionName: Arn, InvocationType: 'Event', Payload: payload } };
    case 'sqs': {
      const { MessageGroupId } = SqsParameters ?? {};
      const group = MessageGroupId === undefined ? {} : { MessageGroupId };
      return {
        service,
        operation: 'SendMessage',
        input: { QueueUrl: queueUrlOf(Arn), MessageBody: payload, ...group },
      };
    }
    case 'sns':
      return { service, operation: 'Publish', input: { TopicArn: Arn, Message: payload } };
    case 'states':
      return { service, operation: 'StartExecution', input: { stateMachineArn: Arn, input: payload } };
    case 'events': {
      const entry = { EventBusName: Arn, ...EventBridgeParameters, Detail: payload };
      return { service, operation: 'PutEvents', input: { Entries: [entry] } };
    }
    case 'kinesis':
      return {
        service,
        operation: 'PutRecord',
        input: { StreamARN: Arn, Data: base64(payload), ...KinesisParameters },
      };
    case 'firehose': {
      const name = Arn.slice(Arn.lastIndexOf('/') + 1);
      return {
        service,
        operation: 'PutRecord',
        input: { DeliveryStreamName: name, Record: { Data: base64(payload) } },
      };
    }
    default:
      throw new AwsError('UnknownOperationException', `${service} is not available on this machine`);
  }
}

/**
 * Of an answer that carries failures beside HTTP 200, the first one.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
export function failureIn(answer: unknown): AwsError | undefined {
  const { FailedEntryCount, Entries } = (answer ?? {}) as {
    FailedEntryCount?: number;
    Entries?: { ErrorCode?: string; ErrorMessage?: string }[];
  };
  const failed = FailedEntryCount ? Entries?.find(({ ErrorCode }) => ErrorCode !== undefined) : undefined;
  if (!failed) return undefined;
  const code = failed.ErrorCode ?? 'InternalFailure';
  return new AwsError(code, failed.ErrorMessage ?? '', /^(Internal|Throttling)/.test(code) ? 500 : 400);
}

function readInput(payload: string): Input {
  try {
    const input = JSON.parse(payload);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Input;
  } catch {
    // Falls through: not JSON.
  }
  throw new AwsError('SerializationException', 'The input of a universal target must be a JSON object');
}

function base64(payload: string): string {
  return Buffer.from(payload).toString('base64');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
