import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, EngineUnderTest, key } from '../../../../../fixtures/engine-under-test.ts';

let db: EngineUnderTest;

beforeEach(() => {
  db = new EngineUnderTest();
});

const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' });
const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });

describe('Time to Live', () => {
  const inSeconds = (seconds: number) => ({ ttl: { N: String(Math.floor(db.now / 1000) + seconds) } });

  beforeEach(() => {
    db.call('UpdateTimeToLive', { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
  test('deletes what has expired, and the record says who did', () => {
    db.put('a', inSeconds(60));
    db.put('b', inSeconds(120));
    db.now += 61_000;
    expect(db.engine.expire()).toEqual(new Map([['things', 1]]));
    expect([db.get('a'), db.get('b')]).toEqual([undefined, expect.anything()]);
    expect(db.records().at(-1)).toMatchObject({
      eventName: 'REMOVE',
      userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' },
      dynamodb: { Keys: key('a'), OldImage: { pk: { S: 'a' } } },
    });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
  test('looks at numbers only, and not at what expired more than five years ago', () => {
    db.put('text', { ttl: { S: '1' } });
    db.put('ancient', { ttl: { N: String(Math.floor(db.now / 1000) - 6 * 365 * 24 * 3600) } });
    db.put('recent', inSeconds(-3600));
    expect(db.engine.expire()).toEqual(new Map([['things', 1]]));
    expect(db.call('Scan', {}).Count).toBe(2);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-how-to.html
  test('is enabled once, and holds for the items that were there before', () => {
    db = new EngineUnderTest();
    db.put('a', inSeconds(-60));
    const enable = { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } };
    db.call('UpdateTimeToLive', enable);
    expect(db.refused('UpdateTimeToLive', enable).message).toBe('TimeToLive is already enabled');
    expect(db.engine.expire()).toEqual(new Map([['things', 1]]));
  });
});

describe('indexes', () => {
  const byWord = {
    IndexName: 'byWord',
    KeySchema: [hash('word')],
    Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['n'] },
  };
  const create = {
    AttributeDefinitions: [string('word')],
    GlobalSecondaryIndexUpdates: [{ Create: byWord }],
  };
  const query = {
    IndexName: 'byWord',
    KeyConditionExpression: 'word = :w',
    ExpressionAttributeValues: { ':w': { S: 'x' } },
  };

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html
  test('a new index has the items that fit it, and leaves out the others', () => {
    db.put('a', { word: { S: 'x' }, n: { N: '1' }, other: { S: 'o' } });
    db.put('b', { word: { N: '1' } });
    db.put('c');
    db.call('UpdateTable', create);
    expect(db.call('Query', query).Items).toEqual([{ ...key('a'), word: { S: 'x' }, n: { N: '1' } }]);
    expect(db.refused('PutItem', { Item: { ...key('d'), word: { N: '1' } } }).message).toContain(
      'Type mismatch for Index Key word Expected: S Actual: N IndexName: byWord',
    );
    db.call('DeleteItem', { Key: key('b') });
    db.call('UpdateTable', { GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'byWord' } }] });
    expect(db.refused('Query', query).message).toBe('The table does not have the specified index: byWord');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
  test('a global index answers what is projected, and never consistently', () => {
    db.call('UpdateTable', create);
    expect(db.refused('Query', { ...query, ConsistentRead: true }).message).toBe(
      'Consistent reads are not supported on global secondary indexes',
    );
    expect(db.refused('Query', { ...query, ProjectionExpression: 'extra' }).message).toContain(
      'Global secondary index byWord does not project [extra]',
    );
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
  test('a table has 20 global and 5 local indexes', () => {
    const table = (indexes: object) => ({
      TableName: 'other',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'word'].map(string),
      KeySchema: [hash('pk'), { AttributeName: 'sk', KeyType: 'RANGE' }],
      ...indexes,
    });
    const many = (count: number, index: object) =>
      Array.from({ length: count }, (_, number) => ({ ...index, IndexName: `i-${number}` }));
    const all = { Projection: { ProjectionType: 'ALL' } };
    const local = { KeySchema: [hash('pk'), { AttributeName: 'word', KeyType: 'RANGE' }], ...all };
    expect(
      db.refused('CreateTable', table({ GlobalSecondaryIndexes: many(21, { ...byWord, ...all }) })).message,
    ).toContain('limit of 20');
    expect(db.refused('CreateTable', table({ LocalSecondaryIndexes: many(6, local) })).message).toContain('limit of 5');
    const both = {
      GlobalSecondaryIndexes: many(20, { ...byWord, ...all }),
      LocalSecondaryIndexes: [{ ...local, IndexName: 'local' }],
    };
    expect(db.call('CreateTable', table(both)).TableDescription.GlobalSecondaryIndexes).toHaveLength(20);
  });
});

describe('tables', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html
  test('are listed in pages', () => {
    for (const TableName of ['tables-a', 'tables-b', 'tables-c']) {
      db.call('CreateTable', {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [string('pk')],
        KeySchema: [hash('pk')],
      });
    }
    expect(db.call('ListTables', { Limit: 2 })).toEqual({
      TableNames: ['tables-a', 'tables-b'],
      LastEvaluatedTableName: 'tables-b',
    });
    expect(db.call('ListTables', { ExclusiveStartTableName: 'tables-b' })).toEqual({
      TableNames: ['tables-c', 'things'],
    });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
  test('have up to 50 tags, which may be replaced', () => {
    const ResourceArn = db.call('DescribeTable', {}).Table.TableArn;
    const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    db.call('TagResource', { ResourceArn, Tags: tags(50) });
    db.call('TagResource', { ResourceArn, Tags: [{ Key: 'k0', Value: 'new' }] });
    expect(db.refused('TagResource', { ResourceArn, Tags: [{ Key: 'k50', Value: 'v' }] }).name).toBe(
      'ValidationException',
    );
    db.call('UntagResource', {
      ResourceArn,
      TagKeys: tags(50)
        .slice(1)
        .map(({ Key }) => Key),
    });
    expect(db.call('ListTagsOfResource', { ResourceArn })).toEqual({ Tags: [{ Key: 'k0', Value: 'new' }] });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
  test('are protected against deletion when they say so', () => {
    db.call('UpdateTable', { DeletionProtectionEnabled: true });
    expect(db.refused('DeleteTable', {}).message).toContain('protected against deletion');
    db.call('UpdateTable', { DeletionProtectionEnabled: false });
    expect(db.call('DeleteTable', {}).TableDescription.TableStatus).toBe('DELETING');
    expect(db.refused('DescribeTable', {}).message).toBe('Requested resource not found: Table: things not found');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
  test('are described with their ARNs, keys, billing and stream', () => {
    db.put('a');
    const { Table }: Answer = db.call('DescribeTable', {
      TableName: 'arn:aws:dynamodb:us-east-1:000000000000:table/things',
    });
    expect(Table).toMatchObject({
      TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/things',
      TableId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      TableStatus: 'ACTIVE',
      ItemCount: 1,
      TableSizeBytes: 6,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      LatestStreamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/things/stream/2026-01-01T00:00:00.000',
      LatestStreamLabel: '2026-01-01T00:00:00.000',
    });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
  test('PartiQL is refused in so many words: it is not there', () => {
    expect(db.refused('ExecuteStatement', { Statement: 'SELECT * FROM things' }).message).toMatch(
      /^PartiQL is not available/,
    );
  });
});
