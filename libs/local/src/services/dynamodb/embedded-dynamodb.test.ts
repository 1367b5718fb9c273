import { describe, expect, test } from '@jest/globals';
import { DynamoDbUnderTest, keyOf, thingsTable } from '../../../fixtures/dynamodb-under-test.ts';

async function withThings(options?: ConstructorParameters<typeof DynamoDbUnderTest>[0]): Promise<DynamoDbUnderTest> {
  const db = new DynamoDbUnderTest(options);
  await db.call('CreateTable', thingsTable);
  return db;
}

const put = (pk: string) => ({ Put: { TableName: 'things', Item: keyOf(pk) } });

test('what expires is deleted when its time is over, and readers of the stream are told', async () => {
  await using db = await withThings();
  const streamArn = (await db.call('DescribeTable', {})).Table.LatestStreamArn;
  let told = 0;
  const ignore = db.dynamodb.onRecords(`${streamArn}-of-another`, () => {
    told += 1000;
  });
  db.dynamodb.onRecords(streamArn, () => {
    told += 1;
  });
  await db.call('UpdateTimeToLive', { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } });
  const seconds = (later: number) => ({ ttl: { N: String(db.clock.now() / 1000 + later) } });
  await db.put('soon', seconds(60));
  await db.put('put off', seconds(60));
  await db.put('put off', seconds(3600));
  await db.put('not a number', { ttl: { S: '1' } });
  await db.clock.advance(60_000);
  expect(await db.get('soon')).toBeDefined();
  const before = told;
  await db.clock.advance(1_000);
  expect(await db.get('soon')).toBeUndefined();
  expect(told).toBe(before + 1);
  ignore();
  await db.clock.advance(3_600_000);
  const { Items } = await db.call('Scan', {});
  expect(Items.map((item: { pk: { S: string } }) => item.pk.S)).toEqual(['not a number']);
  expect((await db.records()).filter(({ userIdentity }) => userIdentity).map(({ dynamodb }) => dynamodb.Keys)).toEqual([
    keyOf('soon'),
    keyOf('put off'),
  ]);
});

describe('with the fault "conflicts"', () => {
  test('a transaction holds its items for some milliseconds of the clock', async () => {
    await using db = await withThings({ faults: ['conflicts'] });
    const first = db.call('TransactWriteItems', { TransactItems: [put('a'), put('b')] });
    await expect(db.call('TransactWriteItems', { TransactItems: [put('b'), put('c')] })).rejects.toThrow(
      'Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]',
    );
    await expect(db.put('a')).rejects.toMatchObject({ code: 'TransactionConflictException' });
    await expect(
      db.call('TransactGetItems', { TransactItems: [{ Get: { TableName: 'things', Key: keyOf('a') } }] }),
    ).rejects.toThrow('[TransactionConflict]');
    const batch = { RequestItems: { things: ['a', 'd'].map((pk) => ({ PutRequest: { Item: keyOf(pk) } })) } };
    expect(await db.call('BatchWriteItem', batch)).toMatchObject({
      UnprocessedItems: { things: [{ PutRequest: { Item: keyOf('a') } }] },
    });
    expect(await db.get('a')).toBeUndefined();
    await db.clock.advance(10);
    await first;
    expect(await db.get('a')).toEqual(keyOf('a'));
    await db.put('a', { n: { N: '1' } });
  });

  test('a transaction whose table is deleted meanwhile is refused', async () => {
    await using db = await withThings({ faults: ['conflicts'] });
    const writing = db.call('TransactWriteItems', { TransactItems: [put('a')] });
    const outcome = expect(writing).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await db.call('DeleteTable', {});
    await db.clock.advance(10);
    await outcome;
  });
});

describe('with the fault "throttling"', () => {
  const large = { text: { S: 'x'.repeat(300 * 1024) } };

  test('a partition takes 1,000 write units a second, and the others their own', async () => {
    await using db = await withThings({ faults: ['throttling'] });
    for (let count = 0; count < 4; count += 1) await db.put('hot', large);
    await expect(db.put('hot', large)).rejects.toMatchObject({
      code: 'ThrottlingException',
      message: expect.stringMatching(/^Throughput exceeds the current capacity of your table or index/),
    });
    await expect(db.call('TransactWriteItems', { TransactItems: [put('cold'), put('hot')] })).rejects.toThrow(
      '[None, ThrottlingError]',
    );
    const batch = { RequestItems: { things: ['hot', 'cold'].map((pk) => ({ PutRequest: { Item: keyOf(pk) } })) } };
    expect(await db.call('BatchWriteItem', batch)).toMatchObject({ UnprocessedItems: { things: [{}] } });
    await db.clock.advance(1_000);
    await db.put('hot');
  });

  test('a provisioned table takes what it has, and five minutes of it at once', async () => {
    await using db = await withThings({ faults: ['throttling'] });
    const throughput = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
    await db.call('UpdateTable', { BillingMode: 'PROVISIONED', ProvisionedThroughput: throughput });
    await db.put('a', large);
    await expect(db.put('b')).rejects.toMatchObject({ code: 'ProvisionedThroughputExceededException' });
    await db.clock.advance(2_000);
    await db.put('b');
  });
});

test('without faults nothing is refused', async () => {
  await using db = await withThings();
  for (let count = 0; count < 6; count += 1) await db.put('hot', { text: { S: 'x'.repeat(300 * 1024) } });
  await Promise.all(
    Array.from({ length: 5 }, () => db.call('TransactWriteItems', { TransactItems: [put('a'), put('b')] })),
  );
});

test('metrics tell of each table what was used, how long it took, and what was refused why', async () => {
  const reports: string[] = [];
  await using db = new DynamoDbUnderTest({
    metric: ({ name, dimensions, value, unit }) =>
      void reports.push(
        [name, ...Object.values(dimensions), ...(unit === 'Milliseconds' ? [] : [String(value)])].join(' '),
      ),
  });
  await db.call('CreateTable', thingsTable);
  const answer = (operation: string, input: object) =>
    db.dynamodb.answer({ operation, input: { TableName: 'things', ...input } });
  const { body } = await answer('PutItem', { Item: keyOf('a') });
  expect(body).toBe('{}');
  await answer('PutItem', { Item: keyOf('a'), ConditionExpression: 'attribute_not_exists(pk)' });
  await answer('GetItem', { Key: keyOf('a') });
  await answer('GetItem', { Key: {} });
  await answer('TransactWriteItems', { TransactItems: [put('a'), put('b')] });
  await db.call('UpdateTimeToLive', { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } });
  await db.put('old', { ttl: { N: String(db.clock.now() / 1000) } });
  await db.clock.advance(1_000);
  expect(reports).toEqual([
    ...['SuccessfulRequestLatency things PutItem', 'ConsumedWriteCapacityUnits things 1'],
    'ConditionalCheckFailedRequests things 1',
    ...['SuccessfulRequestLatency things GetItem', 'ConsumedReadCapacityUnits things 0.5'],
    'UserErrors 1',
    ...['SuccessfulRequestLatency things TransactWriteItems', 'ConsumedWriteCapacityUnits things 4'],
    'TimeToLiveDeletedItemCount things 1',
  ]);
});
