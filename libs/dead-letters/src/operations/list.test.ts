import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventBody, exhausted } from '../../fixtures/dead-events.ts';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { deadLetterFilter } from './dead-letter-filter.ts';
import { inspect } from './inspect.ts';
import { listQueues } from './list.ts';
import { StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
const name = 'millrace-test-dev-consumer-dlq';
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createConsumerQueues('millrace-test-dev-consumer');
  await sqs.createQueue('millrace-test-dev-consumer-rule-dlq');
  const letters = Array.from({ length: 30 }, (_, index) => ({
    body: eventBody(`event-${index}`),
    attributes: { ...exhausted, ErrorCode: index % 3 ? 'OFTEN' : 'SELDOM' },
  }));
  await sqs.send(name, letters);
});
afterAll(() => sqs.stop());

const list = async (sample: number) =>
  listQueues(sqs.client, await StageQueues.load(sqs.client, 'dev'), { sample, startedAt: new Date() });

test('a list has depth, oldest letter and commonest reasons of each queue, and gives everything back', async () => {
  const [overview, empty] = await list(100);
  expect(overview).toEqual({
    queue: name,
    depth: 30,
    inFlight: 0,
    oldestSentAt: expect.stringMatching(/^20.*Z$/),
    sampled: 30,
    reasons: [
      { code: 'OFTEN', count: 20 },
      { code: 'SELDOM', count: 10 },
    ],
  });
  expect(empty).toEqual({
    queue: 'millrace-test-dev-consumer-rule-dlq',
    depth: 0,
    inFlight: 0,
    sampled: 0,
    reasons: [],
  });
  expect((await sqs.contents(name)).held).toEqual([]);
});

test('a list looks at no more letters than it is told, and at none for 0', async () => {
  const receives = async () =>
    (await sqs.contents(name)).ready.reduce((sum, { approximateReceiveCount }) => sum + approximateReceiveCount, 0);
  const before = await receives();
  expect((await list(0))[0]).toMatchObject({ depth: 30, sampled: 0 });
  expect(await receives()).toBe(before);
  expect((await list(5))[0]).toMatchObject({ depth: 30, sampled: 5 });
  expect(await receives()).toBe(before + 10);
});

test('a list is the same again, also with queues in a data directory and after a restart', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'dead-letters-'));
  const lists: unknown[] = [];
  const listTwice = async (local: LocalSqs) => {
    for (const _ of [1, 2]) {
      const queues = await StageQueues.load(local.client, 'dev');
      const [overview] = await listQueues(local.client, queues, { sample: 100, startedAt: new Date() });
      lists.push(overview);
    }
    await local.stop();
  };
  const first = await startLocalSqs({ dataDirectory });
  const { deadLetterQueue } = await first.createConsumerQueues('millrace-test-dev-kept');
  await first.send(deadLetterQueue, [{ body: eventBody('event'), attributes: exhausted }]);
  await listTwice(first);
  await listTwice(await startLocalSqs({ dataDirectory }));

  expect(lists[0]).toMatchObject({ queue: deadLetterQueue, depth: 1, inFlight: 0, sampled: 1 });
  expect(lists.slice(1)).toEqual([lists[0], lists[0], lists[0]]);
  await rm(dataDirectory, { recursive: true });
});

test('a look that fails gives everything back', async () => {
  const queue = (await StageQueues.load(sqs.client, 'dev')).find(name);
  const select = deadLetterFilter({}, new Date());
  const visit = () => {
    throw new Error('disk full');
  };
  await expect(inspect(sqs.client, queue, { select, startedAt: new Date() }, visit)).rejects.toThrow('disk full');
  expect((await sqs.contents(name)).held).toEqual([]);
});

test('a look says how many letters others hold', async () => {
  const queues = await StageQueues.load(sqs.client, 'dev');
  const options = { select: deadLetterFilter({ ids: ['event-3'] }, new Date()), startedAt: new Date() };
  const seen: string[] = [];
  const summary = await inspect(sqs.client, queues.find(name), options, async ({ messageId }) => {
    seen.push(messageId);
    const meanwhile = await StageQueues.load(sqs.client, 'dev');
    const other = await inspect(sqs.client, meanwhile.find(name), options, () => {});
    expect(other.unseen).toBeGreaterThanOrEqual(10);
  });
  expect(seen).toHaveLength(1);
  expect(summary).toEqual({ matched: 1, found: 30, unseen: 0 });
});
