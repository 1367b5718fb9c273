import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import type { Runtime } from './core/runtime.ts';
import { startRuntime } from './runtime.ts';

const services = [join(import.meta.dirname, '..', 'fixtures', 'guestbook')];
const warnings: string[] = [];
const lines: string[] = [];
let runtime: Runtime;

// Packaging the fixture takes a few seconds the first time.
beforeAll(async () => {
  runtime = await startRuntime({
    services,
    apiPort: 0,
    awsPort: 0,
    onWarning: (line) => warnings.push(line),
    onFunctionLog: ({ functionName, line }) => lines.push(`${functionName} ${line}`),
  });
  await runtime.warm;
});
afterAll(() => runtime.stop());

const sign = async (name: string) => (await fetch(`${runtime.apiUrl}/guests/${name}`, { method: 'POST' })).status;
const greeted = (name: string) =>
  eventually(async () => {
    const response = await fetch(`${runtime.apiUrl}/guests/${name}`);
    expect(await response.json()).toMatchObject({ greetings: 1 });
  });

/** The ways back of what tests that failed have not given back. */
const withheld = new Set<() => void>();
afterEach(() => {
  for (const giveBack of withheld) giveBack();
  withheld.clear();
});

/** Takes away the statement of a function's role that allows an action. */
function withhold(functionName: string, action: string): () => void {
  const allowing = runtime.identities
    .statementsOf(functionName)
    .findIndex(({ Action }) => [Action].flat().includes(action));
  const giveBack = runtime.identities.withhold(functionName, allowing);
  withheld.add(giveBack);
  return giveBack;
}

/** Waits until something was refused, and returns what is listed of it on the AWS port. */
const refused = (caller: string, action: string) =>
  eventually(async () => {
    const response = await fetch(`${runtime.awsUrl}/_local/refusals`);
    const { refusals } = (await response.json()) as { refusals: { caller: string; action: string; message: string }[] };
    const found = refusals.find((refusal) => refusal.caller === caller && refusal.action === action);
    if (!found) throw new Error(`Not refused: ${caller} ${action}`);
    return found;
  });

const queueArn = 'arn:aws:sqs:us-east-1:000000000000:guestbook-greetings';

test('everything that the templates allow goes through', async () => {
  expect(await sign('ada')).toBe(201);
  await greeted('ada');
  expect(runtime.refusals()).toEqual([]);
});

test('a function that may not use its table is refused by it', async () => {
  const giveBack = withhold('guestbook-dev-sign', 'dynamodb:PutItem');
  expect(await sign('bob')).toBe(500);
  expect(await refused('guestbook-dev-sign', 'dynamodb:PutItem')).toMatchObject({
    resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/guestbook-dev',
    message: expect.stringMatching(/^User: arn:aws:sts::.*:assumed-role\/.*\/guestbook-dev-sign is not authorized/),
  });
  giveBack();
  expect(await sign('bob')).toBe(201);
  await greeted('bob');
});

test.each([
  ['a queue', 'guestbook-dev-greet', 'sqs:ReceiveMessage'],
  ['a stream', 'guestbook-dev-announce', 'dynamodb:DescribeStream'],
])('%s that may not be read keeps what is in it, until it may', async (_what, functionName, action) => {
  const giveBack = withhold(functionName, action);
  expect(await sign(functionName)).toBe(201);
  await refused(functionName, action);
  expect(warnings.filter((line) => line.startsWith(`${functionName} may not ${action}`))).toHaveLength(1);
  giveBack();
  await greeted(functionName);
});

test('lines of a function that may not log are dropped', async () => {
  const giveBack = withhold('guestbook-dev-sign', 'logs:CreateLogStream');
  const logged = () => lines.filter((line) => line.startsWith('guestbook-dev-sign ')).length;
  const before = logged();
  withhold('guestbook-dev-sign', 'dynamodb:PutItem');
  expect(await sign('cleo')).toBe(500);
  expect(logged()).toBe(before);
  expect(warnings).toContainEqual(expect.stringContaining('guestbook-dev-sign may not logs:CreateLogStream on'));
  giveBack();
  expect(await sign('cleo')).toBe(500);
  expect(logged()).toBeGreaterThan(before);
});

test('an event for a queue that does not let its rule in goes nowhere', async () => {
  const response = await fetch(runtime.awsUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SetQueueAttributes' },
    body: JSON.stringify({
      QueueUrl: `${runtime.awsUrl}/000000000000/guestbook-greetings`,
      Attributes: { Policy: '' },
    }),
  });
  expect(response.status).toBe(200);
  expect(await sign('dora')).toBe(201);
  await eventually(() =>
    expect(warnings).toContainEqual(
      expect.stringMatching(new RegExp(`deliver event .* to ${queueArn} \\(NO_PERMISSIONS:`)),
    ),
  );
  expect(runtime.refusals()).toContainEqual(
    expect.objectContaining({
      caller: expect.stringMatching(/:rule\/guestbook-dev\//),
      action: 'sqs:SendMessage',
      resource: queueArn,
    }),
  );
});
