import { failedItems } from '../lambda/batch-response.ts';
import type { PipeCalls } from './calls.ts';
import { type PipeEvent, parameterValue } from './input-template.ts';
import { type HttpParameters, kindOf, type Pipe } from './pipe.ts';

/** An event, and what the target gets of it. */
export interface TargetInput {
  readonly event: PipeEvent;
  readonly payload: string;
}

/** The positions of the events that did not reach the target, or those that the target names by their ids. */
export type TargetFailures = { readonly positions: readonly number[] } | { readonly answer: string };

/**
 * How many events a target takes at once; a target that is not here has no limit of its own.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-batchable-target
 */
export const BATCH_LIMITS: Readonly<Record<string, number>> = {
  sqs: 10,
  sns: 10,
  events: 10,
  kinesis: 500,
  firehose: 500,
  logs: 10_000,
};

export const isApiDestination = (arn: string): boolean => kindOf(arn) === 'events' && arn.includes(':api-destination/');

export function batchLimitOf(arn: string): number | undefined {
  return isApiDestination(arn) ? 1 : BATCH_LIMITS[kindOf(arn)];
}

export interface TargetOptions extends Pick<Pipe, 'Name' | 'Target' | 'TargetParameters'> {
  calls: PipeCalls;
  queueUrlOf: (arn: string) => string;
  now: () => number;
}

/**
 * Sends events to the target of a pipe.
 * @throws Error when none of them has arrived
 */
export async function sendToTarget(inputs: readonly TargetInput[], options: TargetOptions): Promise<TargetFailures> {
  const { Target, TargetParameters = {}, calls } = options;
  const batch = `[${inputs.map(({ payload }) => payload).join(',')}]`;
  switch (kindOf(Target)) {
    case 'lambda':
    case 'states': {
      const { LambdaFunctionParameters, StepFunctionStateMachineParameters } = TargetParameters;
      const parameters = kindOf(Target) === 'lambda' ? LambdaFunctionParameters : StepFunctionStateMachineParameters;
      if (parameters?.InvocationType !== 'FIRE_AND_FORGET') return { answer: await calls.ask(Target, batch) };
      await calls.start(Target, batch);
      return { positions: [] };
    }
    case 'sqs':
      return sendMessages(inputs, options);
    case 'sns': {
      const PublishBatchRequestEntries = inputs.map(({ payload }, index) => ({ Id: `${index}`, Message: payload }));
      return failedEntries(await calls.call('sns', 'PublishBatch', { TopicArn: Target, PublishBatchRequestEntries }));
    }
    case 'kinesis':
      return putRecords(inputs, options);
    case 'firehose':
      return putRecordBatch(inputs, options);
    case 'logs':
      await putLogEvents(inputs, options);
      return { positions: [] };
    default: {
      if (!isApiDestination(Target)) return putEvents(inputs, options);
      for (const { event, payload } of inputs) {
        await calls.ask(Target, payload, httpParametersOf(TargetParameters.HttpParameters, event));
      }
      return { positions: [] };
    }
  }
}

/** Fills the paths of HTTP parameters in. The names of headers are never paths. */
export function httpParametersOf(given: HttpParameters | undefined, event: PipeEvent): HttpParameters {
  const filled = (map: Record<string, string> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, parameterValue(value, event)]));
  return {
    PathParameterValues: (given?.PathParameterValues ?? []).map((value) => parameterValue(value, event)),
    HeaderParameters: filled(given?.HeaderParameters),
    QueryStringParameters: filled(given?.QueryStringParameters),
  };
}

/** Which of the events a function or a state machine names as failed. */
export function failedIds(answer: string, ids: readonly (string | undefined)[]): ReadonlySet<string> | 'all' {
  // An answer without batchItemFailures does not report failures.
  if (!/"batchItemFailures"/.test(answer)) return new Set();
  return failedItems(answer, new Set(ids.filter((id) => id !== undefined)));
}

async function sendMessages(
  inputs: readonly TargetInput[],
  { Target, TargetParameters = {}, calls, queueUrlOf }: TargetOptions,
): Promise<TargetFailures> {
  const { MessageGroupId, MessageDeduplicationId } = TargetParameters.SqsQueueParameters ?? {};
  const Entries = inputs.map(({ event, payload }, index) => ({
    Id: `${index}`,
    MessageBody: payload,
    ...(MessageGroupId ? { MessageGroupId: parameterValue(MessageGroupId, event) } : {}),
    ...(MessageDeduplicationId ? { MessageDeduplicationId: parameterValue(MessageDeduplicationId, event) } : {}),
  }));
  return failedEntries(await calls.call('sqs', 'SendMessageBatch', { QueueUrl: queueUrlOf(Target), Entries }));
}

function failedEntries(answer: unknown): TargetFailures {
  const { Failed = [] } = (answer ?? {}) as { Failed?: { Id: string }[] };
  return { positions: Failed.map(({ Id }) => Number(Id)) };
}

async function putEvents(
  inputs: readonly TargetInput[],
  { Name, Target, TargetParameters = {}, calls }: TargetOptions,
): Promise<TargetFailures> {
  const { DetailType, Source, Resources, Time } = TargetParameters.EventBridgeEventBusParameters ?? {};
  const Entries = inputs.map(({ event, payload }) => {
    const eventSource = textAt('$.eventSource', event);
    return {
      EventBusName: Target,
      DetailType: parameterValue(DetailType ?? `Event from ${eventSource ?? 'pipe'}`, event),
      Source: parameterValue(Source ?? `Pipe ${Name}`, event),
      Detail: payload,
      ...(Resources ? { Resources: Resources.map((resource) => parameterValue(resource, event)) } : {}),
      ...(Time ? { Time: secondsOf(parameterValue(Time, event)) } : {}),
    };
  });
  return refusedEntries(await calls.call('events', 'PutEvents', { Entries }), 'Entries');
}

/** The entries of an answer that have an error. */
function refusedEntries(answer: unknown, member: string): TargetFailures {
  const results = ((answer ?? {}) as Record<string, { ErrorCode?: string }[]>)[member] ?? [];
  return { positions: results.flatMap(({ ErrorCode }, index) => (ErrorCode === undefined ? [] : [index])) };
}

async function putRecords(
  inputs: readonly TargetInput[],
  { Target, TargetParameters = {}, calls }: TargetOptions,
): Promise<TargetFailures> {
  const { PartitionKey = '' } = TargetParameters.KinesisStreamParameters ?? {};
  const Records = inputs.map(({ event, payload }) => ({
    PartitionKey: parameterValue(PartitionKey, event),
    Data: Buffer.from(payload).toString('base64'),
  }));
  return refusedEntries(await calls.call('kinesis', 'PutRecords', { StreamARN: Target, Records }), 'Records');
}

async function putRecordBatch(
  inputs: readonly TargetInput[],
  { Target, calls }: TargetOptions,
): Promise<TargetFailures> {
  const DeliveryStreamName = Target.split(':deliverystream/')[1];
  const Records = inputs.map(({ payload }) => ({ Data: Buffer.from(payload).toString('base64') }));
  const answer = await calls.call('firehose', 'PutRecordBatch', { DeliveryStreamName, Records });
  return refusedEntries(answer, 'RequestResponses');
}

async function putLogEvents(
  inputs: readonly TargetInput[],
  { Name, Target, TargetParameters = {}, calls, now }: TargetOptions,
): Promise<void> {
  const { LogStreamName = Name, Timestamp } = TargetParameters.CloudWatchLogsParameters ?? {};
  const logGroupName = (Target.split(':log-group:')[1] ?? '').replace(/:\*$/, '');
  const streams = new Map<string, { timestamp: number; message: string }[]>();
  for (const { event, payload } of inputs) {
    const name = parameterValue(LogStreamName, event);
    const timestamp = Timestamp === undefined ? now() : secondsOf(parameterValue(Timestamp, event)) * 1000;
    streams.set(name, [...(streams.get(name) ?? []), { timestamp, message: payload }]);
  }
  for (const [logStreamName, logEvents] of streams) {
    logEvents.sort((one, other) => one.timestamp - other.timestamp);
    await calls.call('logs', 'PutLogEvents', { logGroupName, logStreamName, logEvents });
  }
}

function textAt(path: string, event: PipeEvent): string | undefined {
  try {
    return parameterValue(path, event);
  } catch {
    return undefined;
  }
}

/** Seconds since the epoch of an ISO 8601 time, or of seconds or milliseconds as a number. */
function secondsOf(value: string): number {
  const number = Number(value);
  const milliseconds = Number.isNaN(number) ? Date.parse(value) : number > 1e11 ? number : number * 1000;
  if (Number.isNaN(milliseconds)) throw new Error('The event has something else where its time should be');
  return milliseconds / 1000;
}
