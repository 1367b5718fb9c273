import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from '@jest/globals';
import { documentClient } from './index.ts';

/** A client whose requests end in `sent` instead of on the network. */
function setUp() {
  const sent: { body: unknown; length: number; bytes: number }[] = [];
  const client = documentClient(
    new DynamoDBClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: {
        handle: async ({ body, headers }: { body: string | Uint8Array; headers: Record<string, string> }) => {
          const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
          const text = new TextDecoder().decode(bytes);
          sent.push({ body: JSON.parse(text), length: Number(headers['content-length']), bytes: bytes.byteLength });
          return { response: { statusCode: 200, headers: {}, body: Readable.from([Buffer.from('{}')]) } };
        },
      },
    }),
  );
  return { client, sent };
}

const Item = { pk: 'straße', note: undefined };

test('a transaction has no request token, and its length is right', async () => {
  const { client, sent } = setUp();
  await client.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName: 't', Item } }] }));
  expect(sent.map(({ body }) => body)).toEqual([
    { TransactItems: [{ Put: { TableName: 't', Item: { pk: { S: 'straße' } } } }] },
  ]);
  expect(sent[0]?.length).toBe(sent[0]?.bytes);
});

test('other requests are sent as they are', async () => {
  const { client, sent } = setUp();
  await client.send(new PutCommand({ TableName: 't', Item }));
  expect(sent.map(({ body }) => body)).toEqual([{ TableName: 't', Item: { pk: { S: 'straße' } } }]);
});
