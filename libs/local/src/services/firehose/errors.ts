import { AwsError } from '../../core/aws-error.ts';

export function invalidArgument(message: string): AwsError {
  return new AwsError('InvalidArgumentException', message);
}

/** Something that Firehose has and this machine has not. @example unavailable('SplunkDestinationConfiguration') */
export function unavailable(what: string): AwsError {
  return invalidArgument(`${what} is not available on this machine`);
}
