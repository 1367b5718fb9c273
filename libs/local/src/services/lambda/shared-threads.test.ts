import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { HttpAnswer } from '../../core/http-message.ts';
import type { FunctionLogLine } from '../../core/observations.ts';
import { FunctionPool, type FunctionPoolOptions } from './function-pool.ts';
import { type OpenThread, sharedThreads } from './threads.ts';

/** Does what the event says, and answers what it sees. */
const CODE = `
const { threadId } = require('node:worker_threads');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let calls = 0;
exports.handler = async (event) => {
  calls += 1;
  if (event.set) process.env.MARK = event.set;
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.throwLater) { setTimeout(() => { throw new Error('late'); }, 1); await pause(5_000); }
  if (event.rejectLater) { Promise.reject(new Error('nobody waits')); await pause(5_000); }
  if (event.hang) await pause(3_000);
  if (event.spin) for (;;) {}
  if (event.request) {
    await fetch(process.env.AWS_ENDPOINT_URL + event.request, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } });
  }
  for (const line of event.lines ?? []) { console.log(line); await pause(2); }
  const { AWS_LAMBDA_FUNCTION_NAME: name, OWN: own, MARK: mark, NODE_COMPILE_CACHE: cache } = process.env;
  return { threadId, calls, name, own, mark, cache, names: Object.keys(process.env).includes('OWN') };
};`;

let folder: string;
let lines: FunctionLogLine[];
let openThread: OpenThread;
let pools: FunctionPool[];
let senders: [target: string, functionName: string][];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shared-threads-'));
  for (const service of ['orders', 'payments']) {
    mkdirSync(join(folder, service));
    writeFileSync(join(folder, service, 'code.cjs'), CODE);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  [lines, pools, senders, openThread] = [[], [], [], sharedThreads()];
});
afterEach(() => Promise.all(pools.map((pool) => pool.stop())));

function functionOf(service: string, name: string, timeoutSeconds = 5) {
  const answerDirect: FunctionPoolOptions['answerDirect'] = async ({ target }, { functionName }) => {
    senders.push([target, functionName]);
    return new HttpAnswer(200, {}, '{}');
  };
  const definition = {
    ...{
      name,
      arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      version: '$LATEST',
      handler: 'code.handler',
    },
    ...{ codeDirectory: join(folder, service), timeoutSeconds, memoryMb: 128, concurrency: 2 },
    ...{ endpoints: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, environment: { OWN: `of ${name}` } },
  };
  const pool = new FunctionPool(definition, { log: (line) => lines.push(line), openThread, answerDirect });
  pools.push(pool);
  return async (event: object = {}) => {
    const { functionError, payload } = await pool.invoke(JSON.stringify(event));
    return { functionError, ...JSON.parse(payload) };
  };
}

test('functions of one service share a thread, and each service has its own', async () => {
  const [place, cancel, pay] = [
    functionOf('orders', 'place'),
    functionOf('orders', 'cancel'),
    functionOf('payments', 'pay'),
  ];
  const [first, second, other] = [await place(), await cancel(), await pay()];
  expect(second.threadId).toBe(first.threadId);
  expect(other.threadId).not.toBe(first.threadId);
});

test('each function has its own environment, and its own state of its modules', async () => {
  const [place, cancel] = [functionOf('orders', 'place'), functionOf('orders', 'cancel')];
  await place({ set: 'placed' });
  expect(await place()).toMatchObject({ calls: 2, name: 'place', own: 'of place', mark: 'placed', names: true });
  const seen = await cancel();
  expect(seen).toMatchObject({ calls: 1, name: 'cancel', own: 'of cancel', names: true });
  expect([seen.mark, seen.cache]).toEqual([undefined, undefined]);
});

test('each function has its own log, also while others write', async () => {
  const [place, cancel] = [functionOf('orders', 'place'), functionOf('orders', 'cancel')];
  await Promise.all([place({ lines: ['a', 'b', 'c'] }), cancel({ lines: ['x', 'y', 'z'] })]);
  const logOf = (name: string) => lines.filter(({ functionName }) => functionName === name).map(({ line }) => line);
  expect([logOf('place'), logOf('cancel')]).toEqual([
    ['a', 'b', 'c'],
    ['x', 'y', 'z'],
  ]);
});

test('requests to AWS have the identity of the function that sends them', async () => {
  const [place, cancel] = [functionOf('orders', 'place'), functionOf('orders', 'cancel')];
  await Promise.all([place({ request: '/by-place' }), cancel({ request: '/by-cancel' })]);
  expect(senders.toSorted()).toEqual([
    ['/by-cancel', 'cancel'],
    ['/by-place', 'place'],
  ]);
});

test('a concurrent call of a function runs in another thread', async () => {
  const place = functionOf('orders', 'place');
  const [first, second] = await Promise.all([place({ lines: ['a'] }), place({ lines: ['b'] })]);
  expect([first.calls, second.calls]).toEqual([1, 1]);
  expect(second.threadId).not.toBe(first.threadId);
});

test.each([
  ['that exits', { exit: 3 }, { errorType: 'Runtime.ExitError', errorMessage: /exit status 3/ }],
  ['that throws when it has answered', { throwLater: true }, { errorType: 'Error', errorMessage: /late/ }],
  [
    'that leaves a rejection behind',
    { rejectLater: true },
    { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: /nobody waits/ },
  ],
])('a function %s ends, and the others go on', async (_what, event, { errorType, errorMessage }) => {
  const [place, cancel] = [functionOf('orders', 'place'), functionOf('orders', 'cancel')];
  const { threadId } = await cancel();
  expect(await place(event)).toMatchObject({
    functionError: 'Unhandled',
    errorType,
    errorMessage: expect.stringMatching(errorMessage),
  });
  expect(await place()).toMatchObject({ threadId, calls: 1 });
  expect(await cancel()).toMatchObject({ threadId, calls: 2 });
});

test('a function that times out gets a new container, and the others go on', async () => {
  const [place, cancel] = [functionOf('orders', 'place', 1), functionOf('orders', 'cancel')];
  const { threadId } = await cancel();
  expect(await place({ hang: true })).toMatchObject({ errorType: 'Sandbox.Timedout' });
  expect(await place()).toMatchObject({ threadId, calls: 1 });
  expect(await cancel()).toMatchObject({ threadId, calls: 2 });
});

test('a function that blocks its thread ends the others of the thread, and all get new containers', async () => {
  const [place, cancel] = [functionOf('orders', 'place', 1), functionOf('orders', 'cancel')];
  await cancel();
  expect(await place({ spin: true })).toMatchObject({ errorType: 'Sandbox.Timedout' });
  expect(await place()).toMatchObject({ calls: 1 });
  expect(await cancel()).toMatchObject({ calls: 1 });
});
