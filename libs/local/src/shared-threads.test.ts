import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import type { Runtime } from './core/runtime.ts';
import { startRuntime } from './runtime.ts';

const services = [join(import.meta.dirname, '..', 'fixtures', 'guestbook')];
let runtime: Runtime;

// Packaging the fixture takes a few seconds the first time.
beforeAll(async () => {
  runtime = await startRuntime({ services, apiPort: 0, awsPort: 0, sharedThreads: true });
  await runtime.warm;
});
afterAll(() => runtime.stop());

const sign = async (name: string) => (await fetch(`${runtime.apiUrl}/guests/${name}`, { method: 'POST' })).status;

test('functions in one thread do together what they do in threads of their own', async () => {
  expect(await sign('ada')).toBe(201);
  await eventually(async () => {
    const response = await fetch(`${runtime.apiUrl}/guests/ada`);
    expect(await response.json()).toMatchObject({ greetings: 1 });
  });
  expect(runtime.refusals()).toEqual([]);
});

test('each of them has the permissions of its own role', async () => {
  const caller = 'guestbook-dev-sign';
  const allowing = runtime.identities
    .statementsOf(caller)
    .findIndex(({ Action }) => [Action].flat().includes('dynamodb:PutItem'));
  const giveBack = runtime.identities.withhold(caller, allowing);
  expect(await sign('bob')).toBe(500);
  giveBack();
  expect(await sign('bob')).toBe(201);
  expect(runtime.refusals()).toMatchObject([{ caller, action: 'dynamodb:PutItem' }]);
});
