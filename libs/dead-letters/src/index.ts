export { callBatch, type EntryFailure } from './batch-call.ts';
export { batches, MAX_BATCH_ENTRIES } from './batches.ts';
export {
  type DeadEvent,
  type DeadLetter,
  type DeadLetterReason,
  isEdited,
  type Origin,
  readDeadLetter,
  receiveEverything,
} from './dead-letter.ts';
export { eventDigest, type Failure, type FailureKind, failureAttributes } from './failure.ts';
export { messageAttributes } from './message-attributes.ts';
export { type ParkingReason, parkingAttributes, parkingCodes, unparkedAttributes } from './parking.ts';
export {
  MAX_EVENT_BYTES,
  MAX_REEMIT_MESSAGES,
  type ReemitRequest,
  type ReemitResponse,
  type ReemitResult,
  reemitRequestSchema,
} from './reemission.ts';
export {
  type RowPlace,
  relayDeadLetterOf,
  rowPlaceOf,
  type StreamPositions,
  streamPositionsOf,
} from './relay-letter.ts';
export { insertRecordOf, outboxItem } from './stream-record.ts';
