import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { MillraceError, UnavailableError } from './error-classes.ts';

/** As the SDK's own classification takes errors. */
type SdkError = Parameters<typeof isTransientError>[0] & { CancellationReasons?: { Code?: string }[] };

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
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof MillraceError) return at instanceof UnavailableError;
    const sdkError = at as SdkError;
    if (at.name === CONFLICT || isThrottlingError(sdkError) || isTransientError(sdkError) || isServerError(sdkError)) {
      return true;
    }
    if (isBusyCancellation(sdkError)) return true;
  }
  return false;
}

function isBusyCancellation({ CancellationReasons = [] }: SdkError): boolean {
  const reasons = CancellationReasons.flatMap(({ Code = 'None' }) => (Code === 'None' ? [] : [Code]));
  return reasons.length > 0 && reasons.every((code) => busyReasons.has(code));
}
