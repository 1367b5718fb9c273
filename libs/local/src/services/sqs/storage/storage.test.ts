import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../../fixtures/sqs/sqs-under-test.ts';

let dataDirectory: string;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'sqs-'));
});

afterEach(() => rmSync(dataDirectory, { recursive: true }));

describe('queues in a data directory', () => {
  /** Does something with queues, closes them, and opens them again at the same time of the clock. */
  async function restarted(before: (sqs: SqsUnderTest) => Promise<void>, after: (sqs: SqsUnderTest) => Promise<void>) {
    {
      await using sqs = new SqsUnderTest({ dataDirectory });
      await before(sqs);
    }
    await using again = new SqsUnderTest({ dataDirectory });
    await after(again);
  }

  test('keep queues, tags, and messages in each state with their receive counts', async () => {
    const attributes = { VisibilityTimeout: '60', DelaySeconds: '1' };
    let handle = '';
    await restarted(
      async (sqs) => {
        const QueueUrl = await sqs.create('q', attributes);
        await sqs.api.call('TagQueue', { QueueUrl, Tags: { team: 'orders' } });
        await sqs.send(QueueUrl, 'received', {
          DelaySeconds: 0,
          MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } },
        });
        await sqs.receiveOne(QueueUrl, { VisibilityTimeout: 0 });
        handle = (await sqs.receiveOne(QueueUrl)).ReceiptHandle;
        await sqs.send(QueueUrl, 'visible', { DelaySeconds: 0 });
        await sqs.send(QueueUrl, 'delayed');
        await sqs.send(QueueUrl, 'deleted', { DelaySeconds: 0 });
        for (const message of await sqs.receive(QueueUrl)) {
          if (message.Body === 'deleted') await sqs.delete(QueueUrl, message);
          else await sqs.hide(QueueUrl, message, 0);
        }
      },
      async (sqs) => {
        const QueueUrl = await sqs.create('q', attributes);
        expect(await sqs.api.call('ListQueueTags', { QueueUrl })).toEqual({ Tags: { team: 'orders' } });
        expect(await sqs.counts(QueueUrl)).toBe('1/1/1');
        await sqs.hide(QueueUrl, { ReceiptHandle: handle, MessageId: '', Body: '', MD5OfBody: '' }, 0);
        await sqs.clock.seconds(1);
        const messages = await sqs.receive(QueueUrl);
        expect(messages.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount]).sort()).toEqual([
          ['delayed', '1'],
          ['received', '3'],
          ['visible', '2'],
        ]);
        const received = messages.find(({ Body }) => Body === 'received');
        expect(received?.MessageAttributes).toEqual({ k: { DataType: 'String', StringValue: 'v' } });
      },
    );
  });

  test('keep the order of groups, deduplication and dead letters', async () => {
    await restarted(
      async (sqs) => {
        const dead = await sqs.create('dlq.fifo');
        const url = await sqs.createWithDeadLetterQueue('q.fifo', 'dlq.fifo');
        await sqs.sendInGroups(url, ['a-1', 'a-2']);
        await sqs.receiveOne(url, { MaxNumberOfMessages: 1, VisibilityTimeout: 0 });
        expect(await sqs.bodies(url)).toEqual(['a-2']);
        expect(await sqs.counts(dead)).toBe('1/0/0');
        await sqs.sendInGroups(url, ['b-1', 'b-2']);
      },
      async (sqs) => {
        const url = await sqs.create('q.fifo');
        await sqs.sendInGroups(url, ['b-1', 'b-3']);
        expect(await sqs.bodies(url)).toEqual(['b-1', 'b-2', 'b-3']);
        const { Body, Attributes } = await sqs.receiveOne(await sqs.create('dlq.fifo'));
        expect([Body, Attributes?.DeadLetterQueueSourceArn]).toEqual(['a-1', sqs.arn('q.fifo')]);
      },
    );
  });

  test('keep nothing of what was deleted, purged, or has outlived its retention', async () => {
    await restarted(
      async (sqs) => {
        const gone = await sqs.create('gone');
        await sqs.send(gone, 'x');
        await sqs.api.call('DeleteQueue', { QueueUrl: gone });
        const purged = await sqs.create('purged');
        await sqs.send(purged, 'x');
        await sqs.api.call('PurgeQueue', { QueueUrl: purged });
        const short = await sqs.create('short', { MessageRetentionPeriod: '60' });
        await sqs.send(short, 'x');
        await sqs.clock.seconds(60);
        expect(await sqs.counts(short)).toBe('0/0/0');
      },
      async (sqs) => {
        const { QueueUrls = [] } = await sqs.api.call('ListQueues', {});
        expect(QueueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1))).toEqual(['purged', 'short']);
        for (const url of QueueUrls) expect(await sqs.counts(url)).toBe('0/0/0');
      },
    );
  });

  test('go on with a task that was moving messages', async () => {
    await restarted(
      async (sqs) => {
        await sqs.create('dlq');
        const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
        for (const body of ['a', 'b', 'c']) await sqs.send(url, body);
        await sqs.receive(url, { VisibilityTimeout: 0 });
        await sqs.receive(url);
        await sqs.api.call('StartMessageMoveTask', { SourceArn: sqs.arn('dlq'), MaxNumberOfMessagesPerSecond: 1 });
        await sqs.clock.advance(0);
        expect(await sqs.counts(url)).toBe('1/0/0');
      },
      async (sqs) => {
        await sqs.clock.seconds(10);
        const { Results } = await sqs.api.call('ListMessageMoveTasks', { SourceArn: sqs.arn('dlq') });
        expect(Results).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 3 }]);
        expect((await sqs.bodies(await sqs.create('q'))).sort()).toEqual(['a', 'b', 'c']);
      },
    );
  });

  test('have in their file what was answered: a send, a receive and a deletion', async () => {
    await using sqs = new SqsUnderTest({ dataDirectory });
    const url = await sqs.create('q');
    using file = new DatabaseSync(join(dataDirectory, 'sqs.db'), { readOnly: true });
    const rows = () => file.prepare('SELECT receives FROM messages').all();
    await sqs.send(url, 'x');
    expect(rows()).toEqual([{ receives: 0 }]);
    const message = await sqs.receiveOne(url);
    expect(rows()).toEqual([{ receives: 1 }]);
    await sqs.delete(url, message);
    expect(rows()).toEqual([]);
    await sqs.sqs.deliver(sqs.arn('q'), 'y');
    const source = sqs.sqs.source(sqs.arn('q'));
    const [received] = await source.receive({ max: 1, waitSeconds: 0, signal: new AbortController().signal });
    expect(rows()).toEqual([{ receives: 1 }]);
    await source.deleteBatch([received?.receiptHandle ?? '']);
    expect(rows()).toEqual([]);
  });

  test('refuse what cannot be written, and write it with the next change', async () => {
    await using sqs = new SqsUnderTest({ dataDirectory });
    const url = await sqs.create('q');
    using file = new DatabaseSync(join(dataDirectory, 'sqs.db'));
    file.exec('BEGIN IMMEDIATE');
    await expect(sqs.send(url, 'x')).rejects.toThrow('database is locked');
    file.exec('ROLLBACK');
    expect(file.prepare('SELECT * FROM messages').all()).toEqual([]);
    await sqs.send(url, 'y');
    expect(file.prepare('SELECT * FROM messages').all()).toHaveLength(2);
  });

  test('lose nothing that was acknowledged when the process is killed', async () => {
    const acknowledged: string[] = [];
    const deleted: string[] = [];
    const server = await startProcess(dataDirectory);
    const call = (operation: string, input: object) => callJson(server.endpoint, operation, input);
    const { QueueUrl } = (await call('CreateQueue', { QueueName: 'q' })) as { QueueUrl: string };
    const sendUntilKilled = async (sender: number): Promise<void> => {
      for (let number = 0; ; number += 1) {
        const body = `${sender}-${number}`;
        await call('SendMessage', { QueueUrl, MessageBody: body });
        acknowledged.push(body);
        if (acknowledged.length === 400) server.process.kill('SIGKILL');
      }
    };
    const deleteUntilKilled = async (): Promise<void> => {
      for (;;) {
        const { Messages = [] } = (await call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 1 })) as {
          Messages?: { Body: string; ReceiptHandle: string }[];
        };
        for (const { Body, ReceiptHandle } of Messages) {
          await call('DeleteMessage', { QueueUrl, ReceiptHandle });
          deleted.push(Body);
        }
      }
    };
    const exited = once(server.process, 'exit');
    await Promise.allSettled([...[1, 2, 3, 4].map(sendUntilKilled), deleteUntilKilled()]);
    expect(await exited).toEqual([null, 'SIGKILL']);

    await using again = new SqsUnderTest({ dataDirectory });
    const kept = new Set([...(again.sqs.queues.get('q')?.messages ?? [])].map(({ body }) => body));
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);
    expect(deleted.length).toBeGreaterThan(0);
    expect(acknowledged.filter((body) => !deleted.includes(body) && !kept.has(body)).length).toBeLessThanOrEqual(1);
    expect(deleted.filter((body) => kept.has(body))).toEqual([]);
  });
});

async function startProcess(directory: string): Promise<{ process: ChildProcess; endpoint: string }> {
  const script = join(import.meta.dirname, '../../../../fixtures/sqs/serve.ts');
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [endpoint] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { process: child, endpoint };
}

async function callJson(endpoint: string, operation: string, input: object): Promise<unknown> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
    body: JSON.stringify(input),
  });
  const output: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(output));
  return output;
}
