import { AwsError } from '../../core/aws-error.ts';

/**
 * The errors of SNS by their code in the query protocol.
 * https://docs.aws.amazon.com/sns/latest/api/API_Operations.html, "Errors" of each operation
 */
const statuses = {
  AuthorizationError: 403,
  BatchEntryIdsNotDistinct: 400,
  BatchRequestTooLong: 400,
  EmptyBatchRequest: 400,
  FilterPolicyLimitExceeded: 403,
  InvalidAction: 400,
  InvalidBatchEntryId: 400,
  InvalidParameter: 400,
  NotFound: 404,
  NotImplemented: 501,
  ParameterValueInvalid: 400,
  ResourceNotFound: 404,
  TagLimitExceeded: 400,
  TooManyEntriesInBatchRequest: 400,
} as const;

export type SnsErrorCode = keyof typeof statuses;

/** @example throw snsError('NotFound', 'Topic does not exist'); */
export function snsError(code: SnsErrorCode, message: string): AwsError {
  return new AwsError(code, message, statuses[code]);
}

/** @example throw invalidParameter('Subject'); // "Invalid parameter: Subject" */
export function invalidParameter(name: string, reason?: string): AwsError {
  return snsError('InvalidParameter', `Invalid parameter: ${name}${reason === undefined ? '' : ` Reason: ${reason}`}`);
}

/** @example throw notImplemented('CreatePlatformEndpoint'); */
export function notImplemented(what: string): AwsError {
  return snsError('NotImplemented', `SNS ${what} is not available on this machine.`);
}

export function topicNotFound(): AwsError {
  return snsError('NotFound', 'Topic does not exist');
}

export function subscriptionNotFound(): AwsError {
  return snsError('NotFound', 'Subscription does not exist');
}
