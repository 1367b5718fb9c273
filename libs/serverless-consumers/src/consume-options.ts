import { eventBridgeLimits, lambdaLimits, sqsLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import { checkEventPattern, type EventPattern } from './event-pattern.ts';
import type { ConsumeStreamOptions } from './stream-options.ts';

/** What stands under `consume:` in serverless.yml. README.md has the table. */
export interface ConsumeOptions {
  events: string[];
  /** The bus whose events it consumes: `domain`, or `analytics` for their variants. */
  bus?: Bus;
  batchSize?: number;
  batchWindow?: number;
  maximumConcurrency?: number;
  maxReceiveCount?: number;
  retentionDays?: number;
  filter?: EventPattern;
  fifo?: boolean;
  messageGroupId?: string;
  ageAlarm?: number;
  maxRetryDelay?: number;
  replays?: Replays;
  /** Read by `npm run lineage` alone: the prefix of the streams in which the events are that a handled one has caused. */
  markedIn?: string;
}

/** The two buses of a stage. */
export type Bus = (typeof buses)[number];

const buses = ['domain', 'analytics'] as const;

/**
 * What a consumer does with an event that a replay of the archive delivers: acknowledge it unseen, handle it unless it
 * has been handled, or handle it once more for every replay, to build a projection anew.
 */
export type Replays = (typeof replayModes)[number];

const replayModes = ['ignore', 'handle', 'rebuild'] as const;

/** The options with every default filled in; times in seconds. */
export interface ConsumerSettings {
  events: string[];
  bus: Bus;
  batchSize: number;
  batchWindow: number;
  maximumConcurrency: number;
  maxReceiveCount: number;
  filter?: EventPattern;
  fifo: boolean;
  messageGroupId: string;
  visibilityTimeout: number;
  retention: number;
  deadLetterRetention: number;
  ageAlarm: number;
  /** For how long a healthy consumer may receive nothing although messages are waiting. */
  longestPause: number;
  maxRetryDelay: number;
  replays: Replays;
}

const day = 24 * 60 * 60;

const longestRetentionDays = sqsLimits.retention.maximum / day;

const optionsOfQueues = {
  events: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[A-Z][A-Za-z0-9]*\\.v[1-9][0-9]*$' } },
  bus: { enum: buses },
  batchSize: { type: 'integer' },
  batchWindow: { type: 'integer' },
  maximumConcurrency: { type: 'integer' },
  maxReceiveCount: { type: 'integer' },
  retentionDays: { type: 'integer' },
  filter: { type: 'object' },
  fifo: { type: 'boolean' },
  messageGroupId: { type: 'string' },
  ageAlarm: { type: 'integer' },
  maxRetryDelay: { type: 'integer' },
  replays: { enum: replayModes },
  markedIn: { type: 'string', minLength: 1 },
};

const optionsOfStreams = {
  stream: { type: 'object' },
  batchSize: { type: 'integer' },
  batchWindow: { type: 'integer' },
  parallelizationFactor: { type: 'integer' },
  maximumRetryAttempts: { type: 'integer' },
  maximumRecordAge: { type: 'integer' },
  ageAlarm: { type: 'integer' },
};

/**
 * The shape osls checks: of queues and streams at once, for osls would not say which option is wrong of a choice. Which of them go
 * together is checked by `checkKind`, and ranges by `consumerSettings` and `streamSettings`, which can name the file and say what to do.
 */
export const consumeSchema = {
  type: 'object',
  properties: { ...optionsOfQueues, ...optionsOfStreams },
  additionalProperties: false,
};

/** True for the options of a stream. */
export function readsStream(options: ConsumeOptions | ConsumeStreamOptions): options is ConsumeStreamOptions {
  return 'stream' in options;
}

/**
 * Checks that options are either those of a queue, with `events`, or those of a stream, with `stream`.
 * @throws ConfigurationError CONSUMERS_IMPOSSIBLE_COMBINATION
 */
export function checkKind(options: ConsumeOptions | ConsumeStreamOptions, key: string): void {
  const known = readsStream(options) ? optionsOfStreams : optionsOfQueues;
  const foreign = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  const problem = readsStream(options)
    ? 'is for events of a bus, not for streams: remove it, or write a second function'
    : 'is for streams: name one with stream, or remove it';
  if (foreign !== undefined) {
    throw new ConfigurationError('CONSUMERS_IMPOSSIBLE_COMBINATION', `${key}.${foreign}`, problem);
  }
  if (readsStream(options) || options.events) return;
  const missing = 'is missing: list the events that the function consumes, or name a stream with stream';
  throw new ConfigurationError('CONSUMERS_IMPOSSIBLE_COMBINATION', `${key}.events`, missing);
}

/**
 * Fills in the defaults and derives what AWS recommends from the function's timeout.
 *
 * @param key where the `consume` stands, for messages
 * @param functionTimeout seconds
 * @param consumer `inventory.onOrderPlaced`
 * @param deadLetterRetention seconds; a day longer than the queue's own retention if that is more
 * @throws ConfigurationError for a value out of AWS's range, or values that do not go together
 */
export function consumerSettings(
  options: ConsumeOptions,
  {
    key,
    functionTimeout,
    consumer,
    deadLetterRetention,
  }: { key: string; functionTimeout: number; consumer: string; deadLetterRetention: number },
): ConsumerSettings {
  const fifo = options.fifo ?? false;
  const batchSize = options.batchSize ?? 10;
  const batchWindow = options.batchWindow ?? 0;
  const maximumConcurrency = options.maximumConcurrency ?? 5;
  const maxReceiveCount = options.maxReceiveCount ?? 5;
  const retentionDays = options.retentionDays ?? 4;
  const maxRetryDelay = options.maxRetryDelay ?? 300;

  const impossible = (option: string, problem: string) =>
    new ConfigurationError('CONSUMERS_IMPOSSIBLE_COMBINATION', `${key}.${option}`, problem);
  const range = (option: string, value: number, minimum: number, maximum: number, unit: string) => {
    if (value >= minimum && value <= maximum) return;
    const problem = `is ${value}, but must be from ${minimum} to ${maximum} ${unit}`;
    throw new ConfigurationError('CONSUMERS_OUT_OF_RANGE', `${key}.${option}`, problem);
  };

  options.events.forEach((event, index) => {
    if (options.events.indexOf(event) === index) return;
    throw new ConfigurationError('CONSUMERS_DUPLICATE_EVENT', `${key}.events[${index}]`, `${event} is listed twice`);
  });

  if (fifo && batchWindow > 0) throw impossible('batchWindow', 'a FIFO queue has no batching window');
  range('batchWindow', batchWindow, 0, lambdaLimits.batchWindow, 'seconds');
  const { fifoBatchSize, batchSizeWithoutWindow } = lambdaLimits;
  if (fifo && batchSize > fifoBatchSize) {
    throw impossible('batchSize', `is ${batchSize}, but a FIFO queue hands out ${fifoBatchSize} at most`);
  }
  range('batchSize', batchSize, 1, lambdaLimits.batchSize, 'messages');
  if (batchSize > batchSizeWithoutWindow && batchWindow < 1) {
    throw impossible(
      'batchSize',
      `is ${batchSize}: above ${batchSizeWithoutWindow}, Lambda wants a batchWindow of 1 second or more`,
    );
  }
  const { minimum, maximum } = lambdaLimits.maximumConcurrency;
  range('maximumConcurrency', maximumConcurrency, minimum, maximum, 'concurrent invocations');
  range('maxReceiveCount', maxReceiveCount, 1, sqsLimits.maxReceiveCount, 'receives');
  // Hidden since its receive, and a function may have been busy with it for some time.
  range('maxRetryDelay', maxRetryDelay, 1, sqsLimits.visibilityTimeout - lambdaLimits.timeout, 'seconds');
  // A moved message keeps its enqueue time, so the dead-letter queue must keep messages for longer than the source.
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
  range('retentionDays', retentionDays, 1, longestRetentionDays - 1, 'days (a dead-letter queue keeps 14 at most)');
  if (options.messageGroupId !== undefined && !fifo) {
    throw impossible('messageGroupId', 'only a FIFO queue has message groups: add fifo: true');
  }
  checkMessageGroup(options.messageGroupId ?? consumer, `${key}.messageGroupId`);

  const retention = retentionDays * day;
  // Six times the function timeout leaves room for retries of a throttled poller.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeout = 6 * functionTimeout + batchWindow;
  const betweenAttempts = Math.max(visibilityTimeout, maxRetryDelay);
  const allAttempts = betweenAttempts * maxReceiveCount;
  if (allAttempts >= retention) {
    throw impossible(
      maxRetryDelay > visibilityTimeout ? 'maxRetryDelay' : 'maxReceiveCount',
      `${maxReceiveCount} receives, ${betweenAttempts} s apart (the longer of the visibility timeout, ` +
        `${visibilityTimeout} s: 6 × the function timeout + batchWindow, and maxRetryDelay, ${maxRetryDelay} s), take ` +
        `${allAttempts} s, but the queue keeps a message for ${retention} s: it would be lost before it reached the ` +
        'dead-letter queue',
    );
  }

  // Slow retries need no place in it: a message received three times counts no more for the oldest one's age.
  const ageAlarm = options.ageAlarm ?? Math.max(visibilityTimeout * maxReceiveCount, 300);
  range('ageAlarm', ageAlarm, 60, retention, 'seconds (the retention of the queue)');

  if (options.filter) checkEventPattern(options.filter, `${key}.filter`);

  return {
    events: options.events,
    bus: options.bus ?? 'domain',
    batchSize,
    batchWindow,
    maximumConcurrency,
    maxReceiveCount,
    ...(options.filter && { filter: options.filter }),
    fifo,
    messageGroupId: options.messageGroupId ?? consumer,
    visibilityTimeout,
    retention,
    deadLetterRetention: Math.max(deadLetterRetention, retention + day),
    ageAlarm,
    // All of maximumConcurrency busy for as long as the function may take; in a FIFO queue, the head of the group retried.
    longestPause: fifo ? betweenAttempts : functionTimeout,
    maxRetryDelay,
    replays: options.replays ?? 'ignore',
  };
}

/** @throws ConfigurationError CONSUMERS_OUT_OF_RANGE when EventBridge would refuse the target, or SQS each message */
function checkMessageGroup(group: string, key: string): void {
  const { messageGroupIdLength } = eventBridgeLimits;
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
  if (/^[!-~]+$/.test(group) && group.length <= messageGroupIdLength) return;
  const problem = `must be 1 to ${messageGroupIdLength} letters, digits and punctuation marks without spaces`;
  throw new ConfigurationError('CONSUMERS_OUT_OF_RANGE', key, `has ${group.length} characters, but ${problem}`);
}
