import { expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { SystemClock } from '../../core/clock.ts';
import { type DynamoDbRecord, dynamoDbRecord, dynamoDbSource, type StreamsCall } from './dynamodb-source.ts';
import { lanesOf, Progress } from './stream-lanes.ts';
import { startStreamMapping } from './stream-mapping.ts';

const record = (sequence: number, key: string): DynamoDbRecord => ({
  eventID: String(sequence),
  eventName: 'INSERT',
  eventSource: 'aws:dynamodb',
  awsRegion: '',
  dynamodb: { SequenceNumber: String(sequence), Keys: { pk: { S: key } } },
});
const STREAM_ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1';
/** Splits records over lanes, as a mapping does. */
const split = (records: readonly DynamoDbRecord[], count: number): DynamoDbRecord[][] =>
  lanesOf(
    records.map((each) => dynamoDbRecord(each, STREAM_ARN)),
    count,
  ).map((lane) =>
    lane.map(({ sequenceNumber }) => records.find((each) => each.eventID === sequenceNumber) as DynamoDbRecord),
  );
const keyOf = ({ dynamodb }: DynamoDbRecord): string => (dynamodb.Keys as { pk: { S: string } }).pk.S;

test('records of one key stay in one lane, in order, and nothing is lost', () => {
  const records = Array.from({ length: 200 }, (_, index) => record(1000 + index, `key-${index % 17}`));
  const lanes = split(records, 4);
  expect(lanes).toHaveLength(4);
  expect(lanes.flat().sort((one, other) => Number(one.eventID) - Number(other.eventID))).toEqual(records);
  for (const lane of lanes) {
    expect(lane.map(({ eventID }) => eventID)).toEqual(lane.map(({ eventID }) => eventID).toSorted());
    for (const other of lanes) {
      if (other !== lane) expect(lane.map(keyOf).filter((key) => other.map(keyOf).includes(key))).toEqual([]);
    }
  }
});

test('what is remembered has no gap before it', () => {
  const progress = new Progress(['1', '2', '3', '4']);
  expect(progress.add(['2'])).toBeUndefined();
  expect(progress.add(['1'])).toBe('2');
  expect(progress.add(['4'])).toBe('2');
  expect(progress.add(['3'])).toBe('4');
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
test('with a ParallelizationFactor the other keys do not wait for one that is slow', async () => {
  const isApart = (key: string) => split([record(1, key), record(2, 'z')], 2).length === 2;
  const other = String(['a', 'b', 'c', 'd', 'e'].find(isApart));
  const records = [record(1001, 'z'), record(1002, other), record(1003, 'z'), record(1004, other)];
  const call: StreamsCall = async (operation, input) => {
    if (operation === 'DescribeStream') return { StreamDescription: { Shards: [{ ShardId: 's' }] } };
    if (operation === 'GetShardIterator') return { ShardIterator: '0' };
    return { Records: records.slice(Number(input.ShardIterator)), NextShardIterator: String(records.length) };
  };
  const saved: string[] = [];
  const handled: string[] = [];
  const release = Promise.withResolvers<void>();
  const mapping = startStreamMapping({
    clock: new SystemClock(),
    properties: {
      EventSourceArn: STREAM_ARN,
      FunctionName: 'f',
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 1,
      ParallelizationFactor: 2,
    },
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    source: dynamoDbSource({ arn: STREAM_ARN, call }),
    checkpoints: { load: async () => undefined, save: async (_key, value) => void saved.push(value) },
    invoke: async (payload) => {
      const { Records } = JSON.parse(payload) as { Records: DynamoDbRecord[] };
      if (keyOf(Records[0] as DynamoDbRecord) === 'z') await release.promise;
      handled.push(...Records.map(({ eventID }) => eventID));
      return { requestId: 'r', payload: 'null', logTail: '' };
    },
    sendToDestination: async () => {},
  });
  await eventually(() => expect(handled).toEqual(['1002', '1004']));
  // A restart would begin with the slow one, and have the others again.
  expect(saved).toEqual(['BEFORE:1001']);
  release.resolve();
  await eventually(() => expect(saved.at(-1)).toBe('1004'));
  expect(handled).toEqual(['1002', '1004', '1001', '1003']);
  await mapping.stop();
});
