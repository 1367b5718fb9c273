import { ConfigurationError, variableFrom } from '@millrace/errors';
import { lambdaLimits, sqsLimits } from '@millrace/events/aws-limits';

/**
 * What a consumer does with the events of a replay. `ignore`: acknowledges them as duplicates. `handle`: handles what it
 * has not handled before. `rebuild`: handles each once more for every replay, and runs no effects.
 */
export type ReplayMode = (typeof replayModes)[number];

const replayModes = ['ignore', 'handle', 'rebuild'] as const;

/** What the `consume:` plugin puts into the function's environment. */
export interface ConsumerSettings {
  /** Who consumes: `inventory.onOrderPlaced`. Half of every de-duplication key, so it must never change. */
  consumer: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Receives after which SQS itself moves a message to the dead-letter queue. */
  maxReceiveCount: number;
  /** Upper bound of any delay before a retry. */
  maxRetryDelaySeconds: number;
  /** How long the queue keeps a message: no record is deferred for longer. */
  retentionSeconds: number;
  replays: ReplayMode;
}

/** Reads the settings. @throws ConfigurationError naming the variable and what it should look like. */
export function settingsFrom(variables: NodeJS.ProcessEnv = process.env): ConsumerSettings {
  const required = (name: string, expectation: string) => variableFrom(name, expectation, variables);
  const wholeNumber = (name: string, maximum: number) => {
    const expectation = `a whole number from 1 to ${maximum}`;
    const number = Number(required(name, expectation));
    if (!Number.isInteger(number) || number < 1 || number > maximum) throw new ConfigurationError(name, expectation);
    return number;
  };
  const mode = () => {
    const found = replayModes.find((name) => name === variables.MILLRACE_REPLAYS);
    if (!found) throw new ConfigurationError('MILLRACE_REPLAYS', `one of ${replayModes.join(', ')}`);
    return found;
  };
  return {
    consumer: required('MILLRACE_CONSUMER', 'the name of the consumer, e.g. inventory.onOrderPlaced'),
    queueUrl: required('MILLRACE_CONSUMER_QUEUE_URL', 'the URL of the queue this function reads'),
    deadLetterQueueUrl: required('MILLRACE_CONSUMER_DLQ_URL', "the URL of that queue's dead-letter queue"),
    maxReceiveCount: wholeNumber('MILLRACE_MAX_RECEIVE_COUNT', sqsLimits.maxReceiveCount),
    // A message can be invisible for so long from its receive on, and a function may have been busy for a part of it.
    maxRetryDelaySeconds: wholeNumber('MILLRACE_MAX_RETRY_DELAY', sqsLimits.visibilityTimeout - lambdaLimits.timeout),
    retentionSeconds: wholeNumber('MILLRACE_QUEUE_RETENTION', sqsLimits.retention.maximum),
    replays: mode(),
  };
}
