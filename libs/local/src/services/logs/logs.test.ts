import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  ListTagsForResourceCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  paginateFilterLogEvents,
  StartQueryCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hostUnderTest, serve, stackWith } from '../../../fixtures/service-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import type { RunningService } from '../../core/service.ts';
import { type FunctionLogs, logs } from './index.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const start = Date.parse('2026-06-01T00:00:00Z');
const logGroupName = '/aws/lambda/relay';

let stack: AsyncDisposableStack;
let clock: ManualClock;
let running: RunningService<FunctionLogs>;
let client: CloudWatchLogsClient;
let stored: string[];

const write = (line: string, timestamp = clock.now()) =>
  running.handle.write({ functionName: 'relay', line, timestamp });
const filter = async (input: FilterLogEventsCommandInput): Promise<string[]> => {
  const found: string[] = [];
  for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName, ...input })) {
    found.push(...events.map(({ message = '' }) => message));
  }
  return found;
};

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  clock = new ManualClock(start);
  stored = [];
  running = stack.use(
    await logs.start(
      hostUnderTest({
        clock,
        handleOf: () =>
          ({
            readEvents: (events: { message: string }[]) => stored.push(...events.map(({ message }) => message)),
          }) as never,
      }),
    ),
  );
  client = new CloudWatchLogsClient(stack.use(await serve(logs, running)).client);
});

afterEach(async () => {
  client.destroy();
  await stack.disposeAsync();
});

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
describe('log groups', () => {
  it('are created, described with their retention, tagged and deleted', async () => {
    await client.send(new CreateLogGroupCommand({ logGroupName: '/shop/orders', tags: { team: 'orders' } }));
    await client.send(new CreateLogGroupCommand({ logGroupName: '/shop/stock' }));
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: '/shop/stock' }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    });
    await client.send(new PutRetentionPolicyCommand({ logGroupName: '/shop/orders', retentionInDays: 7 }));
    const first = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/shop/', limit: 1 }));
    expect(first.logGroups).toEqual([
      {
        logGroupName: '/shop/orders',
        creationTime: start,
        retentionInDays: 7,
        metricFilterCount: 0,
        arn: 'arn:aws:logs:eu-central-1:000000000000:log-group:/shop/orders:*',
        logGroupArn: 'arn:aws:logs:eu-central-1:000000000000:log-group:/shop/orders',
        storedBytes: 0,
        logGroupClass: 'STANDARD',
      },
    ]);
    const second = await client.send(
      new DescribeLogGroupsCommand({ logGroupNamePrefix: '/shop/', nextToken: first.nextToken }),
    );
    expect(second.logGroups?.map((group) => group.logGroupName)).toEqual(['/shop/stock']);
    expect(second.nextToken).toBeUndefined();

    const resourceArn = String(first.logGroups?.[0]?.logGroupArn);
    await client.send(new TagResourceCommand({ resourceArn, tags: { cost: '42' } }));
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }));
    expect((await client.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ cost: '42' });
    await client.send(new DeleteLogGroupCommand({ logGroupName: '/shop/orders' }));
    await expect(client.send(new DeleteLogGroupCommand({ logGroupName: '/shop/orders' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
    });
  });

  it('take the retentions that AWS takes', async () => {
    await client.send(new CreateLogGroupCommand({ logGroupName }));
    await expect(
      client.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 2 })),
    ).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringMatching(/^1 validation error/),
    });
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: 'a b' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html */
  it('forget what is older than their retention', async () => {
    await running.activate?.(
      stackWith(logs, [{ type: 'AWS::Logs::LogGroup', name: logGroupName, properties: { RetentionInDays: 1 } }]),
    );
    write('old');
    await clock.advance(DAY_MS - HOUR_MS / 2);
    write('new');
    expect(await filter({})).toEqual(['old', 'new']);
    await clock.advance(HOUR_MS / 2 + 1);
    expect(await filter({})).toEqual(['new']);
    await clock.advance(HOUR_MS);
    const { logGroups } = await client.send(new DescribeLogGroupsCommand({}));
    expect(logGroups?.[0]?.storedBytes).toBe('new'.length + 26);
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html */
describe('log streams', () => {
  it('of a template are in its group, and keep their events at the next start', async () => {
    const logStreamName = 'delivery';
    const declared = stackWith(logs, [
      { type: 'AWS::Logs::LogGroup', name: logGroupName, properties: {} },
      { type: 'AWS::Logs::LogStream', name: logStreamName, properties: { LogGroupName: logGroupName } },
    ]);
    await running.activate?.(declared);
    const logEvents = [{ timestamp: start, message: 'x' }];
    await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    await running.activate?.(declared);
    expect(await filter({ logStreamNames: [logStreamName] })).toEqual(['x']);
  });

  it('are ordered by name or by their last event, as sls logs asks', async () => {
    await client.send(new CreateLogGroupCommand({ logGroupName }));
    for (const [index, logStreamName] of ['a', 'b', 'c'].entries()) {
      await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      const timestamp = start + (index === 0 ? 9000 : index * 1000);
      await client.send(
        new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: [{ timestamp, message: 'x' }] }),
      );
    }
    const names = async (input: object) =>
      (await client.send(new DescribeLogStreamsCommand({ logGroupName, ...input }))).logStreams?.map(
        ({ logStreamName, lastEventTimestamp }) => `${logStreamName} ${Number(lastEventTimestamp) - start}`,
      );
    expect(await names({})).toEqual(['a 9000', 'b 1000', 'c 2000']);
    expect(await names({ orderBy: 'LastEventTime', descending: true, limit: 2 })).toEqual(['a 9000', 'c 2000']);
    expect(await names({ logStreamNamePrefix: 'b' })).toEqual(['b 1000']);
    await expect(names({ orderBy: 'LastEventTime', logStreamNamePrefix: 'b' })).rejects.toMatchObject({
      message: 'Cannot order by LastEventTime with a logStreamNamePrefix.',
    });
    await client.send(new DeleteLogStreamCommand({ logGroupName, logStreamName: 'b' }));
    expect(await names({})).toEqual(['a 9000', 'c 2000']);
    expect(await filter({})).toEqual(['x', 'x']);
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
describe('PutLogEvents', () => {
  const logStreamName = 'own';
  const put = (times: readonly number[], message = 'x') =>
    client.send(
      new PutLogEventsCommand({
        logGroupName,
        logStreamName,
        logEvents: times.map((time) => ({ timestamp: start + time, message: `${message}${time / HOUR_MS}` })),
      }),
    );

  beforeEach(async () => {
    await client.send(new CreateLogGroupCommand({ logGroupName }));
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  });

  it('rejects events that are too old or too new, and stores the others', async () => {
    expect((await put([0, HOUR_MS, 3 * HOUR_MS])).rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 2 });
    expect((await put([-15 * DAY_MS, -14.5 * DAY_MS, -14 * DAY_MS])).rejectedLogEventsInfo).toEqual({
      tooOldLogEventEndIndex: 2,
    });
    expect((await put([0])).rejectedLogEventsInfo).toBeUndefined();
    await client.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 1 }));
    expect((await put([-DAY_MS - 1, -DAY_MS])).rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
    expect(await filter({})).toEqual(['x-24', 'x0', 'x0', 'x1']);
    expect(stored).toEqual(['x0', 'x1', 'x-336', 'x0', 'x-24']);
  });

  it('refuses events out of order, over a day apart or larger than 1 MiB together', async () => {
    await expect(put([1, 0])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Log events in a single PutLogEvents request must be in chronological order.',
    });
    await expect(put([-DAY_MS, 1])).rejects.toMatchObject({
      message: 'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    });
    await expect(put([0, 0], 'x'.repeat(524_288))).rejects.toMatchObject({
      message: expect.stringMatching(/^Upload too large/),
    });
    await expect(
      client.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName: 'other',
          logEvents: [{ timestamp: start, message: 'x' }],
        }),
      ),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'The specified log stream does not exist.' });
  });
});

describe('what functions write', () => {
  /** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
  it('is found by time, stream and pattern', async () => {
    write('{"level":"INFO","message":"started"}', start);
    write('{"level":"ERROR","message":"failed"}', start + 1000);
    write('', start + 1500);
    write('ERROR in plain text', start + 2000);
    expect(await filter({ filterPattern: '{ $.level = "ERROR" }' })).toEqual(['{"level":"ERROR","message":"failed"}']);
    expect(await filter({ filterPattern: 'ERROR -plain' })).toEqual(['{"level":"ERROR","message":"failed"}']);
    // Both times are included.
    expect(await filter({ startTime: start + 1000, endTime: start + 2000 })).toHaveLength(2);
    expect(await filter({ logStreamNamePrefix: '2026/06/01/[$LATEST]' })).toHaveLength(3);
    expect(await filter({ logStreamNamePrefix: '2026/06/02' })).toEqual([]);
    const { events: [event] = [] } = await client.send(new FilterLogEventsCommand({ logGroupName, limit: 1 }));
    expect(event).toEqual({
      logStreamName: expect.stringMatching(/^2026\/06\/01\/\[\$LATEST\][0-9a-f]{32}$/),
      timestamp: start,
      message: '{"level":"INFO","message":"started"}',
      ingestionTime: start,
      eventId: expect.stringMatching(/^\d{56}$/),
    });
    expect(await filter({ logStreamNames: [String(event?.logStreamName)] })).toHaveLength(3);
    await expect(filter({ filterPattern: 'a:b' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: "Invalid character(s) in term ':'",
    });
  });

  it('is followed page by page, by name or ARN, without loss between pages', async () => {
    for (let index = 0; index < 1200; index += 1) write(`line ${index}`, start + Math.floor(index / 7));
    const all = Array.from({ length: 1200 }, (_, index) => `line ${index}`);
    const byArn = { logGroupIdentifier: `arn:aws:logs:eu-central-1:000000000000:log-group:${logGroupName}:*` };
    const found: string[] = [];
    for await (const { events = [] } of paginateFilterLogEvents({ client, pageSize: 101 }, byArn)) {
      found.push(...events.map(({ message = '' }) => message));
    }
    expect(found).toEqual(all);
  });

  /** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html */
  it('is read from the newest back, and forward until the same token comes again', async () => {
    for (let index = 0; index < 5; index += 1) write(`${index}`, start + index);
    const [logStreamName = ''] =
      (await client.send(new DescribeLogStreamsCommand({ logGroupName }))).logStreams?.map((stream) =>
        String(stream.logStreamName),
      ) ?? [];
    const get = async (input: object) => {
      const { events = [], ...tokens } = await client.send(
        new GetLogEventsCommand({ logGroupName, logStreamName, limit: 2, ...input }),
      );
      return { messages: events.map(({ message }) => message), ...tokens };
    };
    const newest = await get({});
    expect(newest.messages).toEqual(['3', '4']);
    const older = await get({ nextToken: newest.nextBackwardToken });
    expect(older.messages).toEqual(['1', '2']);
    expect((await get({ nextToken: older.nextForwardToken })).messages).toEqual(['3', '4']);
    const end = await get({ nextToken: newest.nextForwardToken });
    expect(end.messages).toEqual([]);
    expect(end.nextForwardToken).toBe(newest.nextForwardToken);
    write('5', start + 5);
    expect((await get({ nextToken: end.nextForwardToken })).messages).toEqual(['5']);
    // The end time itself is not included.
    expect((await get({ startFromHead: true, startTime: start + 1, endTime: start + 2 })).messages).toEqual(['1']);
    await expect(get({ nextToken: 'f/nonsense' })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

it('says what to use instead of what is not available', async () => {
  await expect(
    client.send(new StartQueryCommand({ logGroupName, startTime: 0, endTime: 1, queryString: 'fields @message' })),
  ).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: 'StartQuery is not available on this machine: use FilterLogEvents',
  });
});
