import { lambdaLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';

/** What stands under `consume:` in serverless.yml for a Kinesis stream. README.md has the table. */
export interface ConsumeStreamOptions {
  /** `!GetAtt` of a stream. */
  stream: Readonly<Record<string, unknown>>;
  batchSize?: number;
  batchWindow?: number;
  parallelizationFactor?: number;
  maximumRetryAttempts?: number;
  maximumRecordAge?: number;
  ageAlarm?: number;
}

/** The options with every default filled in; times in seconds. */
export interface StreamSettings extends Required<Omit<ConsumeStreamOptions, 'stream'>> {
  /** Logical id of the stream. */
  streamId: string;
  deadLetterRetention: number;
}

/** What a stream keeps unless told otherwise, in seconds. */
const day = 24 * 60 * 60;

/**
 * Fills in the defaults.
 *
 * A record is tried again for 23 hours, an hour less than the stream keeps it: what is given up later than that is in no stream
 * any more when somebody looks for it.
 *
 * @param key where the `consume` stands, for messages
 * @throws ConfigurationError for a value out of AWS's range, and for a stream that is not one of this template
 */
export function streamSettings(
  options: ConsumeStreamOptions,
  { key, deadLetterRetention }: { key: string; deadLetterRetention: number },
): StreamSettings {
  const { stream, batchSize = 100, batchWindow = 0, parallelizationFactor = 1 } = options;
  const { maximumRetryAttempts = 1000, maximumRecordAge = day - 60 * 60, ageAlarm = 300 } = options;
  const [streamId, attribute] = [(stream as { 'Fn::GetAtt'?: unknown })['Fn::GetAtt'] ?? []].flat();
  if (typeof streamId !== 'string' || attribute !== 'Arn') {
    const problem = 'must be !GetAtt <logical id>.Arn of an AWS::Kinesis::Stream of this service';
    throw new ConfigurationError('CONSUMERS_UNSUPPORTED_EVENT_SOURCE', `${key}.stream`, problem);
  }
  const range = (option: string, value: number, minimum: number, maximum: number, unit: string) => {
    if (value >= minimum && value <= maximum) return;
    const problem = `is ${value}, but must be from ${minimum} to ${maximum} ${unit}`;
    throw new ConfigurationError('CONSUMERS_OUT_OF_RANGE', `${key}.${option}`, problem);
  };
  const { parallelization, retryAttempts, recordAge } = lambdaLimits.streams;
  range('batchSize', batchSize, 1, lambdaLimits.batchSize, 'records');
  range('batchWindow', batchWindow, 0, lambdaLimits.batchWindow, 'seconds');
  range('parallelizationFactor', parallelizationFactor, 1, parallelization, 'batches of a shard at once');
  range('maximumRetryAttempts', maximumRetryAttempts, 1, retryAttempts, 'attempts');
  range('maximumRecordAge', maximumRecordAge, recordAge, day - 1, 'seconds (the stream keeps a record for a day)');
  range('ageAlarm', ageAlarm, 60, day, 'seconds (the stream keeps a record for a day)');
  return {
    ...{ streamId, batchSize, batchWindow, parallelizationFactor, maximumRetryAttempts, maximumRecordAge, ageAlarm },
    deadLetterRetention,
  };
}
