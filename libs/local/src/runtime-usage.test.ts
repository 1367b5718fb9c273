import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Runtime } from './core/runtime.ts';
import { Usage } from './core/usage.ts';
import { startRuntime } from './runtime.ts';

const services = [join(import.meta.dirname, '..', 'fixtures', 'guestbook')];
const usage = new Usage();
let runtime: Runtime;

// Packaging the fixture takes a few seconds the first time.
beforeAll(async () => {
  runtime = await startRuntime({ services, apiPort: 0, awsPort: 0, usage });
  await runtime.warm;
});
afterAll(() => runtime.stop());

const signGuest = (name: string) => fetch(`${runtime.apiUrl}/guests/${name}`, { method: 'POST' });

async function untilGreeted(names: string[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (usage.total('sqs.requests', 'guestbook-greetings') < 3 * names.length) {
    if (Date.now() > deadline) throw new Error(`Only this was counted: ${JSON.stringify(usage.entries(), null, 1)}`);
    await delay(20);
  }
}

test('every step of a request through all services is counted once', async () => {
  usage.clear();
  const names = ['ada', 'bob', 'cleo'];
  for (const name of names) expect((await signGuest(name)).status).toBe(201);
  await untilGreeted(names);

  const of = (meter: Parameters<Usage['total']>[0], resource?: string) => usage.total(meter, resource);
  expect(of('httpApi.requests', 'guestbook-dev-sign')).toBe(3);
  expect(of('httpApi.bytesOut')).toBeGreaterThan(0);
  expect(of('lambda.invocations', 'guestbook-dev-sign')).toBe(3);
  expect(of('lambda.invocations', 'guestbook-dev-greet')).toBe(3);
  // Two records that are near each other can come in one batch.
  expect(of('lambda.invocations', 'guestbook-dev-announce')).toBeGreaterThan(0);
  expect(of('lambda.milliseconds')).toBeGreaterThanOrEqual(of('lambda.invocations'));
  expect(of('lambda.gigabyteSeconds')).toBeCloseTo(of('lambda.milliseconds') / 1000 / 4, 6);
  expect(of('events.published', 'guestbook-dev-announce')).toBe(3);
  expect(of('events.delivered')).toBe(3);
  expect(usage.entries().filter(({ meter }) => meter === 'sqs.requests')).toEqual(
    ['DeleteMessageBatch', 'ReceiveMessage', 'SendMessage'].map((operation) => ({
      meter: 'sqs.requests',
      resource: 'guestbook-greetings',
      operation,
      amount: 3,
    })),
  );
  expect(of('dynamodb.writeUnits', 'guestbook-dev')).toBeGreaterThanOrEqual(6);
  expect(of('dynamodb.keyWriteUnits', 'guestbook-dev/ada')).toBe(of('dynamodb.writeUnits', 'guestbook-dev') / 3);
  expect(of('dynamodb.streamRecords', 'guestbook-dev')).toBeGreaterThanOrEqual(3);
  expect(of('logs.bytes')).toBeGreaterThan(250 * of('lambda.invocations'));
});

test('what operators do is not counted', async () => {
  await fetch(runtime.awsUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.ListQueues',
      authorization: 'AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/sqs/aws4_request, Signature=x',
    },
    body: '{}',
  });
  // Streams are read in the background, so only the operator's own call can be looked for.
  expect(usage.entries().filter(({ operation }) => operation === 'ListQueues')).toEqual([]);
});
