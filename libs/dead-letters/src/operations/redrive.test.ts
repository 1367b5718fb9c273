import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventBody, exhausted } from '../../fixtures/dead-events.ts';
import { intercepted, type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { messageAttributes } from '../message-attributes.ts';
import { deadLetterFilter } from './dead-letter-filter.ts';
import type { DrainSummary } from './drain.ts';
import { park } from './park.ts';
import { purge } from './purge.ts';
import { type Operation, redrive } from './redrive.ts';
import { StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createQueue('millrace-re-emitter-dev-parking');
});
afterAll(() => sqs.stop());

const noGroup = async (): Promise<undefined> => undefined;
let consumers = 0;

/** A consumer with letters in its dead-letter queue, their events called `event-0` and on. */
async function deadConsumer(
  count: number,
  { fifo = false, groups = 1, attributes = exhausted as Record<string, string>, size = 0 } = {},
) {
  consumers += 1;
  const names = await sqs.createConsumerQueues(`millrace-test-dev-consumer-${consumers}`, fifo);
  const letters = Array.from({ length: count }, (_, index) => ({
    body: eventBody(`event-${index}`, { data: { text: 'x'.repeat(size) } }),
    attributes: { ...attributes, ErrorCode: index % 2 ? 'ODD' : 'EVEN' },
    ...(fifo && { group: `group-${index % groups}` }),
  }));
  const messageIds = await sqs.send(names.deadLetterQueue, letters);
  return { ...names, messageIds };
}

async function operationOn(deadLetterQueue: string, changes: Partial<Operation> = {}): Promise<Operation> {
  const queues = await StageQueues.load(sqs.client, 'dev');
  return {
    sqs: sqs.client,
    queues,
    queue: queues.find(deadLetterQueue),
    select: () => true,
    startedAt: new Date(),
    ...changes,
  };
}

async function eventsIn(queue: string): Promise<string[]> {
  const { ready, held } = await sqs.contents(queue);
  expect(held).toEqual([]);
  return ready.map(({ body }) => JSON.parse(body).detail.metadata.id);
}

function counts({ done, left, failed, unseen }: DrainSummary) {
  return { done, left, failed, unseen };
}

const range = (count: number): string[] => Array.from({ length: count }, (_, index) => `event-${index}`);

describe('a letter whose event is past the deduplication window', () => {
  const timestamp = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000).toISOString();
  const old = eventBody('old', { timestamp });

  test('is left: its consumer may have forgotten that it handled it', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(1);
    await sqs.send(deadLetterQueue, [{ body: old, attributes: exhausted }]);

    const summary = await redrive(await operationOn(deadLetterQueue), noGroup);

    expect(counts(summary)).toEqual({ done: 1, left: 1, failed: 0, unseen: 0 });
    expect(summary.outcomes.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^left: .*29 days.*EVENT_TOO_OLD/),
    );
    expect(await eventsIn(queue)).toEqual(['event-0']);
    expect(await eventsIn(deadLetterQueue)).toEqual(['old']);
  });

  test('goes back when it belongs to a replay, which its consumer decides about, or from the parking queue, which leads to no consumer', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(0);
    const replayed = old.replace('"detail":', '"replay-name":"replay-1","detail":');
    await sqs.send(deadLetterQueue, [{ body: replayed, attributes: exhausted }]);
    expect(await redrive(await operationOn(deadLetterQueue), noGroup)).toMatchObject({ done: 1, left: 0 });
    expect(await eventsIn(queue)).toEqual(['old']);

    await sqs.send(deadLetterQueue, [{ body: old, attributes: exhausted }]);
    expect(await park(await operationOn(deadLetterQueue))).toMatchObject({ done: 1 });
    expect(await redrive(await operationOn('parking'), noGroup)).toMatchObject({ done: 1, left: 0 });
    expect(await eventsIn(deadLetterQueue)).toEqual(['old']);
  });
});

describe('redrive', () => {
  test('sends everything back unchanged, and leaves the old reason off', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(37);
    const before = (await sqs.contents(deadLetterQueue)).ready.map(({ body }) => body).sort();
    const summary = await redrive(await operationOn(deadLetterQueue), noGroup);

    expect(counts(summary)).toEqual({ done: 37, left: 0, failed: 0, unseen: 0 });
    expect(summary.outcomes).toEqual([{ text: `redriven to ${queue}`, count: 37 }]);
    expect(await eventsIn(deadLetterQueue)).toEqual([]);
    const { ready } = await sqs.contents(queue);
    expect(ready.map(({ body }) => body).sort()).toEqual(before);
    expect(ready.every(({ messageAttributes }) => Object.keys(messageAttributes).length === 0)).toBe(true);
  });

  test('sends what the filter means, up to the limit, and gives the others back', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(30);
    const select = deadLetterFilter({ reasons: ['ODD'] }, new Date());
    const summary = await redrive(await operationOn(deadLetterQueue, { select, limit: 12 }), noGroup);
    expect(counts(summary)).toEqual({ done: 12, left: 0, failed: 0, unseen: 0 });
    const moved = await eventsIn(queue);
    expect(moved).toHaveLength(12);
    expect(moved.every((id) => Number(id.split('-')[1]) % 2 === 1)).toBe(true);
    expect(await eventsIn(deadLetterQueue)).toHaveLength(18);
  });

  test('as a dry run changes nothing', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(5);
    const summary = await redrive(await operationOn(deadLetterQueue, { dryRun: true }), noGroup);
    expect(summary.outcomes).toEqual([{ text: `would go to ${queue}`, count: 5 }]);
    expect(await eventsIn(queue)).toEqual([]);
    expect(await eventsIn(deadLetterQueue)).toHaveLength(5);
  });

  test('keeps what SQS refuses of a batch, and deletes the rest', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(10);
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      if (name !== 'SendMessageBatchCommand') return proceed();
      const { Entries } = input as { Entries: { Id: string; MessageBody: string }[] };
      const refused = Entries.filter(({ MessageBody }) => /"event-[37]"/.test(MessageBody));
      Object.assign(input as object, { Entries: Entries.filter((entry) => !refused.includes(entry)) });
      const answer: object = await proceed();
      const Failed = refused.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true }));
      return { ...answer, Failed };
    });
    const summary = await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    expect(counts(summary)).toEqual({ done: 8, left: 2, failed: 0, unseen: 0 });
    expect(summary.outcomes).toContainEqual({ text: 'left: SQS refused it: InvalidMessageContents', count: 2 });
    expect((await eventsIn(deadLetterQueue)).sort()).toEqual(['event-3', 'event-7']);
    expect(await eventsIn(queue)).toHaveLength(8);
  });

  test('tries an entry again that SQS failed to take for a reason of its own', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(10);
    let sends = 0;
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      if (name !== 'SendMessageBatchCommand') return proceed();
      sends += 1;
      if (sends > 1) return proceed();
      const { Entries } = input as { Entries: { Id: string }[] };
      Object.assign(input as object, { Entries: Entries.slice(1) });
      return { ...((await proceed()) as object), Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] };
    });
    const summary = await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    expect(counts(summary)).toEqual({ done: 10, left: 0, failed: 0, unseen: 0 });
    expect((await eventsIn(queue)).sort()).toEqual(range(10));
  });

  test('an entry that the answer does not mention was not taken', async () => {
    const { deadLetterQueue } = await deadConsumer(3);
    const client = intercepted(sqs.client, async ({ constructor: { name } }, proceed) =>
      name === 'SendMessageBatchCommand' ? { Successful: [{ Id: '0' }] } : proceed(),
    );
    const summary = await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    // Tried alone, an entry is the first of its batch, and so mentioned.
    expect(summary.done).toBe(3);
    expect(await eventsIn(deadLetterQueue)).toEqual([]);
  });

  test('stops when sending fails: nothing is deleted, everything is given back', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(40);
    let sends = 0;
    const client = intercepted(sqs.client, async ({ constructor: { name } }, proceed) => {
      if (name === 'SendMessageBatchCommand' && ++sends > 1) throw new Error('connection reset');
      return proceed();
    });
    const operation = await operationOn(deadLetterQueue, { sqs: client, concurrency: 1 });
    const summary = await redrive(operation, noGroup);
    expect(summary.problem).toContain('connection reset');
    expect(summary.done).toBe(10);
    const left = await eventsIn(deadLetterQueue);
    expect(left).toHaveLength(30);
    expect([...left, ...(await eventsIn(queue))].sort()).toEqual(range(40).sort());
  });

  test('dying between send and delete leaves a letter in both queues, in none never; run again, the rest goes', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(25);
    const client = intercepted(sqs.client, async ({ constructor: { name } }, proceed) => {
      if (name === 'DeleteMessageBatchCommand') throw new Error('killed');
      return proceed();
    });
    const operation = await operationOn(deadLetterQueue, { sqs: client, concurrency: 1 });
    const first = await redrive(operation, noGroup);
    expect(first).toMatchObject({ done: 0, failed: 10, problem: expect.stringContaining('also still in its queue') });
    expect(await eventsIn(deadLetterQueue)).toHaveLength(25);
    const second = await redrive(await operationOn(deadLetterQueue), noGroup);
    expect(second.done).toBe(25);
    expect(new Set(await eventsIn(queue))).toEqual(new Set(range(25)));
    expect(await eventsIn(queue)).toHaveLength(35);
  });

  test('an entry that cannot be deleted is reported, and those that can are gone', async () => {
    const { deadLetterQueue } = await deadConsumer(10);
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      if (name !== 'DeleteMessageBatchCommand') return proceed();
      const { Entries } = input as { Entries: { Id: string }[] };
      Object.assign(input as object, { Entries: Entries.slice(1) });
      const Failed = [{ Id: '0', Code: 'ReceiptHandleIsInvalid', SenderFault: true }];
      return { ...((await proceed()) as object), Failed };
    });
    const summary = await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    expect(counts(summary)).toEqual({ done: 9, left: 0, failed: 1, unseen: 0 });
    expect(await eventsIn(deadLetterQueue)).toHaveLength(1);
  });

  test('a letter whose visibility ran out is not sent', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(4);
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      if (name === 'ReceiveMessageCommand') Object.assign(input as object, { VisibilityTimeout: 30 });
      return proceed();
    });
    const operation = await operationOn(deadLetterQueue, { sqs: client });
    const { now } = performance;
    const late: Operation['select'] = () => {
      performance.now = () => now.call(performance) + 31_000;
      return true;
    };
    try {
      const summary = await redrive({ ...operation, select: late }, noGroup);
      expect(summary).toMatchObject({ done: 0, left: 4 });
    } finally {
      performance.now = now;
    }
    expect(await eventsIn(queue)).toEqual([]);
  });

  test('stops at an interruption, and gives the rest back', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(40);
    const controller = new AbortController();
    const operation = await operationOn(deadLetterQueue, { signal: controller.signal, concurrency: 1 });
    const summary = await redrive(
      { ...operation, onProgress: ({ handled }) => (handled >= 20 ? controller.abort() : undefined) },
      noGroup,
    );
    expect(summary).toMatchObject({ done: 20, interrupted: true });
    expect(await eventsIn(queue)).toHaveLength(20);
    expect(await eventsIn(deadLetterQueue)).toHaveLength(20);
  });

  test('leaves letters alone that die again in the meantime', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(20);
    let dyingAgain = 0;
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      const answer = await proceed();
      if (name === 'SendMessageBatchCommand') {
        const { Entries } = input as { Entries: { MessageBody: string }[] };
        dyingAgain += Entries.length;
        await sqs.send(
          deadLetterQueue,
          Entries.map(({ MessageBody }) => ({ body: MessageBody, attributes: exhausted })),
        );
      }
      return answer;
    });
    const operation = await operationOn(deadLetterQueue, { sqs: client });
    while (Date.now() <= operation.startedAt.getTime()) await new Promise(setImmediate);
    const summary = await redrive(operation, noGroup);
    expect(summary.done).toBe(20);
    expect(dyingAgain).toBe(20);
    expect(await eventsIn(queue)).toHaveLength(20);
    expect(await eventsIn(deadLetterQueue)).toHaveLength(20);
  });

  test('waits for letters that a look holds which was killed', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(12);
    const { url } = (await operationOn(deadLetterQueue)).queue;
    const held = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 3 });
    expect((await sqs.client.send(held)).Messages).toHaveLength(10);
    const seenWaiting: boolean[] = [];
    const onProgress: Operation['onProgress'] = ({ waiting }) => seenWaiting.push(waiting);
    const summary = await redrive(await operationOn(deadLetterQueue, { onProgress }), noGroup);
    expect(counts(summary)).toEqual({ done: 12, left: 0, failed: 0, unseen: 0 });
    expect(seenWaiting).toContain(true);
    expect(summary.waited).toBeGreaterThan(0);
    expect(await eventsIn(queue)).toHaveLength(12);
  });

  test('keeps to a rate', async () => {
    const { deadLetterQueue } = await deadConsumer(30);
    const summary = await redrive(await operationOn(deadLetterQueue, { rate: 20 }), noGroup);
    expect(summary.done).toBe(30);
    expect(summary.duration).toBeGreaterThan(0.9);
  });

  test('sends large letters in batches that SQS takes', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(0);
    for (let index = 0; index < 4; index += 1) {
      await sqs.send(deadLetterQueue, [{ body: eventBody(`event-${index}`, { data: { text: 'ü'.repeat(300_000) } }) }]);
    }
    const summary = await redrive(await operationOn(deadLetterQueue), noGroup);
    expect(counts(summary)).toEqual({ done: 4, left: 0, failed: 0, unseen: 0 });
    expect((await eventsIn(queue)).sort()).toEqual(range(4));
  });

  test('keeps the order of each message group of a FIFO queue', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(12, { fifo: true, groups: 2 });
    const summary = await redrive(await operationOn(deadLetterQueue), noGroup);
    expect(counts(summary)).toEqual({ done: 12, left: 0, failed: 0, unseen: 0 });
    const { ready } = await sqs.contents(queue);
    for (const [group, messages] of Map.groupBy(ready, ({ messageGroupId }) => messageGroupId)) {
      const numbers = messages.map(({ body }) => Number(JSON.parse(body).detail.metadata.id.split('-')[1]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(numbers.every((number) => `group-${number % 2}` === group)).toBe(true);
    }
  });

  test('of a FIFO queue, run again after a death, is the same message to SQS', async () => {
    const { queue, deadLetterQueue, messageIds } = await deadConsumer(1, { fifo: true });
    const client = intercepted(sqs.client, async ({ constructor: { name } }, proceed) => {
      if (name === 'DeleteMessageBatchCommand') throw new Error('killed');
      return proceed();
    });
    await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    await redrive(await operationOn(deadLetterQueue), noGroup);
    const { ready } = await sqs.contents(queue);
    expect(ready.map(({ messageDeduplicationId }) => messageDeduplicationId)).toEqual([`moved-${messageIds[0]}`]);
    expect(await eventsIn(deadLetterQueue)).toEqual([]);
  });

  test('of a FIFO queue sends nothing after a letter of its group that was refused', async () => {
    const { queue, deadLetterQueue } = await deadConsumer(6, { fifo: true, groups: 2 });
    const client = intercepted(sqs.client, async ({ constructor: { name }, input }, proceed) => {
      const { Entries } = input as { Entries?: { Id: string; MessageBody?: string }[] };
      if (name !== 'SendMessageBatchCommand' || !Entries) return proceed();
      const refused = Entries.filter(({ MessageBody = '' }) => MessageBody.includes('"event-2"'));
      if (refused.length === 0) return proceed();
      const Failed = refused.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true }));
      if (refused.length === Entries.length) return { Successful: [], Failed };
      Object.assign(input as object, { Entries: Entries.filter((entry) => !refused.includes(entry)) });
      return { ...((await proceed()) as object), Failed };
    });
    const summary = await redrive(await operationOn(deadLetterQueue, { sqs: client }), noGroup);
    // event-4 comes after event-2 in its group.
    expect(counts(summary)).toEqual({ done: 4, left: 2, failed: 0, unseen: 0 });
    expect((await eventsIn(queue)).sort()).toEqual(['event-0', 'event-1', 'event-3', 'event-5']);
    expect((await eventsIn(deadLetterQueue)).sort()).toEqual(['event-2', 'event-4']);
  });
});

describe('redrive of other letters', () => {
  const rule = {
    RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/millrace-dev/a-rule',
    ERROR_CODE: 'NO_RESOURCE',
  };

  test("a rule's letter goes to its target", async () => {
    const { queue } = await deadConsumer(0);
    const target = (await StageQueues.load(sqs.client, 'dev')).byName(queue);
    await sqs.createQueue('millrace-test-dev-first-rule-dlq');
    await sqs.send('millrace-test-dev-first-rule-dlq', [
      { body: eventBody('event-0'), attributes: { ...rule, TARGET_ARN: target?.arn ?? '' } },
      { body: eventBody('event-1'), attributes: { ...rule, TARGET_ARN: `${target?.arn}-deleted` } },
    ]);
    const summary = await redrive(await operationOn('millrace-test-dev-first-rule-dlq'), noGroup);
    expect(counts(summary)).toEqual({ done: 1, left: 1, failed: 0, unseen: 0 });
    expect(summary.outcomes).toContainEqual({ text: expect.stringContaining('does not exist'), count: 1 });
    expect(await eventsIn(queue)).toEqual(['event-0']);
    expect((await sqs.contents(queue)).ready[0]?.messageAttributes).toEqual({});
  });

  test("a rule's letter goes to a FIFO target with the group the rule gives it", async () => {
    const { queue } = await deadConsumer(0, { fifo: true });
    const target = (await StageQueues.load(sqs.client, 'dev')).byName(queue);
    await sqs.createQueue('millrace-test-dev-second-rule-dlq');
    await sqs.send('millrace-test-dev-second-rule-dlq', [
      { body: eventBody('event-0'), attributes: { ...rule, TARGET_ARN: target?.arn ?? '' } },
    ]);
    const asked: string[] = [];
    await redrive(await operationOn('millrace-test-dev-second-rule-dlq'), async (ruleArn, targetArn) => {
      asked.push(ruleArn, targetArn);
      return 'test.consumer';
    });
    expect(asked).toEqual([rule.RULE_ARN, target?.arn]);
    expect((await sqs.contents(queue)).ready[0]?.messageGroupId).toBe('test.consumer');
  });

  test("a relay's letter stays, and is told where to read on", async () => {
    await sqs.createQueue('millrace-test-dev-relay-dlq');
    const body = JSON.stringify({ DDBStreamBatchInfo: { startSequenceNumber: '1', endSequenceNumber: '2' } });
    await sqs.send('millrace-test-dev-relay-dlq', [{ body }]);
    const summary = await redrive(await operationOn('millrace-test-dev-relay-dlq'), noGroup);
    expect(summary).toMatchObject({ done: 0, left: 1 });
    expect(summary.outcomes[0]?.text).toContain('docs/dead-letters.md');
    expect((await sqs.contents('millrace-test-dev-relay-dlq')).ready).toHaveLength(1);
  });

  test('parked, and brought back, a letter has the reason it died of', async () => {
    const { deadLetterQueue } = await deadConsumer(3);
    const parking = 'millrace-re-emitter-dev-parking';
    const parked = await park(await operationOn(deadLetterQueue), 'looked into by Ada');
    expect(counts(parked)).toEqual({ done: 3, left: 0, failed: 0, unseen: 0 });
    expect(await eventsIn(deadLetterQueue)).toEqual([]);
    const [aside] = (await sqs.contents(parking)).ready;
    expect(aside?.messageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'PARKED' },
      ErrorMessage: { StringValue: 'looked into by Ada' },
      ParkedFrom: { StringValue: deadLetterQueue },
    });

    const back = await redrive(await operationOn(parking), noGroup);
    expect(back.outcomes).toEqual([{ text: `redriven to ${deadLetterQueue}`, count: 3 }]);
    const { ready } = await sqs.contents(deadLetterQueue);
    expect(ready.map(({ messageAttributes }) => messageAttributes.ErrorCode?.StringValue).sort()).toEqual([
      'EVEN',
      'EVEN',
      'ODD',
    ]);
    expect(ready.every(({ messageAttributes }) => messageAttributes.ParkedFrom === undefined)).toBe(true);
    expect(await eventsIn(parking)).toEqual([]);
  });

  test('a letter that an edited copy has replaced stays parked', async () => {
    const { deadLetterQueue } = await deadConsumer(0);
    const attributes = messageAttributes({ ErrorCode: 'EVENT_REPLACED', ParkedFrom: deadLetterQueue }, '');
    const texts = Object.entries(attributes).map(([name, { StringValue = '' }]) => [name, StringValue]);
    const parking = 'millrace-re-emitter-dev-parking';
    await sqs.send(parking, [{ body: eventBody('event-0'), attributes: Object.fromEntries(texts) }]);
    const summary = await redrive(await operationOn(parking), noGroup);
    expect(summary).toMatchObject({ done: 0, left: 1 });
    expect(await eventsIn(deadLetterQueue)).toEqual([]);
    await purge(await operationOn(parking));
  });

  test('what is parked is not parked again', async () => {
    await expect(park(await operationOn('parking'))).rejects.toThrow('are parked already');
  });
});

describe('purge', () => {
  test('deletes what the filter means, for good', async () => {
    const { deadLetterQueue } = await deadConsumer(10);
    const select = deadLetterFilter({ reasons: ['ODD'] }, new Date());
    const dry = await purge(await operationOn(deadLetterQueue, { select, dryRun: true }));
    expect(dry.outcomes).toEqual([{ text: 'would be deleted', count: 5 }]);
    expect(await eventsIn(deadLetterQueue)).toHaveLength(10);
    const summary = await purge(await operationOn(deadLetterQueue, { select }));
    expect(summary.outcomes).toEqual([{ text: 'deleted', count: 5 }]);
    expect((await eventsIn(deadLetterQueue)).sort()).toEqual(['event-0', 'event-2', 'event-4', 'event-6', 'event-8']);
  });
});
