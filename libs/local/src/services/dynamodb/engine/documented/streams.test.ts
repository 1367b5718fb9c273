import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, EngineUnderTest, HOUR, key } from '../../../../../fixtures/engine-under-test.ts';

let db: EngineUnderTest;

beforeEach(() => {
  db = new EngineUnderTest();
});

const names = (records: Answer[]) => records.map(({ eventName }) => eventName);

describe('records', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
  test('a write that changes nothing makes no record', () => {
    db.put('a', { n: { N: '1' } });
    db.put('a', { n: { N: '1.00' } });
    db.update('SET n = :one', { ':one': { N: '1' } });
    db.call('DeleteItem', { Key: key('none') });
    db.call('TransactWriteItems', { TransactItems: [{ Put: { TableName: 'things', Item: db.get('a') } }] });
    expect(names(db.records())).toEqual(['INSERT']);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
  test('a record has what its view type says', () => {
    const images = (StreamViewType: string) => {
      db = new EngineUnderTest({}, { StreamSpecification: { StreamEnabled: true, StreamViewType } });
      db.put('a', { n: { N: '1' } });
      db.put('a', { n: { N: '2' } });
      const { dynamodb } = db.records()[1];
      return [dynamodb.StreamViewType, dynamodb.Keys, dynamodb.OldImage?.n, dynamodb.NewImage?.n];
    };
    expect(images('KEYS_ONLY')).toEqual(['KEYS_ONLY', key('a'), undefined, undefined]);
    expect(images('NEW_IMAGE')).toEqual(['NEW_IMAGE', key('a'), undefined, { N: '2' }]);
    expect(images('OLD_IMAGE')).toEqual(['OLD_IMAGE', key('a'), { N: '1' }, undefined]);
    expect(images('NEW_AND_OLD_IMAGES')).toEqual(['NEW_AND_OLD_IMAGES', key('a'), { N: '1' }, { N: '2' }]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
  test('sequence numbers have 21 to 40 digits, and rise', () => {
    for (let count = 0; count < 12; count += 1) db.put('a', { n: { N: String(count) } });
    const numbers = db.records().map(({ dynamodb }) => dynamodb.SequenceNumber as string);
    expect(numbers.every((number) => /^[1-9]\d{20,39}$/.test(number))).toBe(true);
    expect(numbers.map(BigInt)).toEqual(numbers.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(numbers).size).toBe(12);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
  test('a record is removed after 24 hours', () => {
    db.put('a');
    const first = db.records()[0].dynamodb.SequenceNumber;
    const [{ ShardId }] = db.shards();
    db.now += 24 * HOUR - 1000;
    const old = (SequenceNumber: string) =>
      db.call('GetShardIterator', {
        StreamArn: db.streamArn(),
        ShardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber,
      }).ShardIterator;
    expect(names(db.call('GetRecords', { ShardIterator: old(first) }).Records)).toEqual(['INSERT']);
    const iterator = old(first);
    db.now += 2000;
    expect(() => old(first)).toThrow('The operation attempted to read past the oldest stream record in a shard');
    expect(db.refused('GetRecords', { ShardIterator: iterator }).name).toBe('TrimmedDataAccessException');
  });
});

describe('shards', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
  test('a shard is closed after some hours, and has a child', () => {
    db.put('a');
    const [parent] = db.shards();
    db.now += 4 * HOUR;
    db.put('b');
    const [closed, child] = db.shards();
    expect(closed.ShardId).toBe(parent.ShardId);
    expect(closed.SequenceNumberRange.EndingSequenceNumber).toBe(closed.SequenceNumberRange.StartingSequenceNumber);
    expect(child).toMatchObject({
      ParentShardId: parent.ShardId,
      ShardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/),
    });
    const read = (ShardId: string) => {
      const start = { StreamArn: db.streamArn(), ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      return db.call('GetRecords', db.call('GetShardIterator', start));
    };
    expect([read(closed.ShardId).Records.length, read(closed.ShardId).NextShardIterator]).toEqual([1, undefined]);
    expect([read(child.ShardId).Records.length, typeof read(child.ShardId).NextShardIterator]).toEqual([1, 'string']);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
  test('an iterator expires after 15 minutes', () => {
    const ShardIterator = db.iterator('LATEST');
    db.now += 15 * 60_000;
    expect(db.call('GetRecords', { ShardIterator }).Records).toEqual([]);
    db.now += 1;
    expect(db.refused('GetRecords', { ShardIterator }).name).toBe('ExpiredIteratorException');
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
  test('an iterator starts at the oldest, the newest, at or after a record', () => {
    for (const pk of ['a', 'b', 'c']) db.put(pk);
    const [, second] = db.records();
    const SequenceNumber = second.dynamodb.SequenceNumber;
    const from = (type: string, more: object = {}) =>
      db
        .call('GetRecords', { ShardIterator: db.iterator(type, more) })
        .Records.map(({ dynamodb }: Answer) => dynamodb.Keys.pk.S);
    expect(from('TRIM_HORIZON')).toEqual(['a', 'b', 'c']);
    expect(from('LATEST')).toEqual([]);
    expect(from('AT_SEQUENCE_NUMBER', { SequenceNumber })).toEqual(['b', 'c']);
    expect(from('AFTER_SEQUENCE_NUMBER', { SequenceNumber })).toEqual(['c']);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
  test('an answer has 1 MB or 1,000 records', () => {
    for (let count = 0; count < 1001; count += 1) db.put(`k${count}`);
    expect(db.records()).toHaveLength(1000);
    for (let count = 0; count < 4; count += 1) db.put(`large${count}`, { text: { S: 'x'.repeat(390 * 1024) } });
    let ShardIterator = db.iterator('TRIM_HORIZON');
    const lengths: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const answer = db.call('GetRecords', { ShardIterator });
      lengths.push(answer.Records.length);
      ShardIterator = answer.NextShardIterator;
    }
    expect(lengths).toEqual([1000, 3, 2, 0]);
  });
});

describe('the stream of a table', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
  test('that ends can be read on, and the next one has another ARN', () => {
    const first = db.streamArn();
    db.put('a');
    db.call('UpdateTable', { StreamSpecification: { StreamEnabled: false } });
    db.put('b');
    db.now += 1000;
    db.call('UpdateTable', { StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' } });
    expect(db.streamArn()).not.toBe(first);
    const { StreamDescription } = db.call('DescribeStream', { StreamArn: first });
    expect(StreamDescription.StreamStatus).toBe('DISABLED');
    const { ShardId } = StreamDescription.Shards[0];
    const iterator = db.call('GetShardIterator', { StreamArn: first, ShardId, ShardIteratorType: 'TRIM_HORIZON' });
    const { Records, NextShardIterator } = db.call('GetRecords', iterator);
    expect([names(Records), NextShardIterator]).toEqual([['INSERT'], undefined]);
    db.now += 25 * HOUR;
    expect(db.refused('DescribeStream', { StreamArn: first }).name).toBe('ResourceNotFoundException');
  });

  test('whose writes are undone has no record of them', () => {
    const undos: (() => void)[] = [];
    const journal = {
      put: (_collection: string, _key: string, _value: unknown, undo: () => void) => void undos.push(undo),
      remove: () => undefined,
      drop: () => undefined,
      committed: () => undefined,
      load: () => [],
    };
    db = new EngineUnderTest({ journal });
    undos.length = 0;
    db.put('a');
    for (const undo of undos.toReversed()) undo();
    db.put('b');
    expect(db.records().map(({ dynamodb }) => dynamodb.Keys.pk.S)).toEqual(['b']);
  });
});

test('a stream without readers keeps no more than a day of records', () => {
  for (let hour = 0; hour < 48; hour += 1) {
    db.put('a', { n: { N: String(hour) } });
    db.now += HOUR;
  }
  const kept = db.shards().flatMap(({ SequenceNumberRange }) => SequenceNumberRange.StartingSequenceNumber);
  expect(kept.length).toBeLessThanOrEqual(8);
});

test('a stream lets its oldest records go when there are too many for the memory', () => {
  for (let count = 0; count <= 110_000; count += 1) db.put('a', { n: { N: String(count) } });
  const { dynamodb } = db.records()[0];
  expect(dynamodb.NewImage.n).toEqual({ N: '10000' });
});
