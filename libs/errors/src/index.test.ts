import { describe, expect, test } from '@jest/globals';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import {
  DuplicateEventError,
  isUnavailable,
  MillraceError,
  PermanentError,
  TransientError,
  UnavailableError,
} from './index.ts';

describe('an error', () => {
  test('says by its class whether to retry, and keeps code, message and cause', () => {
    class CardDeclinedError extends PermanentError {}
    const cause = new Error('from the provider');
    const error = new CardDeclinedError('CARD_DECLINED', 'The card was declined', { cause });

    expect(error).toBeInstanceOf(MillraceError);
    expect(error).not.toBeInstanceOf(TransientError);
    expect(error).toMatchObject({
      name: 'CardDeclinedError',
      code: 'CARD_DECLINED',
      message: 'The card was declined',
      cause,
    });
  });

  test('of a duplicate names consumer and event', () => {
    const error = new DuplicateEventError('payments.onStockReserved', 'event-1');

    expect(error).toMatchObject({
      code: 'DUPLICATE_EVENT',
      message: expect.stringMatching(/onStockReserved.*event-1/),
    });
    expect(error).not.toBeInstanceOf(PermanentError);
    expect(error).not.toBeInstanceOf(TransientError);
  });
});

describe('a dependency is unavailable', () => {
  const awsError = (name: string, details: object = {}) => Object.assign(new Error(name), { name, ...details });
  const cancelled = (...codes: (string | undefined)[]) =>
    awsError('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code })) });

  test.each([
    ['an UnavailableError', new UnavailableError('CARRIER_DOWN', 'down')],
    ['a throttled table', awsError('ProvisionedThroughputExceededException')],
    ['a throttled API', awsError('ThrottlingException')],
    ['a write that met a transaction', awsError('TransactionConflictException')],
    ['a fault of the service', awsError('SomethingNew', { $metadata: { httpStatusCode: 503 } })],
    ['a network that fails', awsError('ECONNRESET', { code: 'ECONNRESET' })],
    ['a library that wraps such an error', new Error('not stored', { cause: awsError('ThrottlingException') })],
    ['a transaction that met another one', cancelled('None', 'TransactionConflict', undefined)],
    ['a throttled transaction', cancelled('ThrottlingError', 'TransactionConflict')],
  ])('for %s', (_, error) => {
    expect(isUnavailable(error)).toBe(true);
  });

  test.each([
    ['any other transient error', new TransientError('LOST_RACE', 'later')],
    ['one of ours whose cause is one', new TransientError('DOWN', 'later', { cause: awsError('ThrottlingException') })],
    ['a refused request', awsError('ValidationException', { $metadata: { httpStatusCode: 400 } })],
    ['a condition that failed', cancelled('ConditionalCheckFailed', 'TransactionConflict')],
    ['a cancellation without reasons', cancelled()],
    ['a bug', new TypeError('undefined is not a function')],
    ['something that is not an error', 'ThrottlingException'],
  ])('not for %s', (_, error) => {
    expect(isUnavailable(error)).toBe(false);
  });

  test.each([
    ...[
      'BandwidthLimitExceeded',
      'LimitExceededException',
      'PriorRequestNotComplete',
      'RequestLimitExceeded',
      'SlowDown',
    ],
    ...['RequestThrottled', 'RequestThrottledException', 'ThrottledException', 'Throttling', 'EC2ThrottledException'],
    ...['TimeoutError', 'RequestTimeout', 'RequestTimeoutException', 'TooManyRequestsException'],
    ...[
      'TransactionInProgressException',
      'AccessDeniedException',
      'ItemCollectionSizeLimitExceededException',
      'Unknown',
    ],
  ])('as the SDK has it: %s', (name) => {
    const error = awsError(name) as never;
    expect(isUnavailable(error)).toBe(isThrottlingError(error) || isTransientError(error));
  });

  test.each([
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EACCES',
  ])('as the SDK has it: the code %s', (code) => {
    const error = awsError('Error', { code }) as never;
    expect(isUnavailable(error)).toBe(isTransientError(error));
  });

  test.each([200, 400, 404, 429, 500, 501, 502, 503, 504, 599])(
    'as the SDK has it: the status %s',
    (httpStatusCode) => {
      const error = awsError('SomethingNew', { $metadata: { httpStatusCode } }) as never;
      expect(isUnavailable(error)).toBe(isThrottlingError(error) || isTransientError(error) || isServerError(error));
    },
  );

  test('an UnavailableError is a TransientError', () => {
    expect(new UnavailableError('CARRIER_DOWN', 'down')).toBeInstanceOf(TransientError);
  });
});
