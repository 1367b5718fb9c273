import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventBridge, type EventBridgeOptions } from './event-bridge.ts';

const arn = (resource: string) => `arn:aws:events:us-east-1:000000000000:${resource}`;
const busArn = arn('event-bus/shop');
const minute = 60_000;
const start = Date.parse('2026-03-01T10:00:00Z');

interface Delivered {
  queue: string;
  event: Record<string, unknown> & { id: string; detail: { n: number }; time: string };
}

let directory: string;
let clock: number;
let delivered: Delivered[];
let warnings: string[];
let hold: ((event: Delivered) => Promise<void> | undefined) | undefined;
const opened: EventBridge[] = [];
let eventBridge: EventBridge;

function open(options: Partial<EventBridgeOptions> = {}): EventBridge {
  const bridge = new EventBridge({
    accountId: '000000000000',
    region: 'us-east-1',
    deliver: async ({ Arn }, payload) => {
      const delivery = { queue: Arn.replace(/.*:/, ''), event: JSON.parse(payload) };
      await hold?.(delivery);
      delivered.push(delivery);
    },
    sendToDeadLetterQueue: async () => {},
    onWarning: (line) => void warnings.push(line),
    clock: { now: () => clock, setTimer: () => ({ cancel: () => {} }), sleep: async () => {} },
    ...options,
  });
  opened.push(bridge);
  return bridge;
}

async function addBus(bridge: EventBridge, name = 'shop'): Promise<void> {
  await bridge.handle('CreateEventBus', { Name: name });
}

async function addRule(bridge: EventBridge, Name: string, EventPattern: string): Promise<void> {
  await bridge.handle('PutRule', { Name, EventBusName: 'shop', EventPattern });
  const Targets = [{ Id: '1', Arn: `arn:aws:sqs:us-east-1:000000000000:${Name}` }];
  await bridge.handle('PutTargets', { EventBusName: 'shop', Rule: Name, Targets });
}

const call = <Output = Record<string, unknown>>(operation: string, input: Record<string, unknown> = {}) =>
  eventBridge.handle(operation, input) as Promise<Output>;
const createArchive = (input: Record<string, unknown> = {}) =>
  call('CreateArchive', { ArchiveName: 'all', EventSourceArn: busArn, ...input });
const describeArchive = (ArchiveName = 'all') => call('DescribeArchive', { ArchiveName });
const describeReplay = (ReplayName = 'again') => call('DescribeReplay', { ReplayName });
const startReplay = (input: Record<string, unknown> = {}) =>
  call('StartReplay', {
    ReplayName: 'again',
    EventSourceArn: arn('archive/all'),
    EventStartTime: start / 1000,
    EventEndTime: (start + 60 * minute) / 1000,
    Destination: { Arn: busArn },
    ...input,
  });

/** Puts events with these numbers, each with the time it is said to have happened at. */
async function put(events: [n: number, time?: number][], DetailType = 'Placed'): Promise<void> {
  for (const [n, time = start] of events) {
    const Entries = [
      {
        EventBusName: 'shop',
        Source: 'shop.orders',
        DetailType,
        Detail: `{"n":${n}, "exact": 1.0}`,
        Time: time / 1000,
        Resources: ['arn:r'],
        TraceHeader: 'Root=1-00000000-000000000000000000000000',
      },
    ];
    await call('PutEvents', { Entries });
  }
  delivered.splice(0);
}

const numbers = (queue = 'all') =>
  delivered.filter((delivery) => delivery.queue === queue).map(({ event }) => event.detail.n);

async function ended(ReplayName = 'again'): Promise<Record<string, unknown>> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const replay = await describeReplay(ReplayName);
    if (!/STARTING|RUNNING|CANCELLING/.test(String(replay.State))) return replay;
    if (Date.now() > deadline) throw new Error(`The replay is still ${replay.State}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  clock = start;
  delivered = [];
  warnings = [];
  hold = undefined;
  eventBridge = open();
  await addBus(eventBridge);
  await addRule(eventBridge, 'all', '{"source":[{"prefix":"shop."}]}');
});
afterEach(async () => {
  for (const bridge of opened.splice(0)) await bridge.close();
  rmSync(directory, { recursive: true });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
describe('an archive', () => {
  test('is created, described, changed, listed and deleted', async () => {
    const created = { ArchiveArn: arn('archive/all'), State: 'ENABLED', CreationTime: start / 1000 };
    const EventPattern = '{"detail-type":["Placed"]}';
    expect(await createArchive({ EventPattern, RetentionDays: 7, Description: 'd' })).toEqual(created);
    const listed = {
      ArchiveName: 'all',
      EventSourceArn: busArn,
      State: 'ENABLED',
      RetentionDays: 7,
      SizeBytes: 0,
      EventCount: 0,
      CreationTime: start / 1000,
    };
    expect(await describeArchive()).toEqual({
      ...listed,
      ArchiveArn: arn('archive/all'),
      EventPattern,
      Description: 'd',
    });
    clock += minute;
    expect(await call('UpdateArchive', { ArchiveName: 'all', RetentionDays: 0 })).toEqual(created);
    expect(await describeArchive()).toMatchObject({ RetentionDays: 0, EventPattern, Description: 'd' });
    expect(await call('ListArchives')).toEqual({ Archives: [{ ...listed, RetentionDays: 0 }] });
    expect(await call('DeleteArchive', { ArchiveName: 'all' })).toEqual({});
    expect(await call('ListArchives')).toEqual({ Archives: [] });
  });

  test('has what has matched it since it was created, and no replayed event', async () => {
    await put([[1]]);
    await createArchive({ EventPattern: '{"detail-type":["Placed"]}\n' });
    await put([[2], [3]]);
    await put([[4]], 'Lost');
    const bytes = Buffer.byteLength(
      JSON.stringify({
        version: '0',
        id: '00000000-0000-0000-0000-000000000000',
        'detail-type': 'Placed',
        source: 'shop.orders',
        account: '000000000000',
        time: '2026-03-01T10:00:00Z',
        region: 'us-east-1',
        resources: ['arn:r'],
        detail: '',
      }),
    );
    expect(await describeArchive()).toMatchObject({
      EventCount: 2,
      SizeBytes: 2 * (bytes - 2 + '{"n":2, "exact": 1.0}'.length),
    });
    await startReplay();
    await ended();
    expect(numbers().sort()).toEqual([2, 3]);
    expect(await describeArchive()).toMatchObject({ EventCount: 2 });
    await call('UpdateArchive', { ArchiveName: 'all', EventPattern: '{"detail-type":["Lost"]}' });
    await put([[5]]);
    await put([[6]], 'Lost');
    expect(await describeArchive()).toMatchObject({ EventCount: 3 });
  });

  test('forgets events after its retention, and everything when it is deleted', async () => {
    await createArchive({ RetentionDays: 1 });
    await put([[1]]);
    clock += 86_400_000;
    await put([[2]]);
    expect(await describeArchive()).toMatchObject({ EventCount: 2 });
    clock += 1;
    expect(await describeArchive()).toMatchObject({ EventCount: 1 });
    await call('DeleteArchive', { ArchiveName: 'all' });
    await createArchive();
    expect(await describeArchive()).toMatchObject({ EventCount: 0 });
  });

  test('is a managed rule of its bus', async () => {
    await createArchive({ EventPattern: '{"source":["shop.orders"]}' });
    const rule = { EventBusName: 'shop', Name: 'Events-Archive-all' };
    expect(await call('DescribeRule', rule)).toMatchObject({
      EventPattern: '{"source":["shop.orders"],"replay-name":[{"exists":false}]}',
      ManagedBy: 'prod.vhs.events.aws.internal',
    });
    const target = { EventBusName: 'shop', Rule: 'Events-Archive-all' };
    for (const [operation, input] of [
      ['PutRule', { ...rule, EventPattern: '{"source":["x"]}' }],
      ['DeleteRule', rule],
      ['DisableRule', rule],
      ['EnableRule', rule],
      ['PutTargets', { ...target, Targets: [{ Id: '1', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }] }],
      ['RemoveTargets', { ...target, Ids: ['1'] }],
    ] as const) {
      await expect(call(operation, input)).rejects.toMatchObject({ code: 'ManagedRuleException' });
    }
    await expect(call('DeleteEventBus', { Name: 'shop' })).rejects.toMatchObject({ code: 'ValidationException' });
    await call('DeleteArchive', { ArchiveName: 'all' });
    await expect(call('DescribeRule', rule)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['no name', { ArchiveName: undefined }, 'ValidationException', "'archiveName'"],
    ['a long name', { ArchiveName: 'a'.repeat(49) }, 'ValidationException', 'less than or equal to 48'],
    ['no source', { EventSourceArn: undefined }, 'ValidationException', "'eventSourceArn'"],
    [
      'a bus that is not there',
      { EventSourceArn: arn('event-bus/x') },
      'ResourceNotFoundException',
      'Event bus x does not exist.',
    ],
    [
      'a name that is taken',
      { ArchiveName: 'taken' },
      'ResourceAlreadyExistsException',
      'Archive taken already exists.',
    ],
    ['a bad pattern', { EventPattern: '{"a":1}' }, 'InvalidEventPatternException', 'Event pattern is not valid'],
    ['a negative retention', { RetentionDays: -1 }, 'ValidationException', 'greater than or equal to 0'],
  ])('with %s is refused', async (_what, input, code, message) => {
    await createArchive({ ArchiveName: 'taken' });
    await expect(createArchive(input)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test.each(['DescribeArchive', 'UpdateArchive', 'DeleteArchive'])('%s of one that is not there', async (operation) => {
    await expect(call(operation, { ArchiveName: 'x' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Archive x does not exist.',
    });
  });

  test('lists are filtered by one thing at a time', async () => {
    await addBus(eventBridge, 'other');
    await createArchive({ ArchiveName: 'a-1' });
    await createArchive({ ArchiveName: 'b-1', EventSourceArn: arn('event-bus/other') });
    const names = async (filter: object) =>
      (await call<{ Archives: { ArchiveName: string }[] }>('ListArchives', { ...filter })).Archives.map(
        ({ ArchiveName }) => ArchiveName,
      );
    expect(await names({ NamePrefix: 'a' })).toEqual(['a-1']);
    expect(await names({ EventSourceArn: arn('event-bus/other') })).toEqual(['b-1']);
    expect(await names({ State: 'ENABLED' })).toEqual(['a-1', 'b-1']);
    expect(await names({ State: 'DISABLED' })).toEqual([]);
    await expect(names({ State: 'ON' })).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(names({ State: 'ENABLED', NamePrefix: 'a' })).rejects.toMatchObject({
      message: expect.stringContaining('At most one filter is allowed for ListArchives'),
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
describe('a replay', () => {
  beforeEach(() => createArchive());

  test('puts the events of its range on the bus again, with its name and a new id', async () => {
    const originals: string[] = [];
    hold = ({ event }) => {
      originals.push(event.id);
      return undefined;
    };
    await put([
      [1, start - 1],
      [2, start],
      [3, start + 60 * minute - 1],
      [4, start + 60 * minute],
    ]);
    hold = undefined;
    clock += minute;
    expect(await startReplay({ Description: 'd' })).toEqual({
      ReplayArn: arn('replay/again'),
      State: 'STARTING',
      ReplayStartTime: clock / 1000,
    });
    expect(await ended()).toEqual({
      ReplayName: 'again',
      ReplayArn: arn('replay/again'),
      Description: 'd',
      State: 'COMPLETED',
      EventSourceArn: arn('archive/all'),
      Destination: { Arn: busArn },
      EventStartTime: start / 1000,
      EventEndTime: (start + 60 * minute) / 1000,
      EventLastReplayedTime: (start + 60 * minute - 1) / 1000,
      ReplayStartTime: clock / 1000,
      ReplayEndTime: clock / 1000,
    });
    expect(delivered).toEqual([
      {
        queue: 'all',
        event: {
          version: '0',
          id: expect.any(String),
          'detail-type': 'Placed',
          source: 'shop.orders',
          account: '000000000000',
          time: '2026-03-01T10:00:00Z',
          region: 'us-east-1',
          'replay-name': 'again',
          resources: ['arn:r'],
          detail: { n: 2, exact: 1 },
        },
      },
      { queue: 'all', event: expect.objectContaining({ time: '2026-03-01T10:59:59Z', detail: { n: 3, exact: 1 } }) },
    ]);
    expect(originals).not.toContain(delivered[0]?.event.id);
  });

  test('leaves detail byte for byte, and the trace header out', async () => {
    const seen: [string, string | undefined][] = [];
    eventBridge = open({
      deliver: async (_target, payload, { traceHeader }) => {
        seen.push([payload, traceHeader]);
      },
    });
    await addBus(eventBridge);
    await addRule(eventBridge, 'all', '{"source":["shop.orders"]}');
    await createArchive();
    await put([[1]]);
    await startReplay();
    await ended();
    expect(seen).toEqual([
      [expect.stringContaining('"detail":{"n":1, "exact": 1.0}}'), 'Root=1-00000000-000000000000000000000000'],
      [expect.stringContaining('"detail":{"n":1, "exact": 1.0}}'), undefined],
    ]);
  });

  test('goes minute by minute of the events’ own time, without an order in a minute', async () => {
    const later = Array.from({ length: 60 }, (_, n): [number, number] => [n, start + minute + n]);
    const earlier = Array.from({ length: 60 }, (_, n): [number, number] => [100 + n, start + n]);
    await put([...later, ...earlier]);
    await startReplay();
    await ended();
    const [first, second] = [numbers().slice(0, 60), numbers().slice(60)];
    expect(first.toSorted((a, b) => a - b)).toEqual(earlier.map(([n]) => n));
    expect(second.toSorted((a, b) => a - b)).toEqual(later.map(([n]) => n));
    expect(first).not.toEqual(earlier.map(([n]) => n));
    expect(first).not.toEqual(earlier.map(([n]) => n).reverse());
  });

  test('goes to all rules that match, or to those named', async () => {
    await addRule(eventBridge, 'replayed', '{"replay-name":["again"]}');
    await addRule(eventBridge, 'live', '{"source":["shop.orders"],"replay-name":[{"exists":false}]}');
    await put([[1]]);
    await startReplay();
    await ended();
    expect(delivered.map(({ queue }) => queue).sort()).toEqual(['all', 'replayed']);
    delivered.splice(0);
    const FilterArns = ['live', 'replayed'].map((name) => arn(`rule/shop/${name}`));
    await startReplay({ ReplayName: 'twice', Destination: { Arn: busArn, FilterArns } });
    expect(await ended('twice')).toMatchObject({ Destination: { FilterArns } });
    expect(delivered).toEqual([]);
    await startReplay({ ReplayName: 'thrice', Destination: { Arn: busArn, FilterArns: [arn('rule/shop/all')] } });
    await ended('thrice');
    expect(delivered.map(({ queue }) => queue)).toEqual(['all']);
  });

  test('delivers ten events at a time, and says how far it is', async () => {
    await put(Array.from({ length: 25 }, (_, n): [number, number] => [n, start + n]));
    await put([[99, start + 5 * minute]]);
    const waiting: (() => void)[] = [];
    hold = () => new Promise((resolve) => waiting.push(resolve));
    await startReplay();
    const released = async (count: number) => {
      for (let turn = 0; turn < 50 && waiting.length < count; turn += 1) await new Promise(setImmediate);
      const batch = waiting.splice(0);
      for (const release of batch) release();
      return batch.length;
    };
    expect(await released(11)).toBe(10);
    expect(await describeReplay()).toMatchObject({ State: 'RUNNING' });
    expect(await released(11)).toBe(10);
    expect(await released(11)).toBe(5);
    expect(await released(2)).toBe(1);
    expect(await ended()).toMatchObject({ State: 'COMPLETED', EventLastReplayedTime: start / 1000 + 300 });
  });

  test('is cancelled', async () => {
    await put(Array.from({ length: 50 }, (_, n): [number] => [n]));
    await startReplay();
    expect(await call('CancelReplay', { ReplayName: 'again' })).toEqual({
      ReplayArn: arn('replay/again'),
      State: 'CANCELLING',
    });
    expect(await ended()).toMatchObject({ State: 'CANCELLED', ReplayEndTime: clock / 1000 });
    expect(delivered).toEqual([]);
    await expect(call('CancelReplay', { ReplayName: 'again' })).rejects.toMatchObject({
      code: 'IllegalStatusException',
      message: 'Replay again is not in a valid state for this operation.',
    });
  });

  test('in the middle, too', async () => {
    await put(Array.from({ length: 50 }, (_, n): [number] => [n]));
    hold = async () => {
      if (delivered.length === 20) await call('CancelReplay', { ReplayName: 'again' });
    };
    await startReplay();
    expect(await ended()).toMatchObject({ State: 'CANCELLED' });
    expect(delivered.length).toBeGreaterThan(19);
    expect(delivered.length).toBeLessThan(50);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['no name', { ReplayName: undefined }, 'ValidationException', "'replayName'"],
    ['a name that is taken', { ReplayName: 'taken' }, 'ResourceAlreadyExistsException', 'Replay taken already exists.'],
    ['no start', { EventStartTime: undefined }, 'ValidationException', "'eventStartTime'"],
    [
      'an end that is not a time',
      { EventEndTime: 'soon' },
      'SerializationException',
      'EventEndTime must be a timestamp',
    ],
    [
      'an end before its start',
      { EventEndTime: start / 1000 },
      'ValidationException',
      'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.',
    ],
    [
      'an archive that is not there',
      { EventSourceArn: arn('archive/x') },
      'ValidationException',
      'Parameter EventSourceArn is not valid. Reason: Archive x does not exist.',
    ],
    ['no destination', { Destination: undefined }, 'ValidationException', "'arn'"],
    [
      'a bus that is not there',
      { Destination: { Arn: arn('event-bus/x') } },
      'ResourceNotFoundException',
      'Event bus x does not exist.',
    ],
    [
      'another bus',
      { Destination: { Arn: arn('event-bus/default') } },
      'ValidationException',
      'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.',
    ],
    [
      'a rule that is not there',
      { Destination: { Arn: busArn, FilterArns: [arn('rule/shop/x')] } },
      'ResourceNotFoundException',
      'rule/shop/x does not exist',
    ],
  ])('with %s is refused', async (_what, input, code, message) => {
    await startReplay({ ReplayName: 'taken' });
    await ended('taken');
    await expect(startReplay(input)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('is one of ten at most', async () => {
    await put([[1]]);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    hold = () => held;
    for (let index = 0; index < 10; index += 1) await startReplay({ ReplayName: `r-${index}` });
    await expect(startReplay({ ReplayName: 'r-10' })).rejects.toMatchObject({ code: 'LimitExceededException' });
    release();
    for (let index = 0; index < 10; index += 1) await ended(`r-${index}`);
    await startReplay({ ReplayName: 'r-10' });
    await ended('r-10');
    const { Replays, NextToken } = await call<{ Replays: { ReplayName: string }[]; NextToken: string }>('ListReplays', {
      NamePrefix: 'r-',
      Limit: 2,
    });
    expect(Replays.map(({ ReplayName }) => ReplayName)).toEqual(['r-0', 'r-1']);
    const rest = await call<{ Replays: unknown[] }>('ListReplays', { NamePrefix: 'r-', NextToken });
    expect(rest.Replays).toHaveLength(9);
    expect(await call('ListReplays', { State: 'FAILED' })).toEqual({ Replays: [] });
    expect(await call('ListReplays', { EventSourceArn: arn('archive/all') })).toMatchObject({
      Replays: expect.arrayContaining([expect.objectContaining({ State: 'COMPLETED' })]),
    });
  });

  test.each(['DescribeReplay', 'CancelReplay'])('%s of one that is not there', async (operation) => {
    await expect(call(operation, { ReplayName: 'x' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Replay x does not exist.',
    });
  });
});

describe('in a file', () => {
  async function restart({ killed = false } = {}): Promise<void> {
    if (!killed) await eventBridge.close();
    eventBridge = open({ dataDirectory: directory });
    await addBus(eventBridge);
    await addRule(eventBridge, 'all', '{"source":["shop.orders"]}');
  }
  beforeEach(() => restart());

  test.each([false, true])(
    'an archive of the same name and bus goes on with its events (killed: %s)',
    async (killed) => {
      await createArchive();
      await put([[1], [2]]);
      clock += minute;
      await restart({ killed });
      expect(await createArchive()).toMatchObject({ CreationTime: start / 1000 });
      expect(await describeArchive()).toMatchObject({ EventCount: 2 });
      await startReplay();
      await ended();
      expect(numbers().sort()).toEqual([1, 2]);
    },
  );

  test('a replay whose state cannot be written fails, with a warning', async () => {
    await createArchive();
    await put([[1]]);
    using other = new DatabaseSync(join(directory, 'archives.db'));
    hold = () => {
      // As on a full disk, nothing can be written.
      other.exec('BEGIN IMMEDIATE');
      return undefined;
    };
    await startReplay();
    expect(await ended()).toMatchObject({
      State: 'FAILED',
      StateReason: expect.stringContaining('database is locked'),
    });
    expect(warnings).toEqual(['The end of replay again could not be recorded: database is locked']);
  });

  test('an archive of another bus begins anew', async () => {
    await createArchive();
    await put([[1]]);
    await restart();
    await createArchive({ EventSourceArn: arn('event-bus/default') });
    expect(await describeArchive()).toMatchObject({ EventCount: 0 });
  });

  test.each([false, true])(
    'replays are known after a restart; one that was running has failed (killed: %s)',
    async (killed) => {
      await createArchive();
      await put([[1]]);
      await startReplay();
      await ended();
      hold = () => new Promise(() => {});
      await startReplay({ ReplayName: 'cut-short' });
      await restart({ killed });
      expect(await describeReplay()).toMatchObject({ State: 'COMPLETED', EventLastReplayedTime: start / 1000 });
      expect(await describeReplay('cut-short')).toMatchObject({
        State: 'FAILED',
        StateReason: 'The process that ran the replay has ended.',
        ReplayEndTime: clock / 1000,
      });
    },
  );
});
