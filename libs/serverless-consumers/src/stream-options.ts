import { lambdaLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';

/** What stands under `consume:` in serverless.yml for a Kinesis stream. README.md has the table. */
export interface ConsumeStreamOptions {
  /** `!GetAtt` of a stream of this template, or `Fn::ImportValue` of the ARN of another one. */
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
  stream: { arn: Readonly<Record<string, unknown>>; name: Readonly<Record<string, unknown>> };
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
 * @throws ConfigurationError for a value out of AWS's range, and for a stream that is neither of this template nor imported
 */
export function streamSettings(
  options: ConsumeStreamOptions,
  { key, deadLetterRetention }: { key: string; deadLetterRetention: number },
): StreamSettings {
  const { stream, batchSize = 100, batchWindow = 0, parallelizationFactor = 1 } = options;
  const { maximumRetryAttempts = 1000, maximumRecordAge = day - 60 * 60, ageAlarm = 300 } = options;
  const known = streamOf(stream);
  if (!known) {
    const problem =
      'must be !GetAtt <logical id>.Arn of an AWS::Kinesis::Stream of this service, or Fn::ImportValue of the ARN of another one';
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
    ...{
      stream: known,
      batchSize,
      batchWindow,
      parallelizationFactor,
      maximumRetryAttempts,
      maximumRecordAge,
      ageAlarm,
    },
    deadLetterRetention,
  };
}

/** The name of an imported stream is what follows the slash of its ARN: `arn:aws:kinesis:eu-west-1:123456789012:stream/millrace-interactions-dev`. */
function streamOf(stream: Readonly<Record<string, unknown>>): StreamSettings['stream'] | undefined {
  const [id, attribute] = [(stream['Fn::GetAtt'] as string | string[] | undefined) ?? []].flat();
  if (typeof id === 'string' && attribute === 'Arn') return { arn: { 'Fn::GetAtt': [id, 'Arn'] }, name: { Ref: id } };
  const exported = stream['Fn::ImportValue'];
  if (typeof exported !== 'string') return undefined;
  const arn = { 'Fn::ImportValue': exported };
  return { arn, name: { 'Fn::Select': [1, { 'Fn::Split': ['/', arn] }] } };
}
