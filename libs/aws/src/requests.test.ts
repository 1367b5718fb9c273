import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand as SdkPutEventsCommand } from '@aws-sdk/client-eventbridge';
import { KinesisClient, PutRecordsCommand as SdkPutRecordsCommand } from '@aws-sdk/client-kinesis';
import {
  ChangeMessageVisibilityCommand as SdkChangeMessageVisibilityCommand,
  SendMessageCommand as SdkSendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as sdk from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bodyOf, both, now, ours, region, theirs } from '../fixtures/recorded-clients.ts';
import {
  BatchGetCommand,
  BatchWriteCommand,
  ChangeMessageVisibilityCommand,
  DeleteCommand,
  documentClient,
  eventBridge,
  GetCommand,
  kinesis,
  PutCommand,
  PutEventsCommand,
  PutRecordsCommand,
  QueryCommand,
  ScanCommand,
  SendMessageCommand,
  sqs,
  TransactWriteCommand,
  UpdateCommand,
} from './index.ts';

/** The SDK adds one, see TransactWriteCommand. */
function withoutToken({ ClientRequestToken: _, ...body }: Record<string, unknown>) {
  return body;
}

const Item = {
  pk: 'straße 😀',
  sk: '',
  whole: 12,
  decimal: -0.000123,
  large: 9_007_199_254_740_991,
  huge: 123_456_789_012_345_678_901_234_567_890n,
  yes: true,
  nothing: null,
  absent: undefined,
  list: ['a', 1, undefined, [null, { deep: { er: false } }]],
  map: { nested: { value: 'x', absent: undefined } },
  bytes: new Uint8Array([0, 1, 255]),
  texts: new Set(['a', 'b']),
  numbers: new Set([1, 2.5]),
  binaries: new Set([new Uint8Array([1])]),
};
const Key = { pk: 'a', sk: 1 };
const condition = {
  ConditionExpression: '#a = :a OR attribute_not_exists(pk)',
  ExpressionAttributeNames: { '#a': 'a' },
  ExpressionAttributeValues: { ':a': { b: [1, 'two'] }, ':absent': undefined },
};
const { ConditionExpression: FilterExpression, ...placeholders } = condition;
const filter = { KeyConditionExpression: 'pk = :a', FilterExpression, ...placeholders };
const TableName = 'orders';

describe("requests to DynamoDB have the SDK's bodies", () => {
  test.each([
    ['GetItem', both(GetCommand, sdk.GetCommand, { TableName, Key, ConsistentRead: true })],
    ['PutItem', both(PutCommand, sdk.PutCommand, { TableName, Item, ...condition, ReturnValues: 'ALL_OLD' })],
    [
      'UpdateItem',
      both(UpdateCommand, sdk.UpdateCommand, { TableName, Key, UpdateExpression: 'SET #a = :a', ...condition }),
    ],
    ['DeleteItem', both(DeleteCommand, sdk.DeleteCommand, { TableName, Key, ...condition })],
    ['Query', both(QueryCommand, sdk.QueryCommand, { TableName, ...filter, ExclusiveStartKey: Key, Limit: 3 })],
    [
      'Scan',
      both(ScanCommand, sdk.ScanCommand, { TableName, Segment: 1, TotalSegments: 2, ExclusiveStartKey: undefined }),
    ],
    [
      'BatchGetItem',
      both(BatchGetCommand, sdk.BatchGetCommand, {
        RequestItems: { orders: { Keys: [Key, { pk: 'b', sk: 2 }], ConsistentRead: true }, others: { Keys: [Key] } },
      }),
    ],
    [
      'BatchWriteItem',
      both(BatchWriteCommand, sdk.BatchWriteCommand, {
        RequestItems: { orders: [{ PutRequest: { Item } }, { DeleteRequest: { Key } }] },
      }),
    ],
    [
      'TransactWriteItems',
      both(TransactWriteCommand, sdk.TransactWriteCommand, {
        TransactItems: [
          { Put: { TableName, Item, ...condition, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
          { Update: { TableName, Key, UpdateExpression: 'SET #a = :a', ...condition } },
          { Delete: { TableName, Key, ...condition } },
          { ConditionCheck: { TableName, Key, ...condition } },
        ],
      }),
    ],
  ])('%s', async (operation, command) => {
    const our = ours();
    const their = theirs();
    await command.our(documentClient(our.options));
    const marshallOptions = { removeUndefinedValues: true };
    await command.their(sdk.DynamoDBDocumentClient.from(new DynamoDBClient(their.options), { marshallOptions }));

    expect(bodyOf(our.sent[0])).toEqual(withoutToken(bodyOf(their.sent[0])));
    expect(our.sent[0]?.headers['x-amz-target']).toBe(`DynamoDB_20120810.${operation}`);
    expect(our.sent[0]?.headers['x-amz-target']).toBe(their.sent[0]?.headers['x-amz-target']);
    expect(our.sent[0]?.headers['content-type']).toBe(their.sent[0]?.headers['content-type']);
  });

  test('whatever is in an item', async () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
        fc.maxSafeInteger(),
        fc.bigInt(),
        fc.boolean(),
        fc.constantFrom(null, undefined),
        fc.uint8Array(),
        fc.array(tie('any')),
        fc.dictionary(fc.string(), tie('any')),
      ),
    })).any;
    const [our, their] = [ours(), theirs()];
    const client = documentClient(our.options);
    const sdkClient = sdk.DynamoDBDocumentClient.from(new DynamoDBClient(their.options), {
      marshallOptions: { removeUndefinedValues: true },
    });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value), async (Item) => {
        const input = { TableName, Item: Item as Record<string, unknown> };
        await client.send(new PutCommand(input));
        await sdkClient.send(new sdk.PutCommand(input));
        expect(bodyOf(our.sent.at(-1))).toEqual(bodyOf(their.sent.at(-1)));
      }),
      { numRuns: 100 },
    );
  });
});

test("PutEvents has the SDK's body", async () => {
  const input = {
    Entries: [
      {
        EventBusName: 'bus',
        Source: 's',
        DetailType: 'd',
        Detail: '{"ä":1}',
        Time: now,
        Resources: ['r'],
        TraceHeader: 't',
      },
      { Source: 's', DetailType: 'd', Detail: '{}' },
    ],
  };
  const [our, their] = [ours(), theirs()];
  await eventBridge(our.options).send(new PutEventsCommand(input));
  await new EventBridgeClient(their.options).send(new SdkPutEventsCommand(input));

  expect(bodyOf(our.sent[0])).toEqual(bodyOf(their.sent[0]));
  expect(our.sent[0]?.headers).toMatchObject({
    'x-amz-target': their.sent[0]?.headers['x-amz-target'],
    'content-type': their.sent[0]?.headers['content-type'],
  });
  expect(our.sent[0]?.hostname).toBe(their.sent[0]?.hostname);
});

test("PutRecords has the SDK's body", async () => {
  const Records = [{ PartitionKey: 'a', Data: Buffer.from('ä\u0000') }];
  const [our, their] = [ours(), theirs()];
  await kinesis(our.options).send(new PutRecordsCommand({ StreamName: 'views', Records }));
  await new KinesisClient(their.options).send(new SdkPutRecordsCommand({ StreamName: 'views', Records }));

  expect(bodyOf(our.sent[0])).toEqual(bodyOf(their.sent[0]));
  expect(our.sent[0]?.headers['x-amz-target']).toBe(their.sent[0]?.headers['x-amz-target']);
});

test("the requests to SQS have the SDK's bodies", async () => {
  const QueueUrl = `https://sqs.${region}.amazonaws.com/123456789012/queue`;
  const send = {
    QueueUrl,
    MessageBody: 'ä',
    DelaySeconds: 3,
    MessageAttributes: {
      text: { DataType: 'String', StringValue: 'x' },
      bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2]) },
    },
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String' as const, StringValue: 'Root=1' } },
  };
  const change = { QueueUrl, ReceiptHandle: 'handle', VisibilityTimeout: 0 };
  const [our, their] = [ours(), theirs()];
  const [client, sdkClient] = [sqs(our.options), new SQSClient(their.options)];
  await client.send(new SendMessageCommand(send));
  await sdkClient.send(new SdkSendMessageCommand(send));
  await client.send(new ChangeMessageVisibilityCommand(change));
  await sdkClient.send(new SdkChangeMessageVisibilityCommand(change));

  expect(our.sent).toHaveLength(2);
  for (const [index, request] of our.sent.entries()) {
    expect(bodyOf(request)).toEqual(bodyOf(their.sent[index]));
    expect(request.headers['x-amz-target']).toBe(their.sent[index]?.headers['x-amz-target']);
    expect(request.headers['content-type']).toBe(their.sent[index]?.headers['content-type']);
    expect(request.hostname).toBe(their.sent[index]?.hostname);
  }
});
