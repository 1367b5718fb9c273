import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ManualClock } from '../../core/clock.ts';
import { EventBridge } from './event-bridge.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:orders';
const deadLetterQueue = 'arn:aws:sqs:us-east-1:000000000000:orders-rule-dlq';
const entry = { EventBusName: 'shop', Source: 'shop.orders', DetailType: 'OrderPlaced', Detail: '{"orderId":"o-1"}' };

let dataDirectory: string;
let clock: ManualClock;
/** Payloads that the queue was offered, and whether it takes them. */
let offered: string[];
let takes: boolean;
let dead: Record<string, string>[];
let warnings: string[];
const opened: EventBridge[] = [];

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'deliveries-'));
  clock = new ManualClock(1_000_000);
  offered = [];
  takes = false;
  dead = [];
  warnings = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bridge) => bridge.close()));
  rmSync(dataDirectory, { recursive: true });
});

/** A process on the data directory, with a rule whose target is the queue. */
async function start(): Promise<EventBridge> {
  const bridge = new EventBridge({
    accountId: '000000000000',
    region: 'us-east-1',
    dataDirectory,
    clock,
    retryDelay: () => 1000,
    deliver: async (_target, payload) => {
      offered.push(payload);
      if (!takes) throw new Error('the disk is full');
    },
    sendToDeadLetterQueue: async (_queueArn, _body, attributes) => {
      dead.push(attributes);
    },
    onWarning: (line) => warnings.push(line),
  });
  opened.push(bridge);
  await bridge.declare('CreateEventBus', { Name: 'shop' });
  await bridge.declare('PutRule', { Name: 'placed', EventBusName: 'shop', EventPattern: '{"source":["shop.orders"]}' });
  const RetryPolicy = { MaximumRetryAttempts: 2 };
  const Targets = [{ Id: 'queue', Arn: queue, RetryPolicy, DeadLetterConfig: { Arn: deadLetterQueue } }];
  await bridge.declare('PutTargets', { Rule: 'placed', EventBusName: 'shop', Targets });
  bridge.restore();
  return bridge;
}

test('an event that waits for a retry is delivered by the next process, once', async () => {
  // It is not closed: it was killed.
  const killed = await start();
  await killed.handle('PutEvents', { Entries: [entry] });
  takes = true;
  clock = new ManualClock(clock.now());
  await start();
  await clock.advance(1000);

  expect(offered).toHaveLength(2);
  expect(offered[1]).toBe(offered[0]);
  clock = new ManualClock(clock.now());
  await start();
  await clock.advance(86_400_000);
  expect([offered.length, dead, warnings]).toEqual([2, [], []]);
});

test('attempts before a restart count', async () => {
  const first = await start();
  await first.handle('PutEvents', { Entries: [entry] });
  await clock.advance(1000);
  await first.close();
  clock = new ManualClock(clock.now());
  const second = await start();
  await clock.advance(1000);

  expect(offered).toHaveLength(3);
  expect(dead).toMatchObject([{ EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts', RETRY_ATTEMPTS: '2' }]);
  await second.close();
  clock = new ManualClock(clock.now());
  await start();
  await clock.advance(86_400_000);
  expect([offered.length, dead.length, warnings]).toEqual([3, 1, []]);
});

test('PutEvents fails when an event can neither be delivered nor be kept for a retry', async () => {
  const bridge = await start();
  const other = new DatabaseSync(join(dataDirectory, 'archives.db'));
  other.exec('BEGIN IMMEDIATE');

  await expect(bridge.handle('PutEvents', { Entries: [entry] })).rejects.toThrow('database is locked');
  other.close();
  await expect(bridge.handle('PutEvents', { Entries: [entry] })).resolves.toMatchObject({ FailedEntryCount: 0 });
});
