import { beforeEach, describe, expect, test } from '@jest/globals';
import { DynamoDbEngine, type DynamoDbError } from './index.ts';

let engine: DynamoDbEngine;
let now: number;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  engine = new DynamoDbEngine({ now: () => now });
  engine.execute('CreateTable', {
    TableName: 'things',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'N' },
      { AttributeName: 'kind', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byKind',
        KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
});

// Answers are JSON of any operation.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Answer = any;

function call(operation: string, input: object): Answer {
  return engine.execute(operation, { TableName: 'things', ...input });
}

function errorOf(operation: string, input: object): DynamoDbError {
  try {
    call(operation, input);
  } catch (error) {
    return error as DynamoDbError;
  }
  throw new Error('It was not refused');
}

const key = (pk: string, sk: number) => ({ pk: { S: pk }, sk: { N: String(sk) } });

function put(pk: string, sk: number, attributes: object = {}): void {
  call('PutItem', { Item: { ...key(pk, sk), ...attributes } });
}

function update(expression: string, values: object = {}, more: object = {}): Answer {
  const names = Object.fromEntries([...expression.matchAll(/#(\w+)/g)].map(([text, name]) => [text, name]));
  return call('UpdateItem', {
    Key: key('a', 1),
    UpdateExpression: expression,
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ReturnValues: 'ALL_NEW',
    ...more,
  }).Attributes;
}

describe('items', () => {
  test('are found by their key, and only their projection is answered', () => {
    put('a', 1, { name: { S: 'one' }, goods: { L: [{ M: { sku: { S: 'x' }, n: { N: '1' } } }, { S: 'second' }] } });
    expect(call('GetItem', { Key: key('a', 1), ProjectionExpression: 'goods[0].sku' })).toEqual({
      Item: { goods: { L: [{ M: { sku: { S: 'x' } } }] } },
    });
    expect(call('GetItem', { Key: key('a', 2) })).toEqual({});
  });

  test('keep numbers as DynamoDB writes them, exactly to 38 digits', () => {
    put('a', 1, { n: { N: '0001.5000E2' }, big: { N: '12345678901234567890123456789012345678' } });
    const { Item } = call('GetItem', { Key: key('a', 1) });
    expect(Item.n).toEqual({ N: '150' });
    expect(update('SET big = big - :one', { ':one': { N: '1' } }).big).toEqual({
      N: '12345678901234567890123456789012345677',
    });
    expect(errorOf('PutItem', { Item: { ...key('a', 1), n: { N: '1'.repeat(39) } } }).message).toBe(
      'Attempting to store more than 38 significant digits in a Number',
    );
    expect(errorOf('PutItem', { Item: { ...key('a', 1), n: { N: '1e126' } } }).message).toContain('Number overflow');
    expect(errorOf('PutItem', { Item: { ...key('a', 1), n: { N: 'one' } } }).message).toBe(
      'The parameter cannot be converted to a numeric value: one',
    );
  });

  test.each([
    [{ pk: { S: 'a' } }, 'One or more parameter values were invalid: Missing the key sk in the item'],
    [
      { pk: { S: 'a' }, sk: { S: '1' } },
      'One or more parameter values were invalid: Type mismatch for key sk expected: N actual: S',
    ],
    [
      { pk: { S: '' }, sk: { N: '1' } },
      'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk',
    ],
    [
      { ...key('a', 1), kind: { N: '1' } },
      'One or more parameter values were invalid: Type mismatch for Index Key kind Expected: S Actual: N IndexName: byKind',
    ],
    [{ ...key('a', 1), text: { S: 'x'.repeat(400 * 1024) } }, 'Item size has exceeded the maximum allowed size'],
    [
      { ...key('a', 1), tags: { SS: ['x', 'x'] } },
      'One or more parameter values were invalid: Input collection [x, x] contains duplicates.',
    ],
  ])('that cannot be stored are refused (%#)', (Item, message) => {
    expect(errorOf('PutItem', { Item })).toMatchObject({ name: 'ValidationException', message });
  });

  test('a condition that does not hold is answered with the item, when that is asked for', () => {
    put('a', 1, { state: { S: 'old' } });
    const condition = {
      Item: key('a', 1),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    };
    expect(errorOf('PutItem', condition)).toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'The conditional request failed',
      members: { Item: { ...key('a', 1), state: { S: 'old' } } },
    });
  });
});

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
describe('conditions', () => {
  beforeEach(() => {
    put('a', 1, {
      n: { N: '5' },
      word: { S: 'flour' },
      tags: { SS: ['x', 'y'] },
      pieces: { L: [{ N: '1' }] },
      deep: { M: { n: { N: '1.0' } } },
    });
  });

  const values = {
    ':one': { N: '1' },
    ':five': { N: '5.0' },
    ':ten': { N: '10' },
    ':fl': { S: 'fl' },
    ':x': { S: 'x' },
    ':type': { S: 'SS' },
  };

  test.each([
    ['n = :five', true],
    ['n <> :five', false],
    ['absent <> :five', true],
    ['absent < :five', false],
    ['n BETWEEN :one AND :ten', true],
    ['n IN (:one, :five)', true],
    ['begins_with(word, :fl) AND contains(tags, :x)', true],
    ['contains(pieces, :one) AND deep.n = :one', true],
    ['attribute_type(tags, :type)', true],
    ['size(word) = :five', true],
    ['NOT n = :five OR n = :one', false],
    ['n = :one OR n = :five AND NOT attribute_exists(absent)', true],
    ['(n = :one OR n = :five) AND attribute_exists(absent)', false],
    ['word < :ten', false],
  ])('%s is %s', (ConditionExpression, holds) => {
    const used = Object.fromEntries(
      Object.entries(values).filter(([name]) => new RegExp(`${name}\\b`).test(ConditionExpression)),
    );
    const request = { Key: key('a', 1), ConditionExpression, ExpressionAttributeValues: used };
    if (holds) expect(call('DeleteItem', request)).toEqual({});
    else expect(errorOf('DeleteItem', request).name).toBe('ConditionalCheckFailedException');
  });

  test.each([
    ['n = ', {}, 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "= "'],
    ['n ! :one', { ':one': { N: '1' } }, 'Invalid ConditionExpression: Syntax error; token: "!", near: " ! "'],
    [
      'status = :one',
      { ':one': { N: '1' } },
      'Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: status',
    ],
    [
      'n = :two',
      { ':one': { N: '1' } },
      'Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :two',
    ],
    [
      '#n = :one',
      { ':one': { N: '1' } },
      'Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #n',
    ],
    [
      'n = :one',
      { ':one': { N: '1' }, ':two': { N: '2' } },
      'Value provided in ExpressionAttributeValues unused in expressions: keys: {:two}',
    ],
    ['sizes(n) = :one', { ':one': { N: '1' } }, 'Invalid ConditionExpression: Invalid function name; function: sizes'],
    [
      'begins_with(n)',
      {},
      'Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1',
    ],
    [
      'n = n',
      {},
      'Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]',
    ],
    [
      'n BETWEEN :ten AND :one',
      { ':one': { N: '1' }, ':ten': { N: '10' } },
      'Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:1}',
    ],
  ])('%s is refused', (ConditionExpression, used, message) => {
    const request = {
      Key: key('a', 1),
      ConditionExpression,
      ...(Object.keys(used).length > 0 && { ExpressionAttributeValues: used }),
    };
    expect(errorOf('DeleteItem', request)).toMatchObject({ name: 'ValidationException', message });
  });
});

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
describe('updates', () => {
  test('set, compute, append, add and remove, all from the item as it was', () => {
    put('a', 1, { n: { N: '1' }, pieces: { L: [{ N: '1' }, { N: '2' }, { N: '3' }] }, tags: { SS: ['x', 'y'] } });
    const after = update(
      'SET n = n + :two, twin = n, fresh = if_not_exists(fresh, :two), pieces2 = list_append(pieces, :more) ' +
        'REMOVE pieces[0], pieces[2] ADD counted :two, tags :z DELETE gone :z',
      { ':two': { N: '2' }, ':more': { L: [{ N: '4' }] }, ':z': { SS: ['z'] } },
    );
    expect(after).toEqual({
      ...key('a', 1),
      n: { N: '3' },
      twin: { N: '1' },
      fresh: { N: '2' },
      pieces: { L: [{ N: '2' }] },
      pieces2: { L: [{ N: '1' }, { N: '2' }, { N: '3' }, { N: '4' }] },
      tags: { SS: ['x', 'y', 'z'] },
      counted: { N: '2' },
    });
    expect(update('DELETE tags :all', { ':all': { SS: ['x', 'y', 'z'] } })).not.toHaveProperty('tags');
  });

  test('make an item that was not there, and answer what they changed', () => {
    const changed = update(
      'ADD n :one SET word = :word',
      { ':one': { N: '1' }, ':word': { S: 'x' } },
      {
        ReturnValues: 'UPDATED_NEW',
      },
    );
    expect(changed).toEqual({ n: { N: '1' }, word: { S: 'x' } });
    expect(update('SET n = :one', { ':one': { N: '7' } }, { ReturnValues: 'UPDATED_OLD' })).toEqual({ n: { N: '1' } });
  });

  test.each([
    [
      'SET pk = :x',
      { ':x': { S: 'b' } },
      'One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key',
    ],
    [
      'SET a = :x, a.b = :x',
      { ':x': { S: 'b' } },
      'Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]',
    ],
    [
      'SET a.b = :x, a[0] = :x',
      { ':x': { S: 'b' } },
      'Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]',
    ],
    [
      'SET a = :x SET b = :x',
      { ':x': { S: 'b' } },
      'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
    ],
    [
      'SET absent.b = :x',
      { ':x': { S: 'b' } },
      'The document path provided in the update expression is invalid for update',
    ],
    ['SET a = absent', {}, 'The provided expression refers to an attribute that does not exist in the item'],
    [
      'SET a = n + :x',
      { ':x': { S: 'b' } },
      'Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S',
    ],
    [
      'ADD a :x',
      { ':x': { S: 'b' } },
      'Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND',
    ],
    ['ADD word :x', { ':x': { N: '1' } }, 'An operand in the update expression has an incorrect data type'],
  ])('%s is refused', (expression, values, message) => {
    put('a', 1, { n: { N: '1' }, word: { S: 'x' } });
    expect(() => update(expression, values)).toThrow(message);
  });
});

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
describe('a query', () => {
  beforeEach(() => {
    for (const sk of [-10, -9.5, 0, 2, 10, 100]) put('a', sk, { even: { BOOL: sk % 2 === 0 }, kind: { S: 'k' } });
    put('b', 1);
  });

  const query = (condition: string, values: object, more: object = {}) =>
    call('Query', {
      KeyConditionExpression: `pk = :pk${condition}`,
      ExpressionAttributeValues: { ':pk': { S: 'a' }, ...values },
      ...more,
    });
  const sortKeys = ({ Items }: Answer) => Items.map((item: Answer) => Number(item.sk.N));

  test('reads a partition in the order of its sort keys, in both directions', () => {
    expect(sortKeys(query('', {}))).toEqual([-10, -9.5, 0, 2, 10, 100]);
    expect(sortKeys(query('', {}, { ScanIndexForward: false, Limit: 2 }))).toEqual([100, 10]);
    expect(sortKeys(query(' AND sk BETWEEN :from AND :to', { ':from': { N: '-9.5' }, ':to': { N: '10' } }))).toEqual([
      -9.5, 0, 2, 10,
    ]);
    expect(sortKeys(query(' AND sk > :from', { ':from': { N: '2' } }))).toEqual([10, 100]);
  });

  test('goes on behind the last page, and filters after the limit', () => {
    const first = query('', { ':true': { BOOL: true } }, { Limit: 2, FilterExpression: 'even = :true' });
    expect(first).toMatchObject({ Count: 1, ScannedCount: 2, LastEvaluatedKey: key('a', -9.5) });
    const rest = query('', {}, { ExclusiveStartKey: first.LastEvaluatedKey });
    expect(sortKeys(rest)).toEqual([0, 2, 10, 100]);
    expect(rest).not.toHaveProperty('LastEvaluatedKey');
  });

  test('of an index finds what has its key, with what is projected', () => {
    const input = {
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :k',
      ExpressionAttributeValues: { ':k': { S: 'k' } },
    };
    expect(call('Query', input).Count).toBe(6);
    expect(call('Query', input).Items[0]).toEqual({ ...key('a', -10), kind: { S: 'k' } });
    const { LastEvaluatedKey } = call('Query', { ...input, Limit: 5 });
    expect(call('Query', { ...input, ExclusiveStartKey: LastEvaluatedKey }).Items).toHaveLength(1);
    call('DeleteItem', { Key: key('a', 0) });
    expect(call('Query', input).Count).toBe(5);
    expect(errorOf('Query', { ...input, ConsistentRead: true }).message).toBe(
      'Consistent reads are not supported on global secondary indexes',
    );
  });

  test('ends a page after 1 MB', () => {
    for (let sk = 1; sk <= 4; sk += 1) put('large', sk, { text: { S: 'x'.repeat(390 * 1024) } });
    const page = query('', { ':pk': { S: 'large' } });
    expect(sortKeys(page)).toEqual([1, 2, 3]);
    expect(page.LastEvaluatedKey).toEqual(key('large', 3));
  });

  test.each([
    ['sk = :n', {}, 'Query condition missed key schema element: pk'],
    ['pk = :pk AND thing = :pk', {}, 'Query condition missed key schema element: sk'],
    ['pk = :pk OR sk = :pk', {}, 'Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR'],
    ['pk > :pk', {}, 'Query key condition not supported'],
    [
      'pk = :pk AND sk = :pk',
      {},
      'One or more parameter values were invalid: Condition parameter type does not match schema type',
    ],
    [
      'pk = :pk',
      { FilterExpression: 'sk = :pk' },
      'Filter Expression can only contain non-primary key attributes: Primary key attribute: sk',
    ],
    ['pk = :pk', { IndexName: 'none' }, 'The table does not have the specified index: none'],
  ])('%s is refused (%#)', (KeyConditionExpression, more, message) => {
    const request = {
      KeyConditionExpression,
      ExpressionAttributeValues: KeyConditionExpression.includes(':n') ? { ':n': { N: '1' } } : { ':pk': { S: 'a' } },
      ...more,
    };
    expect(errorOf('Query', request)).toMatchObject({ name: 'ValidationException', message });
  });
});

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
test('consumed capacity counts units of 1 KB and 4 KB, indexes, and transactions twice', () => {
  const Item = { ...key('a', 1), text: { S: 'x'.repeat(1500) } };
  const total = { ReturnConsumedCapacity: 'TOTAL' };
  expect(call('PutItem', { Item, ...total }).ConsumedCapacity.CapacityUnits).toBe(2);
  expect(call('PutItem', { Item: { ...Item, kind: { S: 'k' } }, ...total }).ConsumedCapacity.CapacityUnits).toBe(3);
  expect(call('GetItem', { Key: key('a', 1), ...total }).ConsumedCapacity.CapacityUnits).toBe(0.5);
  expect(call('GetItem', { Key: key('a', 1), ConsistentRead: true, ...total }).ConsumedCapacity.CapacityUnits).toBe(1);
  const TransactItems = [{ Put: { TableName: 'things', Item: { ...Item, sk: { N: '2' } } } }];
  expect(call('TransactWriteItems', { TransactItems, ...total }).ConsumedCapacity[0].CapacityUnits).toBe(4);
});

test('what does not exist is refused by name', () => {
  expect(errorOf('GetItem', { TableName: 'none', Key: {} })).toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Requested resource not found',
  });
  expect(errorOf('DescribeTable', { TableName: 'none' }).message).toBe(
    'Requested resource not found: Table: none not found',
  );
  expect(errorOf('Fetch', {}).name).toBe('UnknownOperationException');
});
