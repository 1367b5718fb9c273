import { CreateTableCommand, DynamoDBClient, type ScalarAttributeType } from '@aws-sdk/client-dynamodb';
import { startDynamoDbServer } from '@millrace/local/dynamodb';

/** A real DynamoDB for the tests of one file. */
export interface TestDynamoDb {
  client: DynamoDBClient;
  /** Creates a table: string keys `pk` and `sk`, or the one key of Powertools' idempotency table with `['id']`. */
  createTable(name: string, keys?: readonly [string, string?]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an empty DynamoDB on a free loopback port. Clients made afterwards without any options reach it, too, as they
 * do in a function.
 */
export async function startTestDynamoDb(): Promise<TestDynamoDb> {
  const server = await startDynamoDbServer();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: server.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  const client = new DynamoDBClient({});
  return {
    client,
    async createTable(name, keys = ['pk', 'sk']) {
      const names = keys.filter((key) => key !== undefined);
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: names.map((key) => ({
            AttributeName: key,
            AttributeType: 'S' satisfies ScalarAttributeType,
          })),
          KeySchema: names.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
        }),
      );
    },
    async stop() {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
