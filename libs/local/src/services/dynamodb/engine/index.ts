export type { AttributeValue, Item } from './attribute-value.ts';
export { DynamoDbEngine, type DynamoDbEngineOptions } from './dynamodb-engine.ts';
export { conditionalCheckFailed, DynamoDbError, throughputExceeded, transactionConflict } from './dynamodb-error.ts';
export { type Call, EngineRequestHandler, type Intercept, LostAnswerError } from './engine-request-handler.ts';
export { type ItemStorage, MemoryStorage } from './item-storage.ts';
export type { OpenTransaction } from './operations/transactions.ts';
export type { Table } from './table.ts';
export type { StreamRecord } from './table-stream.ts';
