export type { AttributeValue, Item } from './attribute-value.ts';
export { DynamoDbEngine, type DynamoDbEngineOptions } from './dynamodb-engine.ts';
export {
  type CancellationReason,
  conditionalCheckFailed,
  DynamoDbError,
  internalServerError,
  throughputExceeded,
  transactionConflict,
} from './dynamodb-error.ts';
export { type Call, EngineRequestHandler, type Intercept, LostAnswerError } from './engine-request-handler.ts';
export type { Journal } from './journal.ts';
export type { OpenTransaction } from './operations/transactions.ts';
export type { Table } from './table.ts';
export type { StreamRecord } from './table-stream.ts';
