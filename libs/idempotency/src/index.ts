export { IdempotencyAlreadyInProgressError, IdempotencyValidationError } from '@aws-lambda-powertools/idempotency';
export { IdempotencyTable } from './idempotency-table.ts';
export { LOCK_MARGIN_MS } from './locking-persistence-layer.ts';
