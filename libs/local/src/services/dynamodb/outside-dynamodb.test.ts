import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { keyOf, thingsTable } from '../../../fixtures/dynamodb-under-test.ts';
import type { Call } from '../../core/service.ts';
import { OutsideDynamoDb } from './outside-dynamodb.ts';
import { startDynamoDbServer } from './server.ts';

function callOf(operation: string, input: Record<string, unknown>, isMetered = false): Call {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    authorization: 'AWS4-HMAC-SHA256 Credential=shop-dev-relay/20260101/us-east-1/dynamodb/aws4_request, Signature=x',
  };
  const request = { target: '/', headers, body: Buffer.from(JSON.stringify(input)) };
  return { operation, input, isMetered, request } as unknown as Call;
}

test('requests are passed on, metered where that is asked for, and readers of streams are told of writes', async () => {
  await using server = await startDynamoDbServer();
  await using outside = new OutsideDynamoDb({ endpoint: server.endpoint, region: 'us-east-1' });
  await outside.call('CreateTable', thingsTable);
  let told = 0;
  const ignore = outside.onRecords('arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/x', () => {
    told += 1;
  });
  const put = { TableName: 'things', Item: keyOf('a') };
  const counted = await outside.answer(callOf('PutItem', put, true));
  expect(outside.usedBy(counted)).toMatchObject({ consumed: { TableName: 'things', CapacityUnits: 1 } });
  const once = { ...put, ConditionExpression: 'attribute_not_exists(pk)' };
  const refused = await outside.answer(callOf('PutItem', once, true));
  expect([refused.status, outside.usedBy(refused)?.errorName]).toEqual([400, 'ConditionalCheckFailedException']);
  const found = await outside.answer(callOf('GetItem', { TableName: 'things', Key: keyOf('a') }));
  expect(JSON.parse(await text(found.body as NodeJS.ReadableStream))).toEqual({ Item: keyOf('a') });
  expect(told).toBe(2);
  ignore();
  await outside.answer(callOf('DeleteItem', { TableName: 'things', Key: keyOf('a') }));
  expect(told).toBe(2);
});

test('a DynamoDB that does not answer is an error that says so', async () => {
  await using outside = new OutsideDynamoDb({ endpoint: 'http://127.0.0.1:9', region: 'us-east-1' });
  await expect(outside.answer(callOf('ListTables', {}))).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    status: 503,
  });
});
