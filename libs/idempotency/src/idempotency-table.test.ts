import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient } from '@millrace/aws';
import { lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { IdempotencyTable, LOCK_MARGIN_MS } from './index.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const INVOCATION_MS = 30_000;

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('idempotency', ['id']);
});
afterAll(() => dynamoDb.stop());

const start = Date.parse('2026-03-01T00:00:00Z');

/** A container whose clock is ahead of the true time; it calls with one key. */
function container(key: string, { ahead = 0, client = documentClient() } = {}) {
  const clock = { time: start };
  const table = new IdempotencyTable('idempotency', {
    keyPrefix: 'test',
    expiresAfterSeconds: (30 * DAY) / 1000,
    client,
    now: () => new Date(clock.time + ahead),
  });
  return {
    clock,
    run: <Result>(action: () => Promise<Result>, payload?: string) =>
      table.run({ key, ...(payload !== undefined && { payload }), context: lambdaContext(INVOCATION_MS) }, action),
  };
}

/** An action that runs until it is told how to end. */
function openAction() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const started = Promise.withResolvers<void>();
  const action = () => {
    started.resolve();
    return promise;
  };
  return { action, started: started.promise, succeed: resolve, fail: reject };
}

const inProgress = { name: 'IdempotencyAlreadyInProgressError' };
const never = () => Promise.reject(new Error('must not run'));

describe('two containers with one key', () => {
  test.each([
    ['two minutes ahead', 2 * MINUTE],
    ['ten minutes ahead', 10 * MINUTE],
    ['ten minutes behind', -10 * MINUTE],
  ])('run the action once when the clock of the second is %s', async (_, ahead) => {
    const key = randomUUID();
    const [first, second] = [container(key), container(key, { ahead })];
    const { action, started, succeed } = openAction();
    const running = first.run(action);
    await started;
    // Just before the first invocation must end.
    second.clock.time = start + INVOCATION_MS - 1;

    await expect(second.run(never)).rejects.toMatchObject(inProgress);

    succeed('done');
    expect(await running).toBe('done');
    expect(await second.run(never)).toBe('done');
  });

  test('run it again when the first has crashed, once its lock is over', async () => {
    const key = randomUUID();
    const { action, started } = openAction();
    void container(key).run(action);
    await started;
    const second = container(key);

    second.clock.time = start + INVOCATION_MS + LOCK_MARGIN_MS;
    await expect(second.run(never)).rejects.toMatchObject(inProgress);
    second.clock.time += 1;
    expect(await second.run(async () => 'again')).toBe('again');
  });

  test('keep the lock of the second when the first fails too late', async () => {
    const key = randomUUID();
    const [late, next] = [openAction(), openAction()];
    const first = container(key).run(late.action);
    await late.started;
    const takenOver = container(key);
    takenOver.clock.time = start + DAY;
    const second = takenOver.run(next.action);
    await next.started;

    late.fail(new Error('too late'));
    await expect(first).rejects.toThrow('too late');

    await expect(takenOver.run(never)).rejects.toMatchObject(inProgress);
    next.succeed('second');
    expect(await second).toBe('second');
  });

  test('do not run it a third time when the first succeeds too late and the second fails', async () => {
    const key = randomUUID();
    const [late, next] = [openAction(), openAction()];
    const first = container(key).run(late.action);
    await late.started;
    const takenOver = container(key);
    takenOver.clock.time = start + DAY;
    const second = takenOver.run(next.action);
    await next.started;

    late.succeed('late');
    await first;
    next.fail(new Error('second'));
    await expect(second).rejects.toThrow('second');

    expect(await takenOver.run(never)).toBe('late');
  });
});

test('an action is not run by a function that was frozen when it had the lock', async () => {
  const key = randomUUID();
  const real = documentClient();
  const client: DocumentClient = {
    send: async (command) => {
      const answer = await real.send(command);
      // Lambda stops it here, and goes on when the lock is over.
      if (command.operation === 'PutItem') frozen.clock.time += DAY;
      return answer;
    },
  };
  const frozen = container(key, { client });
  let runs = 0;

  const failure = frozen.run(async () => {
    runs += 1;
  });

  await expect(failure).rejects.toThrow('The invocation ended');
  expect(runs).toBe(0);
});

describe('a result', () => {
  test('is remembered for as long as it is told, without a result as well', async () => {
    const key = randomUUID();
    const { run, clock } = container(key);
    const results = [{ answer: [1, null, 'ä'] }, undefined];
    for (const result of results) {
      expect(await run(async () => result)).toEqual(result);
      clock.time += 30 * DAY - 1000;
      expect(await run(never)).toEqual(result);
      clock.time += 2000;
    }
  });

  test('belongs to its payload', async () => {
    const { run } = container(randomUUID());
    await run(async () => 'first', 'payload 1');

    await expect(run(never, 'payload 2')).rejects.toMatchObject({ name: 'IdempotencyValidationError' });
    expect(await run(never, 'payload 1')).toBe('first');
  });

  test('of an action that failed is not: it may run again at once', async () => {
    const { run } = container(randomUUID());

    await expect(run(() => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
    expect(await run(async () => 'now')).toBe('now');
  });
});

test('a lock whose confirmation got lost is recognised as the own one', async () => {
  let puts = 0;
  const real = documentClient();
  const client: DocumentClient = {
    send: async (command) => {
      const answer = await real.send(command);
      // As the SDK does when the answer to the first request does not arrive.
      if (command.operation === 'PutItem') {
        puts += 1;
        await real.send(command);
      }
      return answer;
    },
  };

  expect(await container(randomUUID(), { client }).run(async () => 'done')).toBe('done');
  expect(puts).toBe(1);
});
