import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RecordingClient } from '@millrace/testing';
import { eventBody, exhausted } from '../../fixtures/dead-events.ts';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { type ReemitRequest, type ReemitResult, reemitRequestSchema } from '../reemission.ts';
import { isComplete } from './drain.ts';
import type { Operation } from './redrive.ts';
import { reemit } from './reemit.ts';
import { StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createQueue('millrace-re-emitter-dev-parking');
});
afterAll(() => sqs.stop());

let consumers = 0;
async function operationOn(bodies: readonly string[], changes: Partial<Operation> = {}): Promise<Operation> {
  consumers += 1;
  const { deadLetterQueue } = await sqs.createConsumerQueues(`millrace-test-dev-consumer-${consumers}`);
  for (const body of bodies) await sqs.send(deadLetterQueue, [{ body, attributes: exhausted }]);
  const queues = await StageQueues.load(sqs.client, 'dev');
  const queue = queues.find(deadLetterQueue);
  return { sqs: sqs.client, queues, queue, select: () => true, startedAt: new Date(), ...changes };
}

/** A function that answers a request; what it throws is a function error. */
function lambda(answer: (request: ReemitRequest) => Omit<ReemitResult, 'messageId'>[]) {
  return new RecordingClient((_, input) => {
    const { Payload } = input as { Payload: string };
    const request = reemitRequestSchema.parse(JSON.parse(Payload));
    try {
      const results = answer(request).map((result, index) => ({
        messageId: request.messages[index]?.messageId,
        ...result,
      }));
      return { StatusCode: 200, Payload: text(JSON.stringify({ results })) };
    } catch (error) {
      return { StatusCode: 200, FunctionError: 'Unhandled', Payload: text((error as Error).message) };
    }
  });
}

function text(value: string) {
  return { transformToString: () => value };
}

const events = (count: number): string[] => Array.from({ length: count }, (_, index) => eventBody(`event-${index}`));

describe('reemit', () => {
  test('hands letters over in requests of at most 50, and says what became of them', async () => {
    const operation = await operationOn(events(120), { concurrency: 1 });
    const client = lambda(({ messages }) =>
      messages.map(({ body }) => {
        if (body.includes('"event-1"')) return { outcome: 'parked', code: 'EVENT_EDITED', reason: 'edited' };
        if (body.includes('"event-2"')) return { outcome: 'kept', reason: 'throttled' };
        return { outcome: 'reemitted' };
      }),
    );
    const summary = await reemit(operation, client);
    const requests = client
      .inputs<{ FunctionName: string; Payload: string }>('InvokeCommand')
      .map(({ FunctionName, Payload }) => ({ FunctionName, request: JSON.parse(Payload) as ReemitRequest }));
    expect(requests.map(({ request }) => request.messages.length)).toEqual([50, 50, 20]);
    expect(requests[0]).toMatchObject({
      FunctionName: 'millrace-re-emitter-dev-reemit',
      request: { queueName: operation.queue.name, messages: expect.arrayContaining([]) },
    });
    expect(requests[0]?.request.messages[0]?.attributes).toEqual(exhausted);
    expect(summary).toMatchObject({ done: 118, left: 2, failed: 0 });
    expect(summary.outcomes).toEqual(
      expect.arrayContaining([
        { text: 'reemitted', count: 118 },
        { text: 'parked: EVENT_EDITED: edited', count: 1 },
        { text: 'kept: throttled', count: 1 },
      ]),
    );
    // The re-emitter deletes; this fake does not. What it says it has kept is given back.
    const { ready, held } = await sqs.contents(operation.queue.name);
    expect(ready).toHaveLength(1);
    expect(held).toHaveLength(119);
  });

  test('keeps a request below five megabytes', async () => {
    const large = eventBody('event', { data: { text: '"'.repeat(500_000) } });
    const client = lambda(({ messages }) => messages.map(() => ({ outcome: 'kept' })));
    await reemit(await operationOn(Array(6).fill(large), { concurrency: 1 }), client);
    const sizes = client.inputs<{ Payload: string }>('InvokeCommand').map(({ Payload }) => Buffer.byteLength(Payload));
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(5_100_000);
  });

  test('stops when the function fails, and leaves everything', async () => {
    const operation = await operationOn(events(60), { concurrency: 1 });
    const client = lambda(() => {
      throw new Error('Task timed out');
    });
    const summary = await reemit(operation, client);
    expect(summary).toMatchObject({ done: 0, left: 50, problem: expect.stringContaining('Task timed out') });
    expect(client.sent).toHaveLength(1);
    const { ready } = await sqs.contents(operation.queue.name);
    expect(ready).toHaveLength(60);
  });

  test('a letter that is on the bus and could not be deleted is a failure, and is given back', async () => {
    const operation = await operationOn(events(2));
    const client = lambda(() => [{ outcome: 'reemitted', stillThere: true, reason: 'SQS' }, { outcome: 'reemitted' }]);
    const summary = await reemit(operation, client);
    expect(summary).toMatchObject({ done: 1, left: 0, failed: 1 });
    expect(isComplete(summary)).toBe(false);
    expect((await sqs.contents(operation.queue.name)).ready.map(({ body }) => body)).toEqual(events(1));
  });

  test('a letter the answer does not mention was not handled', async () => {
    const operation = await operationOn(events(2));
    const summary = await reemit(
      operation,
      lambda(() => [{ outcome: 'reemitted' }]),
    );
    expect(summary.outcomes).toEqual([
      { text: 'reemitted', count: 1 },
      { text: 'kept: no answer for it', count: 1 },
    ]);
  });

  test('as a dry run invokes nothing', async () => {
    const client = lambda(() => []);
    const summary = await reemit(await operationOn(events(3), { dryRun: true }), client);
    expect(summary.outcomes).toEqual([{ text: 'would go to millrace-re-emitter-dev-reemit', count: 3 }]);
    expect(client.sent).toEqual([]);
  });

  test('refuses the parking queue', async () => {
    const operation = await operationOn([]);
    const parking = { ...operation, queue: operation.queues.parkingQueue };
    await expect(
      reemit(
        parking,
        lambda(() => []),
      ),
    ).rejects.toThrow('redrive them to where they were parked from');
  });
});
