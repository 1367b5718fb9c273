import { AwsError } from '../../core/aws-error.ts';

/** Lambda tells in each error whose mistake it is. */
const USER = { Type: 'User' };

/** @example throw invalidParameter('Unsupported source') */
export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message, 400, USER);
}

/** What the service's model refuses before the operation is looked at. */
export function validationError(value: unknown, member: string, constraint: string): AwsError {
  const message = `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: ${constraint}`;
  return new AwsError('ValidationException', message);
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404, USER);
}

export function conflict(message: string): AwsError {
  return new AwsError('ResourceConflictException', message, 409, USER);
}

/** @param reason https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors */
export function tooManyRequests(reason: string): AwsError {
  return new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, { ...USER, Reason: reason });
}

export function tooLarge(size: number, invocationType: string, limit: number): AwsError {
  return new AwsError(
    'RequestTooLargeException',
    `${size} byte payload is too large for the ${invocationType} invocation type (limit ${limit} bytes)`,
    413,
    USER,
  );
}

/**
 * Checks a whole number against its range in the service's model.
 * @param member as the model names it, e.g. `MaximumRetryAttempts`
 * @throws AwsError ValidationException
 */
export function checkRange(member: string, value: unknown, minimum: number, maximum: number): void {
  if (value === undefined || value === null) return;
  const place = member[0]?.toLowerCase() + member.slice(1);
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new AwsError('SerializationException', `${member} must be a whole number, not ${JSON.stringify(value)}`);
  }
  if (value < minimum) {
    throw validationError(value, place, `Member must have value greater than or equal to ${minimum}`);
  }
  if (value > maximum) throw validationError(value, place, `Member must have value less than or equal to ${maximum}`);
}
