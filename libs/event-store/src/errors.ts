import { TransientError } from '@millrace/errors';

/** The codes this library raises. */
export const errorCodes = {
  CONCURRENCY_CONFLICT: 'Another writer changed the stream or item first.',
  STORE_BUSY: 'DynamoDB cancelled the transaction because of a competing one or a throttle.',
} as const;

/** Another writer was faster: load again, decide again, append again. */
export class ConcurrencyConflictError extends TransientError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONCURRENCY_CONFLICT', message, options);
  }
}

/** The same transaction may succeed in a moment. */
export class StoreBusyError extends TransientError {
  constructor(reasons: string, options?: ErrorOptions) {
    super('STORE_BUSY', `DynamoDB cancelled the transaction: ${reasons}`, options);
  }
}
