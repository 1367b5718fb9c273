import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  arnOf,
  functionArn,
  type PipesUnderTest,
  pipeInput,
  queueArn,
  startPipes,
} from '../../../fixtures/pipes-under-test.ts';

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

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

type Functions = NonNullable<Parameters<typeof startPipes>[0]>['functions'];

/** Starts a pipe from the stream of the table `orders`, as a template has it. */
async function start(
  stream: object,
  {
    functions = {},
    dataDirectory,
    ...members
  }: { functions?: Functions; dataDirectory?: string; [member: string]: unknown } = {},
): Promise<PipesUnderTest> {
  const Pipe = {
    Type: 'AWS::Pipes::Pipe',
    Properties: pipeInput({
      Source: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      Target: arnOf('Out'),
      RoleArn: arnOf('Role'),
      SourceParameters: { DynamoDBStreamParameters: { StartingPosition: 'TRIM_HORIZON', ...stream } },
      ...members,
    }),
  };
  return stack.use(await startPipes({ resources: { Table, Pipe }, functions, dataDirectory }));
}

async function put(started: PipesUnderTest, ...ids: string[]): Promise<void> {
  for (const id of ids) await started.call('dynamodb', 'PutItem', { TableName: 'orders', Item: { id: { S: id } } });
}

const idOf = (record: { dynamodb: { Keys: { id: { S: string } } } }) => record.dynamodb.Keys.id.S;
type StreamEvent = Parameters<typeof idOf>[0] & { eventID: string };

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
describe('a pipe from a DynamoDB stream', () => {
  it('hands the records to the target in order', async () => {
    const started = await start({}, { TargetParameters: { InputTemplate: '<$.dynamodb.NewImage.id.S>' } });
    await put(started, 'a', 'b', 'c');
    const found: string[] = [];
    await eventually(async () => {
      found.push(...(await started.take('out')));
      expect(found).toHaveLength(3);
    });
    expect(found.sort()).toEqual(['"a"', '"b"', '"c"']);
  });

  it('sends a batch to the dead-letter queue after its retries, and goes on', async () => {
    const seen: string[] = [];
    const started = await start(
      { BatchSize: 1, MaximumRetryAttempts: 1, DeadLetterConfig: { Arn: queueArn('dead') } },
      {
        Target: functionArn('picky'),
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
    const started = await start({}, { Target: functionArn('once'), functions, DesiredState: 'STOPPED' });
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
      { Target: functionArn('picky'), functions, DesiredState: 'STOPPED' },
    );
    await put(started, 'a', 'b', 'bad', 'd');
    await started.invoke('StartPipe', { Name: 'p' });
    await eventually(() => expect(done).toEqual(['a', 'b', 'd']));
    await eventually(async () => expect(await started.count('dead')).toBe(1));
  });

  it('goes on after a restart where it was', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'pipes-'));
    stack.defer(() => rmSync(dataDirectory, { recursive: true }));
    const seen: string[] = [];
    const functions = { see: (records: StreamEvent[]) => void seen.push(...records.map(idOf)) };
    const options = { Target: functionArn('see'), functions, dataDirectory };
    const first = await start({}, options);
    await put(first, 'a');
    await eventually(() => expect(seen).toEqual(['a']));
    await first[Symbol.asyncDispose]();
    const second = await start({}, options);
    await put(second, 'b');
    await eventually(() => expect(seen).toEqual(['a', 'b']));
  });
});
