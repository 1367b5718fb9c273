import { cpSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  functionArn,
  pipeRole,
  pipesForEachTest,
  queue,
  queueArn,
  roleArn,
} from '../../../fixtures/pipes-under-test.ts';
import { Usage } from '../../core/usage.ts';

const { start, create, dataDirectory, defer } = pipesForEachTest();

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
describe('a pipe from a queue', () => {
  it('hands each message to the target as the source has it, and deletes it', async () => {
    const started = await create();
    await started.send({ a: 1 }, 'text');
    const found = (await started.arrived(2)) as { body: string }[];
    expect(found.map(({ body }) => body).sort()).toEqual(['text', '{"a":1}']);
    expect(found[0]).toMatchObject({
      messageId: expect.any(String),
      receiptHandle: expect.any(String),
      eventSource: 'aws:sqs',
      eventSourceARN: queueArn('in'),
      awsRegion: 'us-east-1',
      attributes: { ApproximateReceiveCount: '1' },
    });
    await eventually(async () => expect(await started.count('in')).toBe(0));
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
  it('passes the messages that match a filter, and deletes the others', async () => {
    const Filters = [{ Pattern: '{"body":{"kind":["order"]}}' }];
    const started = await create({
      SourceParameters: { FilterCriteria: { Filters } },
      TargetParameters: { InputTemplate: '{"id":<$.body.id>}' },
    });
    await started.send({ kind: 'order', id: 1 }, { kind: 'other', id: 2 }, 'no JSON', { kind: 'order', id: 3 });
    expect(await started.arrived(2)).toEqual(expect.arrayContaining([{ id: 1 }, { id: 3 }]));
    await eventually(async () => expect(await started.count('in')).toBe(0));
  });

  // https://aws.amazon.com/eventbridge/pricing/
  it('is billed for the events that pass its filter, each 64 KB of one, and again when they come again', async () => {
    const usage = new Usage();
    let calls = 0;
    const failOnce = () => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
    };
    const started = await create(
      {
        Target: functionArn('failOnce'),
        SourceParameters: { FilterCriteria: { Filters: [{ Pattern: '{"body":{"kind":["order"]}}' }] } },
        DesiredState: 'STOPPED',
      },
      { usage, functions: { failOnce } },
    );
    await started.send({ kind: 'order' }, { kind: 'order', text: 'x'.repeat(64 * 1024) }, { kind: 'other' });
    await eventually(() => started.invoke('StartPipe', { Name: 'p' }));
    await eventually(() => expect(usage.total('pipes.requests', 'p')).toBe(3));

    await started.clock.advance(31_000);
    await eventually(async () => expect(await started.count('in')).toBe(0));
    expect(usage.total('pipes.requests')).toBe(6);
  });

  it('leaves a message that failed to the queue, whose redrive policy sends it to its dead-letter queue', async () => {
    const redrive = { deadLetterTargetArn: queueArn('dead'), maxReceiveCount: 1 };
    const In = queue('in', { VisibilityTimeout: 30, RedrivePolicy: redrive });
    const started = await create(
      { Target: functionArn('broken') },
      {
        resources: { In },
        functions: {
          broken: () => {
            throw new Error('broken');
          },
        },
      },
    );
    await started.send('poison');
    await eventually(() => expect(started.warnings.join()).toContain('broken failed'));
    expect(await started.count('in')).toBe(1);
    await started.clock.advance(31_000);
    await eventually(async () => expect(await started.count('dead')).toBe(1));
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-concurrency
  it('gives up a batch that takes longer than five minutes, and ignores a late answer', async () => {
    const calls: PromiseWithResolvers<void>[] = [];
    const wait = () => {
      const call = Promise.withResolvers<void>();
      calls.push(call);
      return call.promise;
    };
    const In = queue('in', { VisibilityTimeout: 600 });
    const started = await create({ Target: functionArn('wait') }, { resources: { In }, functions: { wait } });
    defer(() => {
      for (const call of calls) call.resolve();
    });
    await started.send('slow');
    await eventually(() => expect(calls).toHaveLength(1));
    await started.clock.advance(299_000);
    expect(started.warnings).toEqual([]);

    await started.clock.advance(2_000);
    await eventually(() => expect(started.warnings).toEqual(['Pipe p failed: it took longer than 300 seconds']));
    calls[0]?.resolve();
    expect(await started.count('in')).toBe(1);

    await started.clock.advance(300_000);
    await eventually(() => expect(calls).toHaveLength(2));
    calls[1]?.resolve();
    await eventually(async () => expect(await started.count('in')).toBe(0));
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
  it('keeps the messages that the target names as failed', async () => {
    const batches: string[][] = [];
    const keepB = (records: { messageId: string; body: string }[]) => {
      batches.push(records.map(({ body }) => body).sort());
      const failed = batches.length > 1 ? [] : records.filter(({ body }) => body === 'b');
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    };
    const started = await create(
      { Target: functionArn('keep'), DesiredState: 'STOPPED' },
      { functions: { keep: keepB } },
    );
    await started.send('a', 'b', 'c');
    await eventually(() => started.invoke('StartPipe', { Name: 'p' }));
    await eventually(async () => expect(await started.count('in')).toBe(1));
    await started.clock.advance(31_000);
    await eventually(async () => expect(await started.count('in')).toBe(0));
    expect(batches).toEqual([['a', 'b', 'c'], ['b']]);
  });

  it('keeps the messages that a batch of the target did not take', async () => {
    const started = await create({
      Target: 'arn:aws:events:us-east-1:000000000000:event-bus/default',
      // A detail that is not a JSON object is refused by PutEvents, entry by entry.
      TargetParameters: { InputTemplate: '<$.body.detail>' },
      DesiredState: 'STOPPED',
    });
    await started.send({ detail: { good: true } }, { detail: 'bad' });
    await eventually(() => started.invoke('StartPipe', { Name: 'p' }));
    await eventually(async () => expect(await started.count('in')).toBe(1));
  });

  it('hands a message over again if the process died before it was deleted from the queue', async () => {
    const [running, left] = [dataDirectory(), dataDirectory()];
    const seen: string[] = [];
    const see = (records: { body: string }[]) => {
      seen.push(...records.map(({ body }) => body));
      // What the process would leave if it died here: the target has the message, and so has the queue.
      if (seen.length === 1) cpSync(running, left, { recursive: true });
    };
    const first = await create({ Target: functionArn('see') }, { dataDirectory: running, functions: { see } });
    await first.send('a');
    await eventually(async () => expect(await first.count('in')).toBe(0));
    expect(seen).toEqual(['a']);

    const second = await start({ dataDirectory: left, functions: { see } });
    await second.clock.advance(31_000);
    await eventually(async () => expect(await second.count('in')).toBe(0));
    expect(seen).toEqual(['a', 'a']);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
  it('leaves messages in the queue when its role may not send them to the target', async () => {
    const reading = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
    const resources = { Reader: pipeRole('reader', ...reading) };
    const started = await create({ RoleArn: roleArn.replace('all', 'reader') }, { resources });
    await started.send('a');
    await eventually(() => expect(started.warnings.join()).toMatch(/Pipe p failed: .*sqs:SendMessage/));
    expect(await started.count('out')).toBe(0);
    expect(await started.count('in')).toBe(1);
  });

  it('is not created when its role may not read the queue', async () => {
    const started = await create(
      { RoleArn: roleArn.replace('all', 'sender') },
      { resources: { Sender: pipeRole('sender', 'sqs:SendMessage') } },
    );
    await eventually(async () => {
      const { CurrentState, StateReason } = await started.invoke('DescribePipe', { Name: 'p' });
      expect({ CurrentState, StateReason }).toEqual({
        CurrentState: 'CREATE_FAILED',
        StateReason: expect.stringContaining('sqs:ReceiveMessage'),
      });
    });
  });
});
