import { describe, expect, test } from '@jest/globals';
import type { Lineage } from '../find-lineage.ts';
import { type LineageNode, lineageTree } from '../lineage-tree.ts';
import { drawLineage } from './draw-lineage.ts';
import type { FollowedLineage } from './follow-lineage.ts';
import { type FoundDeadLetter, type Subscription, whereaboutsOf } from './whereabouts.ts';

const queueOf = (name: string, visible = 0): Subscription['queue'] => ({
  ...{ name, url: `http://127.0.0.1/${name}`, arn: `arn:aws:sqs:us-east-1:000000000000:${name}` },
  ...{ fifo: false, visible, inFlight: 0, delayed: 0 },
});

const node = (id: string, service: string, events: LineageNode[] = []): LineageNode => ({
  ...{ id, service, events, detailType: 'OrderPlaced.v1', source: `millrace.${service}`, subject: 'o-1' },
  ...{ correlationId: 'call-1', time: '2026-01-01T00:00:00.000Z', receivedAt: '2026-01-01T00:00:00.000Z' },
});

const letterIn = (queue: string, attributes: Record<string, string> = {}): FoundDeadLetter => ({
  queue,
  letter: {
    ...{ messageId: 'm-1', receiptHandle: 'handle', body: '{}', attributes, origin: 'consumer', receiveCount: 1 },
    reason: { code: 'SOLD_OUT', message: 'No flour', kind: 'permanent', attempts: 1 },
    sentAt: new Date('2026-01-01T00:01:00Z'),
  },
});

const inventory: Subscription = {
  ...{ consumer: 'inventory.onOrderPlaced', service: 'inventory', projects: false },
  queue: queueOf('millrace-inventory-dev-on-order-placed'),
};
const context = { stage: 'dev', now: new Date('2026-01-01T00:05:00Z') };
const unmarked = new Set<string>();
const whereabouts = (event: LineageNode, subscription: Subscription = inventory, ...letters: FoundDeadLetter[]) =>
  whereaboutsOf(event, [subscription], { deadLetters: letters, marked: unmarked }, context);

describe('an event at a consumer', () => {
  test.each([
    ['of the consumer', 'millrace-inventory-dev-on-order-placed-dlq', {}],
    ['of its rule', 'millrace-inventory-dev-on-order-placed-rule-dlq', {}],
    [
      'where letters are parked',
      'millrace-re-emitter-dev-parking',
      { ParkedFrom: 'millrace-inventory-dev-on-order-placed-dlq' },
    ],
  ])('is dead when it stands in the dead-letter queue %s', (_, queue, attributes) => {
    expect(whereabouts(node('e', 'orders'), inventory, letterIn(queue, attributes))).toEqual([
      {
        ...{ consumer: 'inventory.onOrderPlaced', state: 'dead', queue },
        reason: { code: 'SOLD_OUT', message: 'No flour', attempts: 1, sentAt: '2026-01-01T00:01:00.000Z' },
      },
    ]);
  });

  test('is told with what it died of before it was parked', () => {
    const cause = { CauseCode: 'TIMEOUT', CauseMessage: 'No answer' };

    expect(
      whereabouts(node('e', 'orders'), inventory, letterIn('millrace-re-emitter-dev-parking', cause)),
    ).toMatchObject([
      { reason: { cause: { code: 'TIMEOUT', message: 'No answer' } } },
      { consumer: 'inventory.onOrderPlaced', state: 'no-trace' },
    ]);
  });

  test('is dead, whatever came of it at another time', () => {
    const letter = letterIn('millrace-inventory-dev-on-order-placed-dlq');

    expect(whereabouts(node('e', 'orders', [node('f', 'inventory')]), inventory, letter)).toMatchObject([
      { state: 'dead' },
    ]);
  });

  test('may be waiting as long as the queue is not empty and nothing has come of it', () => {
    const busy = { ...inventory, queue: queueOf('queue', 3) };

    expect(whereabouts(node('e', 'orders'), busy)).toMatchObject([{ state: 'waiting', queue: 'queue', messages: 3 }]);
    expect(whereabouts(node('e', 'orders', [node('f', 'inventory')]), busy)).toMatchObject([{ state: 'handled' }]);
    const payments = { ...busy, consumer: 'payments.onOrderPlaced', service: 'payments' };
    const both = { deadLetters: [], marked: unmarked };
    expect(whereaboutsOf(node('e', 'orders', [node('f', 'payments')]), [busy, payments], both, context)).toMatchObject([
      { state: 'waiting' },
      { state: 'handled' },
    ]);
  });

  test('is handled when the consumer has left its mark, whatever is in the queue', () => {
    const marked = new Set([inventory.consumer]);
    const busy = { ...inventory, queue: queueOf('queue', 3) };

    for (const subscription of [inventory, busy, { ...inventory, queue: undefined }]) {
      expect(whereaboutsOf(node('e', 'orders'), [subscription], { deadLetters: [], marked }, context)).toEqual([
        { consumer: inventory.consumer, state: 'handled' },
      ]);
    }
  });

  test('has left no trace when there is neither mark, effect, letter nor message', () => {
    expect(whereabouts(node('e', 'orders'))).toEqual([{ consumer: inventory.consumer, state: 'no-trace' }]);
  });

  test('of which no mark can be left any more has no trace, and says why', () => {
    const old = { ...node('e', 'orders'), time: '2025-12-01T00:00:00.000Z' };

    expect(whereabouts(old)).toEqual([{ consumer: inventory.consumer, state: 'no-trace', expired: true }]);
  });

  test('is not proved handled by what another consumer of the service may have emitted', () => {
    const event = node('e', 'orders', [node('f', 'inventory')]);
    const other = { ...inventory, consumer: 'inventory.onOrderPlacedToo' };

    expect(whereaboutsOf(event, [inventory, other], { deadLetters: [], marked: unmarked }, context)).toMatchObject([
      { state: 'no-trace' },
      { state: 'no-trace' },
    ]);
  });

  test('is handled when anything has come of it and nobody else takes it', () => {
    const start = { ...inventory, consumer: 'checkout.onStartCheckout', service: 'checkout' };
    expect(whereabouts(node('e', 'checkout', [node('f', 'orders')]), start)).toMatchObject([{ state: 'handled' }]);
  });

  test('has a consumer that is not deployed', () => {
    expect(whereabouts(node('e', 'orders'), { ...inventory, queue: undefined })).toMatchObject([{ state: 'absent' }]);
  });
});

test('a lineage is drawn with what went wrong, and how each branch ended', () => {
  const events = [
    node('e-1', 'orders'),
    { ...node('e-2', 'inventory'), causationId: 'e-1', time: '2026-01-01T00:00:00.160Z' },
    { ...node('e-3', 'payments'), causationId: 'gone', time: '2026-01-01T00:00:00.170Z', subject: 'Ada Example' },
  ];
  const lineage: Lineage = { id: 'o-1', count: 3, truncated: false, trees: [lineageTree('call-1', events)] };
  const reason = { code: 'SOLD_OUT', message: 'No \u001b[31mflour', attempts: 5, sentAt: '2026-01-01T00:01:00.000Z' };
  const followed: FollowedLineage = {
    whereabouts: new Map([
      [
        'e-1',
        [
          { consumer: 'a.b', state: 'dead', queue: 'q-dlq', reason },
          { consumer: 'a.c', state: 'handled' },
          { consumer: 'a.f', state: 'no-trace' },
        ],
      ],
      [
        'e-2',
        [
          { consumer: 'a.d', state: 'waiting', queue: 'q', messages: 1 },
          { consumer: 'a.e', state: 'handled' },
          { consumer: 'a.g', state: 'no-trace', expired: true },
        ],
      ],
    ]),
    strays: [{ queue: 'x-dlq', reason: { ...reason, attempts: 1 } }],
    unseen: [],
    silentRelays: [],
    stoppedExecutions: [{ queue: 'executions-dlq', name: 'o-1', status: 'FAILED' }],
  };

  expect(drawLineage(lineage, followed).split('\n')).toEqual([
    'call-1  2026-01-01T00:00:00.000Z, for 170 ms',
    '├─ OrderPlaced.v1  orders  +0 ms  e-1  about o-1',
    '│  ├─ ✗ a.b: dead in q-dlq: SOLD_OUT after 5 attempts: No  [31mflour',
    '│  ├─ ? a.f: no trace',
    '│  └─ OrderPlaced.v1  inventory  +160 ms  e-2  about o-1',
    '│     ├─ ? a.d: maybe waiting in q (1 message)',
    '│     ├─ ✓ a.e: handled',
    '│     └─ ? a.g: no trace, and its mark would have expired',
    '└─ OrderPlaced.v1  payments  +170 ms  e-3  about (no identifier)  (its cause gone is not in the log)',
    '✗ a message, not in the log: dead in x-dlq: SOLD_OUT after 1 attempt: No  [31mflour',
    '✗ the execution o-1 has stopped (FAILED): npm run redrive -- inspect executions-dlq',
  ]);
});
