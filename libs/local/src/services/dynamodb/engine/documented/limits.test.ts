import { beforeEach, describe, expect, test } from '@jest/globals';
import { EngineUnderTest, key } from '../../../../../fixtures/engine-under-test.ts';

let db: EngineUnderTest;

beforeEach(() => {
  db = new EngineUnderTest();
});

const putError = (attributes: object) => db.refused('PutItem', { Item: { ...key('a'), ...attributes } }).message;
const nested = (levels: number): object => (levels === 0 ? { S: 'x' } : { M: { a: nested(levels - 1) } });

describe('items', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
  test('an item has at most 400 KB, with the names of its attributes', () => {
    const overhead = 'pk'.length + 'a'.length + 'sk'.length + '1'.length + 'text'.length;
    db.put('a', { text: { S: 'x'.repeat(400 * 1024 - overhead) } });
    expect(putError({ text: { S: 'x'.repeat(400 * 1024 - overhead + 1) } })).toBe(
      'Item size has exceeded the maximum allowed size',
    );
    expect(() => db.update('SET more = :x', { ':x': { S: 'x' } })).toThrow(
      'Item size to update has exceeded the maximum allowed size',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes
  test('attributes are nested up to 32 levels deep', () => {
    db.put('a', { deep: nested(31) });
    expect(putError({ deep: nested(32) })).toBe('Nesting Levels have exceeded supported limits');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
  test('a partition key has 2,048 bytes, a sort key 1,024', () => {
    db.call('PutItem', { Item: { pk: { S: 'x'.repeat(2048) }, sk: { S: 'x'.repeat(1024) } } });
    expect(putError({ pk: { S: 'ä'.repeat(1025) } })).toContain(
      'Size of hashkey has exceeded the maximum size limit of2048',
    );
    expect(putError({ sk: { S: 'x'.repeat(1025) } })).toContain('size limit of 1024 bytes');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  test('a key is not empty, other strings and bytes may be', () => {
    db.put('a', { text: { S: '' }, bytes: { B: '' }, list: { L: [{ S: '' }] }, set: { SS: ['', 'x'] } });
    expect(putError({ sk: { S: '' } })).toBe(
      'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  test('sets are not empty, and have each element once', () => {
    expect(putError({ set: { SS: [] } })).toContain('An string set  may not be empty');
    expect(putError({ set: { NS: ['1', '1.0'] } })).toBe('Input collection contains duplicates');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  test('a number has 38 digits, from 1E-130 to 9.99E+125', () => {
    db.put('a', { n: { N: `${'9'.repeat(38)}E88` }, small: { N: '-1E-130' }, padded: { N: '000123.4500' } });
    expect(db.get('a').padded).toEqual({ N: '123.45' });
    expect(putError({ n: { N: `1${'0'.repeat(37)}1` } })).toBe(
      'Attempting to store more than 38 significant digits in a Number',
    );
    expect(putError({ n: { N: '1E126' } })).toContain('Number overflow');
    expect(putError({ n: { N: '1E-131' } })).toContain('Number underflow');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  test('strings sort by their UTF-8 bytes, bytes as unsigned ones', () => {
    for (const sk of ['z', 'Z', 'é', '😀', '\uffee'])
      db.call('PutItem', { Item: { pk: { S: 'sorted' }, sk: { S: sk } } });
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'sorted' } } };
    const { Items } = db.call('Query', query);
    expect(Items.map(({ sk }: { sk: { S: string } }) => sk.S)).toEqual(['Z', 'z', 'é', '\uffee', '😀']);
  });
});

describe('requests', () => {
  const gets = (count: number) => Array.from({ length: count }, (_, index) => key(`k${index}`));

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
  test('a batch reads 100 items', () => {
    expect(db.call('BatchGetItem', { RequestItems: { things: { Keys: gets(100) } } }).Responses.things).toEqual([]);
    expect(db.refused('BatchGetItem', { RequestItems: { things: { Keys: gets(101) } } }).message).toContain(
      'Member must have length less than or equal to 100',
    );
    expect(db.refused('BatchGetItem', { RequestItems: { things: { Keys: [key('a'), key('a')] } } }).message).toBe(
      'Provided list of item keys contains duplicates',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
  test('a batch answers 16 MB, and the rest as UnprocessedKeys', () => {
    for (const { pk } of gets(50)) db.put(pk.S, { text: { S: 'x'.repeat(380 * 1024) } });
    const { Responses, UnprocessedKeys } = db.call('BatchGetItem', { RequestItems: { things: { Keys: gets(50) } } });
    expect(Responses.things).toHaveLength(43);
    expect(UnprocessedKeys.things.Keys).toEqual(gets(50).slice(43));
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
  test('a batch writes 25 items, each once', () => {
    const writes = (count: number) => gets(count).map((Item) => ({ PutRequest: { Item } }));
    expect(db.call('BatchWriteItem', { RequestItems: { things: writes(25) } })).toEqual({ UnprocessedItems: {} });
    expect(db.refused('BatchWriteItem', { RequestItems: { things: writes(26) } }).message).toContain(
      'Member must have length less than or equal to 25',
    );
    const twice = [...writes(1), { DeleteRequest: { Key: key('k0') } }];
    expect(db.refused('BatchWriteItem', { RequestItems: { things: twice } }).message).toBe(
      'Provided list of item keys contains duplicates',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
  test('a page of a query or scan ends at 1 MB, and says where to go on', () => {
    for (const sk of ['1', '2', '3', '4']) {
      db.call('PutItem', { Item: { pk: { S: 'large' }, sk: { S: sk }, text: { S: 'x'.repeat(390 * 1024) } } });
    }
    const page = db.call('Scan', {});
    expect(page.Count).toBe(3);
    const rest = db.call('Scan', { ExclusiveStartKey: page.LastEvaluatedKey });
    expect([rest.Count, rest.LastEvaluatedKey]).toEqual([1, undefined]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Limit.html
  test('Limit counts the items before the filter', () => {
    for (const n of ['1', '2', '3']) db.call('PutItem', { Item: { pk: { S: 'a' }, sk: { S: n }, n: { N: n } } });
    const query = {
      KeyConditionExpression: 'pk = :pk',
      FilterExpression: 'n > :one',
      ExpressionAttributeValues: { ':pk': { S: 'a' }, ':one': { N: '1' } },
      Limit: 2,
    };
    expect(db.call('Query', query)).toMatchObject({ Count: 1, ScannedCount: 2, LastEvaluatedKey: { sk: { S: '2' } } });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
  test('the segments of a parallel scan have every item once', () => {
    for (const { pk } of gets(100)) db.put(pk.S);
    const segments = [0, 1, 2, 3].map((Segment) => db.call('Scan', { Segment, TotalSegments: 4 }).Items);
    expect(segments.every((items) => items.length > 5)).toBe(true);
    expect(new Set(segments.flat().map(({ pk }: { pk: { S: string } }) => pk.S)).size).toBe(100);
    expect(db.refused('Scan', { Segment: 4, TotalSegments: 4 }).message).toContain('is not less than TotalSegments: 4');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
  test('a start key of another partition or index is refused', () => {
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'a' } } };
    expect(db.refused('Query', { ...query, ExclusiveStartKey: key('b') }).message).toBe(
      'The provided starting key is outside query boundaries based on provided conditions',
    );
    expect(db.refused('Query', { ...query, ExclusiveStartKey: { pk: { S: 'a' } } }).message).toBe(
      'The provided starting key is invalid',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
  test('an expression has 4 KB, IN has 100 operands', () => {
    const long = `SET ${Array.from({ length: 500 }, (_, index) => `attribute${index} = :x`).join(', ')}`;
    expect(() => db.update(long, { ':x': { S: 'x' } })).toThrow(
      'Expression size has exceeded the maximum allowed size',
    );
    const values = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`:v${index}`, { N: String(index) }]));
    expect(() => db.holds(`n IN (${Object.keys(values).join(', ')})`, values)).toThrow('number of operands: 101');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
  test('an update has 300 operators at most', () => {
    const sum = (count: number) => `SET ${Array.from({ length: count }, (_, index) => `a${index}=b+:x`).join(',')}`;
    db.put('a', { b: { N: '1' } });
    expect(db.update(sum(300), { ':x': { N: '1' } }).a299).toEqual({ N: '2' });
    expect(() => db.update(sum(301), { ':x': { N: '1' } })).toThrow('too many operators');
  });
});

describe('capacity', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
  test('a read unit is 4 KB, half of it when not consistent; a write unit 1 KB', () => {
    const total = { ReturnConsumedCapacity: 'TOTAL' };
    const Item = { ...key('a'), text: { S: 'x'.repeat(5000) } };
    const units = (operation: string, input: object) =>
      db.call(operation, { ...input, ...total }).ConsumedCapacity.CapacityUnits;
    expect(units('PutItem', { Item })).toBe(5);
    expect(units('GetItem', { Key: key('a') })).toBe(1);
    expect(units('GetItem', { Key: key('a'), ConsistentRead: true })).toBe(2);
    expect(units('GetItem', { Key: key('none') })).toBe(0.5);
    const TransactItems = [{ Get: { TableName: 'things', Key: key('a') } }];
    expect(db.call('TransactGetItems', { TransactItems, ...total }).ConsumedCapacity[0].CapacityUnits).toBe(4);
  });
});
