import { describe, expect, test } from '@jest/globals';
import { defineEvent } from '@millrace/events';
import { RecordingClient } from '@millrace/testing';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import * as z from 'zod';
import { planReplay, type ReplayRequest, startReplay, watchReplay } from './replay.ts';

const busArn = 'arn:aws:events:us-east-1:1:event-bus/millrace-dev';
const ruleArn = (name: string) => `arn:aws:events:us-east-1:1:rule/millrace-dev/${name}`;

function entry(name: string, consumers: [service: string, name: string, replays?: string][]): CatalogueEntry {
  const contract = defineEvent({
    name,
    version: 1,
    service: 'orders',
    category: 'domain',
    type: 'data',
    summary: 'Test.',
    data: z.object({ orderId: z.string() }),
    example: { orderId: 'order-1' },
  });
  return {
    detailType: `${name}.v1`,
    contract,
    producers: [],
    createdIn: [],
    analyticsConsumers: [],
    consumers: consumers.map(([service, name, replays]) => ({
      service,
      function: name,
      file: '',
      key: '',
      ...(replays !== undefined && { replays }),
    })),
  };
}

const catalogue = [
  entry('OrderPlaced', [
    ['inventory', 'onOrderPlaced'],
    ['analytics', 'onOrder', 'rebuild'],
  ]),
  entry('OrderCancelled', [['analytics', 'onOrder', 'rebuild']]),
];

const rules = [
  {
    Name: 'millrace-inventory-dev-on-order-placed',
    EventPattern:
      '{"source":["millrace.orders"],"detail-type":["OrderPlaced.v1"],"detail":{"data":{"orderId":["other"]}}}',
  },
  {
    Name: 'millrace-analytics-dev-on-order',
    EventPattern: '{"source":["millrace.orders"],"detail-type":["OrderPlaced.v1","OrderCancelled.v1"]}',
  },
  { Name: 'millrace-payments-dev-on-stock', EventPattern: '{"source":["millrace.inventory"]}' },
  { Name: 'everything', EventPattern: '{"detail":{"metadata":{"id":[{"exists":true}]}}}' },
  { Name: 'off', EventPattern: '{"source":["millrace.orders"]}', State: 'DISABLED' },
  { Name: 'Events-Archive-1', EventPattern: '{"replay-name":[{"exists":false}]}', ManagedBy: 'events.amazonaws.com' },
].map((rule) => ({ State: 'ENABLED', Arn: ruleArn(rule.Name), ...rule }));

function eventBridge({ archives = ['millrace-dev'], states = [] as object[] } = {}): RecordingClient {
  return new RecordingClient((name, input) => {
    const { NextToken, ArchiveName } = input as { NextToken?: string; ArchiveName?: string };
    switch (name) {
      case 'DescribeEventBusCommand':
        return { Arn: busArn };
      case 'ListArchivesCommand':
        return { Archives: archives.map((name) => ({ ArchiveName: name })) };
      case 'DescribeArchiveCommand':
        return { ArchiveArn: `arn:aws:events:us-east-1:1:archive/${ArchiveName}` };
      case 'ListRulesCommand':
        return NextToken === undefined ? { Rules: rules.slice(0, 3), NextToken: '3' } : { Rules: rules.slice(3) };
      case 'DescribeReplayCommand':
        return states.shift();
      default:
        return {};
    }
  });
}

const request: ReplayRequest = {
  stage: 'dev',
  from: new Date('2026-01-01T10:00:00Z'),
  to: new Date('2026-01-01T12:00:00Z'),
  name: 'replay-1',
};

describe('the plan of a replay', () => {
  test('is every rule that is on, with what its consumer does with replays', async () => {
    const plan = await planReplay(eventBridge(), request, catalogue);
    expect(plan.rules.map(({ name, consumer, replays }) => [name, consumer, replays])).toEqual([
      ['millrace-inventory-dev-on-order-placed', 'inventory.onOrderPlaced', 'ignore'],
      ['millrace-analytics-dev-on-order', 'analytics.onOrder', 'rebuild'],
      ['millrace-payments-dev-on-stock', undefined, undefined],
      ['everything', undefined, undefined],
    ]);
    expect(plan.filtered).toBe(false);
  });

  test('by events is the rules that can match them, whatever they ask of the detail', async () => {
    const names = async (...events: string[]) =>
      (await planReplay(eventBridge(), { ...request, events }, catalogue)).rules.map(({ name, events }) => [
        name,
        events,
      ]);
    expect(await names('OrderPlaced.v1')).toEqual([
      ['millrace-inventory-dev-on-order-placed', ['OrderPlaced.v1']],
      ['millrace-analytics-dev-on-order', ['OrderPlaced.v1']],
      ['everything', ['OrderPlaced.v1']],
    ]);
    expect(await names('OrderCancelled.v1')).toEqual([
      ['millrace-analytics-dev-on-order', ['OrderCancelled.v1']],
      ['everything', ['OrderCancelled.v1']],
    ]);
  });

  test('by rules takes names and consumers', async () => {
    const plan = await planReplay(eventBridge(), { ...request, rules: ['analytics.onOrder', 'everything'] }, catalogue);
    expect(plan.rules.map(({ name }) => name)).toEqual(['millrace-analytics-dev-on-order', 'everything']);
  });

  test.each<[Partial<ReplayRequest>, string[], string]>([
    [{ events: ['OrderPlacd.v1'] }, ['a'], 'No contract defines "OrderPlacd.v1"; did you mean OrderPlaced.v1'],
    [
      { rules: ['analytics.onOrdr'] },
      ['a'],
      'There is no rule "analytics.onOrdr"; did you mean millrace-analytics-dev-on-order',
    ],
    [{ rules: ['millrace-payments-dev-on-stock'], events: ['OrderPlaced.v1'] }, ['a'], 'No rule matches'],
    [{ from: new Date('2026-01-02') }, ['a'], 'must be before --to'],
    [{ name: 'a b' }, ['a'], '--name must be'],
    [{}, [], 'The bus millrace-dev has no archive'],
    [{}, ['a', 'b'], 'several archives: say --archive with one of a, b'],
    [{ archive: 'c' }, ['a', 'b'], 'no archive "c", only a, b'],
  ])('%j with archives %j is refused', async (changes, archives, message) => {
    await expect(planReplay(eventBridge({ archives }), { ...request, ...changes }, catalogue)).rejects.toThrow(message);
  });
});

test('a replay is started with its rules, or without any for all of them', async () => {
  const client = eventBridge();
  await startReplay(client, await planReplay(client, request, catalogue));
  await startReplay(client, await planReplay(client, { ...request, rules: ['everything'] }, catalogue));
  const started = {
    ReplayName: 'replay-1',
    EventSourceArn: 'arn:aws:events:us-east-1:1:archive/millrace-dev',
    EventStartTime: request.from,
    EventEndTime: request.to,
  };
  expect(client.inputs('StartReplayCommand')).toEqual([
    { ...started, Destination: { Arn: busArn } },
    { ...started, Destination: { Arn: busArn, FilterArns: [ruleArn('everything')] } },
  ]);
});

describe('watching a replay', () => {
  test('goes on until it has ended', async () => {
    const lastReplayed = new Date('2026-01-01T11:00:00Z');
    const states = [
      { State: 'STARTING' },
      { State: 'RUNNING', EventLastReplayedTime: lastReplayed },
      { State: 'FAILED', StateReason: 'no target' },
    ];
    const seen: unknown[] = [];
    const signal = new AbortController().signal;
    const last = await watchReplay(eventBridge({ states }), 'replay-1', (state) => seen.push(state), signal, 1);
    expect(seen).toEqual([
      { state: 'STARTING' },
      { state: 'RUNNING', lastReplayed },
      { state: 'FAILED', reason: 'no target' },
    ]);
    expect(last.state).toBe('FAILED');
  });

  test('ends at an interruption', async () => {
    const controller = new AbortController();
    const client = eventBridge({ states: [{ State: 'RUNNING' }] });
    const last = await watchReplay(client, 'replay-1', () => controller.abort(), controller.signal, 60_000);
    expect(last.state).toBe('RUNNING');
  });
});
