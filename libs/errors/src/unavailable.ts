import { isNativeError } from 'node:util/types';
import { MillraceError, UnavailableError } from './error-classes.ts';

/** An error of AWS, of its SDK, or of the network. */
interface AwsError extends Error {
  /** Of Node. */
  code?: unknown;
  $metadata?: { httpStatusCode?: number | undefined };
  /** The SDK's models say of some errors that they can be retried. */
  $retryable?: object;
  CancellationReasons?: { Code?: string }[];
}

/**
 * Names by which AWS's services say that they are busy, or that they were not given a request in time. The SDK retries the same.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
const busyNames = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/** Node's codes for a network that fails. */
const networkCodes = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

const TOO_MANY_REQUESTS = 429;

/** A write met a transaction on the same item: DynamoDB's, and none of those that the SDK counts as transient. */
const CONFLICT = 'TransactionConflictException';

/** Why DynamoDB cancels a transaction that may succeed in a moment. */
const busyReasons = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/**
 * True if a dependency is busy or down, which says nothing about the input: an `UnavailableError`, or AWS, or the network on
 * the way to it, could not answer for now (a throttle, a conflict with a transaction, a timeout, a failure of its own). The
 * same request may succeed in a moment.
 *
 * @param error whatever was thrown. Its causes are looked at too, because libraries wrap errors of the SDK; an error of
 *   Millrace says by its class what it means
 * @example if (isUnavailable(error)) await defer(record);
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export function isUnavailable(error: unknown): boolean {
  // Errors of Node may come from another context of V8, where `instanceof` does not know them.
  for (let at = error; isNativeError(at); at = at.cause) {
    if (at instanceof MillraceError) return at instanceof UnavailableError;
    if (at.name === CONFLICT || isTransient(at) || isBusyCancellation(at)) return true;
  }
  return false;
}

function isTransient({ name, code, $metadata, $retryable }: AwsError): boolean {
  const { httpStatusCode = 0 } = $metadata ?? {};
  if (httpStatusCode === TOO_MANY_REQUESTS || (httpStatusCode >= 500 && httpStatusCode <= 599)) return true;
  return busyNames.has(name) || networkCodes.has(String(code)) || $retryable !== undefined;
}

function isBusyCancellation({ CancellationReasons = [] }: AwsError): boolean {
  const reasons = CancellationReasons.flatMap(({ Code = 'None' }) => (Code === 'None' ? [] : [Code]));
  return reasons.length > 0 && reasons.every((code) => busyReasons.has(code));
}
