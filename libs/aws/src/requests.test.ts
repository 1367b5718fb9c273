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
import type { HttpRequest, Transport } from './transport.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/+', sessionToken: 'session token' };
const region = 'eu-central-1';
const now = new Date('2026-11-30T09:08:07.654Z');

/** A client of ours, and what it sends. */
function ours() {
  const sent: HttpRequest[] = [];
  const transport: Transport = async (request) => {
    sent.push(request);
    return { statusCode: 200, headers: {}, body: Buffer.from('{}') };
  };
  return { options: { region, credentials, transport, now: () => now }, sent };
}

/** What a client of the SDK sends. */
function theirs() {
  const sent: { headers: Record<string, string>; body: string | Uint8Array; hostname: string }[] = [];
  const requestHandler = {
    handle: async (request: (typeof sent)[number]) => {
      sent.push(request);
      return { response: { statusCode: 200, headers: {}, body: Buffer.from('{}') } };
    },
  };
  return { options: { region, credentials, requestHandler: requestHandler as never, md5: false as const }, sent };
}

const bodyOf = (body: string | Uint8Array | undefined) =>
  JSON.parse(
    body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : String(body),
  );

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
    ['GetItem', GetCommand, sdk.GetCommand, { TableName, Key, ConsistentRead: true }],
    ['PutItem', PutCommand, sdk.PutCommand, { TableName, Item, ...condition, ReturnValues: 'ALL_OLD' }],
    ['UpdateItem', UpdateCommand, sdk.UpdateCommand, { TableName, Key, UpdateExpression: 'SET #a = :a', ...condition }],
    ['DeleteItem', DeleteCommand, sdk.DeleteCommand, { TableName, Key, ...condition }],
    ['Query', QueryCommand, sdk.QueryCommand, { TableName, ...filter, ExclusiveStartKey: Key, Limit: 3 }],
    ['Scan', ScanCommand, sdk.ScanCommand, { TableName, Segment: 1, TotalSegments: 2, ExclusiveStartKey: undefined }],
    [
      'BatchGetItem',
      BatchGetCommand,
      sdk.BatchGetCommand,
      { RequestItems: { orders: { Keys: [Key, { pk: 'b', sk: 2 }], ConsistentRead: true }, others: { Keys: [Key] } } },
    ],
    [
      'BatchWriteItem',
      BatchWriteCommand,
      sdk.BatchWriteCommand,
      { RequestItems: { orders: [{ PutRequest: { Item } }, { DeleteRequest: { Key } }] } },
    ],
    [
      'TransactWriteItems',
      TransactWriteCommand,
      sdk.TransactWriteCommand,
      {
        TransactItems: [
          { Put: { TableName, Item, ...condition, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
          { Update: { TableName, Key, UpdateExpression: 'SET #a = :a', ...condition } },
          { Delete: { TableName, Key, ...condition } },
          { ConditionCheck: { TableName, Key, ...condition } },
        ],
      },
    ],
  ] as const)('%s', async (operation, Ours, Theirs, input) => {
    const our = ours();
    const their = theirs();
    // biome-ignore lint/suspicious/noExplicitAny: each row of the table pairs a command with its own type of input
    await documentClient(our.options).send(new (Ours as any)(input));
    const marshallOptions = { removeUndefinedValues: true };
    const sdkClient = sdk.DynamoDBDocumentClient.from(new DynamoDBClient(their.options), { marshallOptions });
    // biome-ignore lint/suspicious/noExplicitAny: the SDK's commands, too, have different inputs
    await sdkClient.send(new (Theirs as any)(input));

    expect(bodyOf(our.sent[0]?.body)).toEqual(withoutToken(bodyOf(their.sent[0]?.body)));
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
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value), async (item) => {
        const our = ours();
        await documentClient(our.options).send(new PutCommand({ TableName, Item: item as Record<string, unknown> }));
        const their = theirs();
        const sdkClient = sdk.DynamoDBDocumentClient.from(new DynamoDBClient(their.options), {
          marshallOptions: { removeUndefinedValues: true },
        });
        await sdkClient.send(new sdk.PutCommand({ TableName, Item: item as Record<string, unknown> }));
        expect(bodyOf(our.sent[0]?.body)).toEqual(bodyOf(their.sent[0]?.body));
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

  expect(bodyOf(our.sent[0]?.body)).toEqual(bodyOf(their.sent[0]?.body));
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

  expect(bodyOf(our.sent[0]?.body)).toEqual(bodyOf(their.sent[0]?.body));
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
    expect(bodyOf(request.body)).toEqual(bodyOf(their.sent[index]?.body));
    expect(request.headers['x-amz-target']).toBe(their.sent[index]?.headers['x-amz-target']);
    expect(request.headers['content-type']).toBe(their.sent[index]?.headers['content-type']);
    expect(request.hostname).toBe(their.sent[index]?.hostname);
  }
});
