import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LambdaClient, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AlarmChange } from './core/observations.ts';
import { listenOnLoopback, PortTakenError } from './core/port.ts';
import type { Runtime } from './core/runtime.ts';
import { startRuntime } from './runtime.ts';
import { formatFunctionLog } from './services/lambda/function-log.ts';

const services = [join(import.meta.dirname, '..', 'fixtures', 'guestbook')];
const runtimes: Runtime[] = [];

async function start(options: Partial<Parameters<typeof startRuntime>[0]> = {}): Promise<Runtime> {
  const runtime = await startRuntime({ services, apiPort: 0, awsPort: 0, ...options });
  runtimes.push(runtime);
  return runtime;
}

async function eventually<T>(what: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const result = await what();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error('It did not happen within 15 s');
    await delay(20);
  }
}

const sign = ({ apiUrl }: Runtime, name: string) => fetch(`${apiUrl}/guests/${name}`, { method: 'POST' });

async function greetingsOf({ apiUrl }: Runtime, name: string): Promise<number | undefined> {
  const response = await fetch(`${apiUrl}/guests/${name}`);
  return ((await response.json()) as { greetings?: number }).greetings;
}

const greeted = (runtime: Runtime, name: string) =>
  eventually(async () => (await greetingsOf(runtime, name)) || undefined);

async function callSqs({ awsUrl }: Runtime, operation: string, input: Record<string, unknown>) {
  const response = await fetch(awsUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
    body: JSON.stringify({ QueueUrl: `${awsUrl}/000000000000/guestbook-dlq`, ...input }),
  });
  return (await response.json()) as { Messages?: Array<{ Body: string }>; Attributes?: Record<string, string> };
}

/** Names the key that the runtime's tokens are signed with. */
async function keyOf({ issuerUrl }: Runtime): Promise<string | undefined> {
  const response = await fetch(`${issuerUrl}/.well-known/jwks.json`);
  return ((await response.json()) as { keys: Array<{ kid: string }> }).keys[0]?.kid;
}

const signed = (Source: string, name: string) => ({
  EventBusName: 'guestbook-dev',
  Source,
  DetailType: 'GuestSigned',
  Detail: JSON.stringify({ name }),
});

async function callEvents(
  { awsUrl }: Runtime,
  accessKeyId: string,
  operation: string,
  input: Record<string, unknown>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(awsUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSEvents.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/events/aws4_request, Signature=x`,
    },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Whether a queue has no message left, neither waiting nor being handled. */
async function isDrained(runtime: Runtime, queue: string): Promise<boolean> {
  const { Attributes = {} } = await callSqs(runtime, 'GetQueueAttributes', {
    QueueUrl: `${runtime.awsUrl}/000000000000/${queue}`,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
  });
  return Object.values(Attributes).every((count) => count === '0');
}

async function refuses(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

// Packaging the fixture takes a few seconds the first time.
beforeAll(async () => {
  await (await start()).stop();
});

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.stop();
});

describe('a running service', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await startRuntime({ services, apiPort: 0, awsPort: 0 });
  });
  afterAll(() => runtime.stop());

  test('a request travels through table, stream, bus, rule, queue and function', async () => {
    expect((await sign(runtime, 'ada')).status).toBe(201);
    expect(await greeted(runtime, 'ada')).toBe(1);
  });

  test('a message that cannot be handled ends in the dead-letter queue', async () => {
    await sign(runtime, 'nobody');
    const [message] = await eventually(async () => (await callSqs(runtime, 'ReceiveMessage', {})).Messages);
    expect(JSON.parse(message?.Body ?? '')).toEqual({ name: 'nobody' });
  });

  test('an event that anybody puts on the bus arrives', async () => {
    await callEvents(runtime, 'operator', 'PutEvents', { Entries: [signed('guestbook', 'eve')] });
    expect(await greeted(runtime, 'eve')).toBe(1);
  });

  test('a function puts the events that its role allows, and no others', async () => {
    const Entries = [signed('guestbook', 'fay'), signed('cellar', 'gil'), signed('guestbook.vip', 'hal')];
    const { body } = await callEvents(runtime, 'guestbook-dev-announce', 'PutEvents', { Entries });
    expect(body).toEqual({
      FailedEntryCount: 1,
      Entries: [
        { EventId: expect.any(String) },
        { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
        { EventId: expect.any(String) },
      ],
    });
    const elsewhere = { ...signed('guestbook', 'ida'), EventBusName: 'default' };
    expect(await callEvents(runtime, 'guestbook-dev-announce', 'PutEvents', { Entries: [elsewhere] })).toEqual({
      status: 400,
      body: {
        __type: 'AccessDeniedException',
        message:
          'User: arn:aws:sts::000000000000:assumed-role/guestbook-dev-us-east-1-lambdaRole/guestbook-dev-announce is not ' +
          'authorized to perform: events:PutEvents on resource: arn:aws:events:us-east-1:000000000000:event-bus/default ' +
          'because no identity-based policy allows the events:PutEvents action',
      },
    });
  });

  test('the policy of a bus holds for operators too', async () => {
    const Entries = [signed('guestbook.vip', 'jon'), signed('cellar', 'kim')];
    const { body } = await callEvents(runtime, 'operator', 'PutEvents', { Entries });
    expect(body).toMatchObject({
      Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }, { EventId: expect.any(String) }],
    });
    const described = await callEvents(runtime, 'operator', 'DescribeEventBus', { Name: 'guestbook-dev' });
    expect(JSON.parse(String(described.body.Policy))).toMatchObject({
      Statement: [{ Sid: 'OnlyTheGuestbookKnowsVips' }],
    });
  });

  test('tells what its stacks export and are made of, as sls invoke local asks', async () => {
    const ask = async (parameters: Record<string, string>) => {
      const response = await fetch(runtime.awsUrl, {
        method: 'POST',
        headers: {
          authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/cloudformation/aws4_request',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ Version: '2010-05-15', ...parameters }).toString(),
      });
      return { status: response.status, text: await response.text() };
    };

    const stack = await ask({ Action: 'ListStackResources', StackName: 'guestbook-dev' });
    expect(stack.text).toMatch(/<LogicalResourceId>\w+<\/LogicalResourceId><PhysicalResourceId>guestbook-dev</);
    const exported = await ask({ Action: 'ListExports' });
    expect(exported.text).toContain('<Name>guestbook-dev:BusName</Name><Value>guestbook-dev</Value>');
    expect(await ask({ Action: 'ListStackResources', StackName: 'nobody' })).toMatchObject({
      status: 400,
      text: expect.stringContaining('<Code>ValidationError</Code>'),
    });
    expect((await ask({ Action: 'CreateStack' })).text).toContain('<Code>InvalidAction</Code>');
  });

  test('names what it has nothing for', () => {
    expect(runtime.warnings).toEqual(['Stack guestbook-dev: AWS::Cognito::UserPool is not available here: OnlyOnAws']);
  });

  test('knows its functions', () => {
    expect(runtime.functionNames.toSorted()).toEqual(
      ['announce', 'greet', 'read', 'sign'].map((name) => `guestbook-dev-${name}`),
    );
  });
});

test.each([
  ['are started ahead', false],
  ['are not started before their first call when they are to be cold', true],
])('functions %s', async (_, coldFunctions) => {
  const lines: string[] = [];
  const runtime = await start({ coldFunctions, onFunctionLog: ({ line }) => lines.push(line) });
  await runtime.warm;
  expect(lines).toEqual(coldFunctions ? [] : ['The guestbook is laid out']);
  await sign(runtime, 'ada');
  expect(lines.slice(0, 2)).toEqual(['The guestbook is laid out', 'A guest signs']);
});

test('functions that cannot start are named, with the reason and its place in the source', async () => {
  const warnings: string[] = [];
  const lines: string[] = [];
  const runtime = await start({
    services: [join(import.meta.dirname, '..', 'fixtures', 'faulty')],
    onWarning: (line) => warnings.push(line),
    onFunctionLog: (line) => lines.push(formatFunctionLog(line, { verbose: false }) ?? ''),
  });
  await runtime.warm;
  expect(warnings.toSorted()).toEqual([
    'faulty-dev-misnamed cannot start: Runtime.HandlerNotFound: src/sound.handlr is undefined or not exported',
    'faulty-dev-throwing cannot start: Error: NOWHERE must be set',
  ]);
  expect(lines.toSorted()).toEqual([
    expect.stringContaining('faulty-dev-misnamed ERROR Uncaught Exception (Runtime.HandlerNotFound: '),
    expect.stringMatching(
      /faulty-dev-throwing ERROR Uncaught Exception \(Error: NOWHERE must be set\)\n +at .+fixtures\/faulty\/src\/throwing\.ts:1\n/,
    ),
  ]);
});

test('a dead letter is an alarm within two seconds, until the queue has been empty for a period', async () => {
  const changes: AlarmChange[] = [];
  const onAlarm = (change: AlarmChange) => change.name === 'guestbook-dlq-depth' && changes.push(change);
  const runtime = await start({ alarmPeriod: 1, onAlarm });
  const alarm = async () => {
    const response = await fetch(`${runtime.awsUrl}/_local/alarms`);
    return ((await response.json()) as { alarms: Array<{ name: string; state: string }> }).alarms[0];
  };
  const inState = (state: string) => eventually(async () => ((await alarm())?.state === state ? true : undefined));
  const QueueUrl = `${runtime.awsUrl}/000000000000/guestbook-alarms`;
  const notification = () =>
    eventually(async () => {
      const [message] = (await callSqs(runtime, 'ReceiveMessage', { QueueUrl })).Messages ?? [];
      return message && JSON.parse(message.Body);
    });
  await inState('OK');
  expect(changes).toEqual([]);

  await callSqs(runtime, 'SendMessage', { MessageBody: 'dead' });
  const sentAt = Date.now();
  await inState('ALARM');
  expect(Date.now() - sentAt).toBeLessThan(5_000);
  expect(await notification()).toMatchObject({ AlarmName: 'guestbook-dlq-depth', NewStateValue: 'ALARM' });

  await callSqs(runtime, 'PurgeQueue', {});
  await inState('OK');
  expect(await notification()).toMatchObject({ AlarmName: 'guestbook-dlq-depth', NewStateValue: 'OK' });
  expect(changes).toMatchObject([
    { name: 'guestbook-dlq-depth', description: 'A guest could not be greeted', state: 'ALARM' },
    { name: 'guestbook-dlq-depth', state: 'OK', previousState: 'ALARM' },
  ]);
});

test('a stream that nobody reads is an alarm, and what its function is invoked with is measured', async () => {
  const runtime = await start({ alarmPeriod: 1 });
  const inState = (name: string, state: string) =>
    eventually(async () => {
      const response = await fetch(`${runtime.awsUrl}/_local/alarms`);
      const { alarms } = (await response.json()) as { alarms: Array<{ name: string; state: string }> };
      return alarms.find((alarm) => alarm.name === name)?.state === state ? true : undefined;
    });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ endpoint: runtime.awsUrl, region: 'us-east-1', credentials });
  const { EventSourceMappings: [mapping] = [] } = await lambda.send(
    new ListEventSourceMappingsCommand({ FunctionName: 'guestbook-dev-announce' }),
  );
  const enable = (Enabled: boolean) =>
    lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled }));
  await inState('guestbook-stream-stopped', 'OK');

  await enable(false);
  await inState('guestbook-stream-stopped', 'ALARM');
  await sign(runtime, 'ada');
  await enable(true);
  await inState('guestbook-announced', 'ALARM');
  await inState('guestbook-stream-stopped', 'OK');
});

describe('a data directory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('keeps tables, queues, what has been read of the streams and the key of its tokens', async () => {
    const first = await start({ dataDirectory: directory });
    await sign(first, 'ada');
    await greeted(first, 'ada');
    await callSqs(first, 'SendMessage', { MessageBody: 'kept' });
    const key = await keyOf(first);
    await first.stop();

    const second = await start({ dataDirectory: directory });
    expect((await callSqs(second, 'ReceiveMessage', {})).Messages).toMatchObject([{ Body: 'kept' }]);
    expect(key).toBeDefined();
    expect(await keyOf(second)).toBe(key);
    // An old guest would be announced again before or with a new one.
    await sign(second, 'bob');
    await greeted(second, 'bob');
    await eventually(async () => ((await isDrained(second, 'guestbook-greetings')) ? true : undefined));
    expect(await greetingsOf(second, 'ada')).toBe(1);
  });

  test('belongs to one runtime at a time', async () => {
    await start({ dataDirectory: directory });
    await expect(start({ dataDirectory: directory })).rejects.toThrow(`The data directory ${directory} is in use`);
  });
});

describe('a start that fails', () => {
  test.each(['apiPort', 'awsPort'] as const)(
    'a taken %s is an error of its own, and nothing is left running',
    async (which) => {
      const other = createServer();
      const port = await listenOnLoopback(other, 0);
      try {
        await expect(start({ [which]: port })).rejects.toThrow(PortTakenError);
      } finally {
        other.close();
      }
    },
  );

  test('a DynamoDB that is not there', async () => {
    await expect(start({ dynamodbEndpoint: 'http://127.0.0.1:9' })).rejects.toThrow(
      'Stack guestbook-dev, Resources.Table: DynamoDB at http://127.0.0.1:9 does not answer',
    );
  });

  test('no services', async () => {
    await expect(start({ services: [] })).rejects.toThrow('There are no services to start');
  });
});

test('nothing answers after stop, which may be called twice', async () => {
  const runtime = await start();
  await Promise.all([runtime.stop(), runtime.stop()]);
  expect(await refuses(runtime.apiUrl)).toBe(true);
  expect(await refuses(runtime.awsUrl)).toBe(true);
});
