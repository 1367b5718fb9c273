import { PermanentError } from '@millrace/errors';

/** What the `consume:` plugin puts into the function's environment. */
export interface ConsumerSettings {
  /** Who consumes: `inventory.onOrderPlaced`. Half of every de-duplication key, so it must never change. */
  consumer: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Receives after which SQS itself moves a message to the dead-letter queue. */
  maxReceiveCount: number;
}

/** A variable is missing or malformed: the function cannot start. */
export class ConfigurationError extends PermanentError {
  constructor(variable: string, expectation: string) {
    super('CONFIGURATION', `${variable} must be ${expectation}`);
  }
}

/** Reads the settings. @throws ConfigurationError naming the variable and what it should look like. */
export function settingsFrom(variables: NodeJS.ProcessEnv = process.env): ConsumerSettings {
  const required = (name: string, expectation: string) => {
    const value = variables[name];
    if (!value) throw new ConfigurationError(name, expectation);
    return value;
  };
  const maxReceiveCount = Number(required('MILLRACE_MAX_RECEIVE_COUNT', 'a whole number from 1 to 1000'));
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1000) {
    throw new ConfigurationError('MILLRACE_MAX_RECEIVE_COUNT', 'a whole number from 1 to 1000');
  }
  return {
    consumer: required('MILLRACE_CONSUMER', 'the name of the consumer, e.g. inventory.onOrderPlaced'),
    queueUrl: required('MILLRACE_CONSUMER_QUEUE_URL', 'the URL of the queue this function reads'),
    deadLetterQueueUrl: required('MILLRACE_CONSUMER_DLQ_URL', "the URL of that queue's dead-letter queue"),
    maxReceiveCount,
  };
}
