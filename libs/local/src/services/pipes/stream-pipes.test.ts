import { cpSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  functionArn,
  type PipesOptions,
  type PipesUnderTest,
  pipesForEachTest,
  queueArn,
} from '../../../fixtures/pipes-under-test.ts';

const Table = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName: 'orders',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  },
};

const pipes = pipesForEachTest();

/** Starts a pipe from the stream of the table `orders`. @param stream the parameters of the stream beside its position */
function start(stream: object, members: object = {}, options: PipesOptions = {}): Promise<PipesUnderTest> {
  const Source = { 'Fn::GetAtt': ['Table', 'StreamArn'] };
  const DynamoDBStreamParameters = { StartingPosition: 'TRIM_HORIZON', ...stream };
  return pipes.declare(
    { Source, SourceParameters: { DynamoDBStreamParameters }, ...members },
    { ...options, resources: { Table } },
  );
}

async function put(started: PipesUnderTest, ...ids: string[]): Promise<void> {
  for (const id of ids) await started.call('dynamodb', 'PutItem', { TableName: 'orders', Item: { id: { S: id } } });
}

const idOf = (record: { dynamodb: { Keys: { id: { S: string } } } }) => record.dynamodb.Keys.id.S;
type StreamEvent = Parameters<typeof idOf>[0] & { eventID: string };

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
describe('a pipe from a DynamoDB stream', () => {
  it('hands the records to the target in order', async () => {
    const seen: string[] = [];
    const members = {
      Target: functionArn('see'),
      TargetParameters: { InputTemplate: '<$.dynamodb.NewImage.id.S>' },
    };
    const started = await start({}, members, { functions: { see: (ids: string[]) => void seen.push(...ids) } });
    await put(started, 'a', 'b', 'c');
    await eventually(() => expect(seen).toEqual(['a', 'b', 'c']));
  });

  it('sends a batch to the dead-letter queue after its retries, and goes on', async () => {
    const seen: string[] = [];
    const started = await start(
      { BatchSize: 1, MaximumRetryAttempts: 1, DeadLetterConfig: { Arn: queueArn('dead') } },
      { Target: functionArn('picky') },
      {
        functions: {
          picky: ([record]: [StreamEvent]) => {
            seen.push(idOf(record));
            if (idOf(record) === 'bad') throw new Error('no');
          },
        },
      },
    );
    await put(started, 'bad', 'good');
    await eventually(() => expect(seen).toEqual(['bad', 'bad', 'good']));
    const [letter = ''] = await eventually(async () => {
      const letters = await started.take('dead');
      expect(letters).toHaveLength(1);
      return letters;
    });
    expect(JSON.parse(letter)).toEqual({
      context: {
        partnerResourceArn: 'arn:aws:pipes:us-east-1:000000000000:pipe/p',
        condition: 'RetryAttemptsExhausted',
      },
      version: '1.0',
      timestamp: expect.any(String),
      DDBStreamBatchInfo: {
        shardId: expect.any(String),
        startSequenceNumber: expect.any(String),
        endSequenceNumber: expect.any(String),
        approximateArrivalOfFirstRecord: expect.any(String),
        approximateArrivalOfLastRecord: expect.any(String),
        batchSize: 1,
        streamArn: expect.stringContaining('table/orders/stream/'),
      },
    });
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
  it('tries again from the first record that the target names as failed, by its eventID', async () => {
    const batches: string[][] = [];
    const functions = {
      once: (records: StreamEvent[]) => {
        batches.push(records.map(idOf));
        const failed = batches.length > 1 ? [] : records.filter((record) => idOf(record) === 'b');
        return { batchItemFailures: failed.map(({ eventID }) => ({ itemIdentifier: eventID })) };
      },
    };
    const started = await start({}, { Target: functionArn('once'), DesiredState: 'STOPPED' }, { functions });
    await put(started, 'a', 'b', 'c');
    await started.invoke('StartPipe', { Name: 'p' });
    await eventually(() =>
      expect(batches).toEqual([
        ['a', 'b', 'c'],
        ['b', 'c'],
      ]),
    );
  });

  // https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeSourceDynamoDBStreamParameters.html
  it('halves a batch that failed, with AUTOMATIC_BISECT', async () => {
    const done: string[] = [];
    const functions = {
      picky: (records: StreamEvent[]) => {
        if (records.some((record) => idOf(record) === 'bad')) throw new Error('no');
        done.push(...records.map(idOf));
      },
    };
    const started = await start(
      {
        OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
        MaximumRetryAttempts: 0,
        DeadLetterConfig: { Arn: queueArn('dead') },
      },
      { Target: functionArn('picky'), DesiredState: 'STOPPED' },
      { functions },
    );
    await put(started, 'a', 'b', 'bad', 'd');
    await started.invoke('StartPipe', { Name: 'p' });
    await eventually(() => expect(done).toEqual(['a', 'b', 'd']));
    await eventually(async () => expect(await started.count('dead')).toBe(1));
  });

  it('goes on after a restart where it was', async () => {
    const seen: string[] = [];
    const members = { Target: functionArn('see') };
    const options = {
      functions: { see: (records: StreamEvent[]) => void seen.push(...records.map(idOf)) },
      dataDirectory: pipes.dataDirectory(),
    };
    const first = await start({}, members, options);
    await put(first, 'a');
    await eventually(() => expect(seen).toEqual(['a']));
    await first[Symbol.asyncDispose]();
    const second = await start({}, members, options);
    await put(second, 'b');
    await eventually(() => expect(seen).toEqual(['a', 'b']));
  });

  it('hands a record over again if the process died before its position was kept', async () => {
    const [running, left] = [pipes.dataDirectory(), pipes.dataDirectory()];
    const seen: string[] = [];
    const see = (records: StreamEvent[]) => {
      seen.push(...records.map(idOf));
      // What the process would leave if it died here: the target has the record, and the pipe does not know.
      if (seen.length === 1) cpSync(running, left, { recursive: true });
    };
    const members = { Target: functionArn('see') };
    const first = await start({}, members, { functions: { see }, dataDirectory: running });
    await put(first, 'a');
    await eventually(() => expect(seen).toEqual(['a']));

    const second = await start({}, members, { functions: { see }, dataDirectory: left });
    await put(second, 'b');
    await eventually(() => expect(seen).toEqual(['a', 'a', 'b']));
  });
});
