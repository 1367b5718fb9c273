export type { AttributeValue, Item } from './attribute-value.ts';
export { DynamoDbEngine } from './dynamodb-engine.ts';
export { type CancellationReason, DynamoDbError, internalServerError, throughputExceeded } from './dynamodb-error.ts';
export { EngineRequestHandler, type Intercept, LostAnswerError } from './engine-request-handler.ts';
export type { StreamRecord } from './table-stream.ts';
