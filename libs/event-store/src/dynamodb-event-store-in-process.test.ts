import { documentClient } from '@millrace/aws';
import { DynamoDbEngine, EngineRequestHandler } from '@millrace/local/dynamodb-engine';
import { type Counted, eventStoreConformance } from '../fixtures/event-store-conformance.ts';
import { DynamoDbEventStore } from './index.ts';

// The same as against the DynamoDB of `npm start`: the simulation relies on the engine to answer alike.
const engine = new DynamoDbEngine();
engine.execute('CreateTable', {
  TableName: 'counters',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
});
const handler = new EngineRequestHandler(engine);
const client = documentClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  transport: async (request) => (await handler.handle(request)).response,
});

eventStoreConformance((options) => new DynamoDbEventStore<Counted>(client, 'counters', options));
