import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, EngineUnderTest, key } from '../../../../../fixtures/engine-under-test.ts';

let db: EngineUnderTest;

beforeEach(() => {
  db = new EngineUnderTest();
});

const put = (pk: string, more: object = {}) => ({ Put: { TableName: 'things', Item: key(pk), ...more } });
const create = (pk: string) => put(pk, { ConditionExpression: 'attribute_not_exists(pk)' });
const reasons = (input: object): Answer => db.refused('TransactWriteItems', input).members.CancellationReasons;

describe('TransactWriteItems', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
  test('writes all or nothing, and gives a reason for each action in its order', () => {
    db.put('b', { n: { N: '1' } });
    const TransactItems = [create('a'), { ...create('b') }, put('c')];
    expect(db.refused('TransactWriteItems', { TransactItems }).message).toBe(
      'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, None]',
    );
    expect(reasons({ TransactItems })[1]).toEqual({
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
    });
    expect([db.get('a'), db.get('c')]).toEqual([undefined, undefined]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Put.html
  test('a reason has the item when the action asks for it', () => {
    db.put('a', { n: { N: '1' } });
    const action = { ...create('a').Put, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    expect(reasons({ TransactItems: [{ Put: action }] })).toMatchObject([{ Item: { ...key('a'), n: { N: '1' } } }]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('has up to 100 actions, each on another item', () => {
    const many = (count: number) => ({ TransactItems: Array.from({ length: count }, (_, index) => put(`k${index}`)) });
    db.call('TransactWriteItems', many(100));
    expect(db.refused('TransactWriteItems', many(101)).message).toContain('less than or equal to 100');
    expect(db.refused('TransactWriteItems', { TransactItems: [put('a'), put('a')] }).message).toBe(
      'Transaction request cannot include multiple operations on one item',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('has up to 4 MB of items', () => {
    const large = (pk: string) => put(pk, { Item: { ...key(pk), text: { S: 'x'.repeat(390 * 1024) } } });
    const items = (count: number) => Array.from({ length: count }, (_, index) => large(`k${index}`));
    db.call('TransactWriteItems', { TransactItems: items(10) });
    expect(db.refused('TransactWriteItems', { TransactItems: items(11) }).name).toBe('ValidationException');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('what does not fit an item is the reason ValidationError', () => {
    db.put('a', { word: { S: 'x' } });
    const update = {
      TableName: 'things',
      Key: key('a'),
      UpdateExpression: 'ADD word :one',
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    expect(reasons({ TransactItems: [put('b'), { Update: update }] })).toEqual([
      { Code: 'None' },
      { Code: 'ValidationError', Message: 'An operand in the update expression has an incorrect data type' },
    ]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('a request token makes it idempotent for ten minutes', () => {
    const once = { TransactItems: [create('a')], ClientRequestToken: 'token' };
    db.call('TransactWriteItems', once);
    expect(db.call('TransactWriteItems', once)).toEqual({});
    db.now += 10 * 60_000 + 1;
    expect(db.refused('TransactWriteItems', once).name).toBe('TransactionCanceledException');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('a request token with another request is refused', () => {
    db.call('TransactWriteItems', { TransactItems: [put('a')], ClientRequestToken: 'token' });
    expect(db.refused('TransactWriteItems', { TransactItems: [put('b')], ClientRequestToken: 'token' }).name).toBe(
      'IdempotentParameterMismatchException',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  test('the answer to a repeated request counts reads, that to the first one writes', () => {
    const request = { TransactItems: [put('a')], ClientRequestToken: 'token', ReturnConsumedCapacity: 'TOTAL' };
    expect(db.call('TransactWriteItems', request).ConsumedCapacity).toEqual([
      { TableName: 'things', CapacityUnits: 2, WriteCapacityUnits: 2 },
    ]);
    expect(db.call('TransactWriteItems', request).ConsumedCapacity).toEqual([
      { TableName: 'things', CapacityUnits: 2, ReadCapacityUnits: 2 },
    ]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
  test('an ongoing one cancels others on its items', () => {
    const open = db.engine.openTransaction({ TransactItems: [put('a')] });
    expect(reasons({ TransactItems: [put('a'), put('b')] })).toEqual([
      { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' },
      { Code: 'None' },
    ]);
    expect(db.refused('PutItem', { Item: key('a') }).name).toBe('TransactionConflictException');
    const Get = { TableName: 'things', Key: key('a') };
    expect(db.refused('TransactGetItems', { TransactItems: [{ Get }] }).name).toBe('TransactionCanceledException');
    expect(db.get('a')).toBeUndefined();
    open.commit();
    expect(db.get('a')).toEqual(key('a'));
    db.engine.openTransaction({ TransactItems: [put('b')] }).abandon();
    db.put('b');
  });
});

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
test('TransactGetItems answers in the order of the request, with an empty entry for a missing item', () => {
  db.put('b', { n: { N: '1' } });
  const TransactItems = ['a', 'b'].map((pk) => ({
    Get: { TableName: 'things', Key: key(pk), ProjectionExpression: 'n' },
  }));
  expect(db.call('TransactGetItems', { TransactItems }).Responses).toEqual([{}, { Item: { n: { N: '1' } } }]);
});
