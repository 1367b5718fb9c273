import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

/** As the SDK's own classification takes errors. */
type SdkError = Parameters<typeof isTransientError>[0];

/** A write met a transaction on the same item: DynamoDB's, and none of those that the SDK counts as transient. */
const CONFLICT = 'TransactionConflictException';

/**
 * True if AWS, or the network on the way to it, could not answer for now: a throttle, a timeout, a failure of its own.
 * The SDK has tried it several times already. The same request may succeed in a moment.
 *
 * @param error whatever was thrown; its causes are looked at too, because libraries wrap errors of the SDK
 */
export function isUnavailable(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const sdkError = at as SdkError;
    if (at.name === CONFLICT || isThrottlingError(sdkError) || isTransientError(sdkError) || isServerError(sdkError)) {
      return true;
    }
  }
  return false;
}
