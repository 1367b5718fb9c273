import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { DynamoDbEngine, EngineRequestHandler, type Intercept, LostAnswerError, throughputExceeded } from './index.ts';

async function clientOf(intercept?: Intercept) {
  const engine = new DynamoDbEngine();
  engine.execute('CreateTable', {
    TableName: 'things',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  const client = new DynamoDBClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new EngineRequestHandler(engine, intercept),
  });
  return { client, documents: DynamoDBDocumentClient.from(client) };
}

const put = new PutCommand({ TableName: 'things', Item: { pk: 'a', n: 1.5, bytes: new Uint8Array([1, 2]) } });
const get = new GetCommand({ TableName: 'things', Key: { pk: 'a' } });

describe("the SDK's own client", () => {
  test('marshals, and reads what it has written', async () => {
    const { documents } = await clientOf();
    await documents.send(put);
    expect((await documents.send(get)).Item).toEqual({ pk: 'a', n: 1.5, bytes: new Uint8Array([1, 2]) });
  });

  test('throws the error classes of DynamoDB', async () => {
    const { client, documents } = await clientOf();
    await documents.send(put);
    const again = new PutCommand({ ...put.input, ConditionExpression: 'attribute_not_exists(pk)' });
    await expect(documents.send(again)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    const Put = { TableName: 'things', Item: { pk: { S: 'a' } }, ConditionExpression: 'attribute_not_exists(pk)' };
    const error = await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] })).catch((each) => each);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.CancellationReasons).toMatchObject([{ Code: 'ConditionalCheckFailed' }]);
    await expect(client.send(new CreateTableCommand({ TableName: 'things' } as never))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  test('tries again after a throttle and after a lost answer, although the write was done', async () => {
    const done: string[] = [];
    const { documents } = await clientOf((call, execute) => {
      done.push(call.operation);
      if (done.length === 1) throw throughputExceeded();
      const output = execute();
      if (done.length === 2) throw new LostAnswerError();
      return output;
    });
    await documents.send(put);
    expect(done).toEqual(['PutItem', 'PutItem', 'PutItem']);
    expect((await documents.send(get)).Item).toMatchObject({ pk: 'a' });
  });
});
