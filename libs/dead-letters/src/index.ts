export { callBatch } from './batch-call.ts';
export { batches, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES } from './batches.ts';
export {
  type DeadLetter,
  isEdited,
  readDeadLetter,
} from './dead-letter.ts';
export { failedExecutionOf } from './execution-dead-letter.ts';
export { eventDigest, type FailureKind, failureAttributes } from './failure.ts';
export { messageAttributes } from './message-attributes.ts';
export { type ParkingReason, parkingAttributes, unparkedAttributes } from './parking.ts';
export {
  MAX_EVENT_BYTES,
  type ReemitRequest,
  type ReemitResponse,
  type ReemitResult,
  reemitRequestSchema,
} from './reemission.ts';
export {
  type RowPlace,
  relayDeadLetterOf,
} from './relay-dead-letter.ts';
export { insertRecordOf } from './stream-record.ts';
