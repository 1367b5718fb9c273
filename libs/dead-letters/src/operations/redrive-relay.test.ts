import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DynamoDBRecord } from 'aws-lambda';
import { eventBody } from '../../fixtures/dead-events.ts';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { insertRecordOf, outboxItem } from '../stream-record.ts';
import type { DrainSummary } from './drain.ts';
import type { Operation } from './redrive.ts';
import { type RelayRepair, type RelaySweep, redriveRelay } from './redrive-relay.ts';
import { reemit } from './reemit.ts';
import { relayServiceOf, StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
let queueName: string;
let relays = 0;
beforeAll(async () => {
  sqs = await startLocalSqs();
});
afterAll(() => sqs.stop());
beforeEach(async () => {
  relays += 1;
  queueName = `millrace-shop${relays}-dev-relay-dlq`;
  await sqs.createQueue(queueName);
});

const refused = { ErrorCode: 'NotAuthorizedForSourceException', FailureKind: 'permanent', Consumer: 'shop.relay' };

/** What Lambda writes about records that it has given up. */
const positions = (first: string, last: string, batchSize: number) =>
  JSON.stringify({
    requestContext: { condition: 'RecordAgeExceeded' },
    DDBStreamBatchInfo: {
      shardId: 'shardId-1',
      startSequenceNumber: '1',
      endSequenceNumber: '9',
      approximateArrivalOfFirstRecord: first,
      approximateArrivalOfLastRecord: last,
      batchSize,
      streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/millrace-shop-dev/stream/1',
    },
  });

/** A service whose bus refuses some events, and whose table has one row. */
function service({ refuses = [] as string[], fails = [] as string[], swept = {} as Partial<RelaySweep> } = {}) {
  const emitted: string[] = [];
  const windows: object[] = [];
  const idOf = (record: DynamoDBRecord) =>
    JSON.parse(record.dynamodb?.NewImage?.outbox?.M?.detail?.S ?? '').metadata.id as string;
  const place = { table: 'millrace-shop-dev', pk: 'ORDER#1', sk: 'OUTBOX#in-table' };
  const repair: RelayRepair = {
    emit: async (records) =>
      records.map((record) => {
        const [id, eventId] = [idOf(record), record.eventID ?? ''];
        if (fails.includes(id)) return { eventId, outcome: 'failed', code: 'InternalFailure' };
        if (refuses.includes(id)) return { eventId, outcome: 'refused', code: 'InvalidArgument' };
        emitted.push(id);
        return { eventId, outcome: 'emitted' };
      }),
    recordAt: async ({ sk }) => {
      if (sk !== place.sk) return undefined;
      const entry = {
        source: 's',
        detailType: 't',
        time: '2026-01-01T00:00:00Z',
        detail: '{"metadata":{"id":"in-table"}}',
      };
      return insertRecordOf(place, outboxItem(place, entry), { eventId: 'row', sequenceNumber: 1, at: new Date() });
    },
    sweep: async (asked, { dryRun, dead }) => {
      windows.push({ asked, dryRun, dead: [...dead] });
      return { inWindow: asked.map(() => 3), missing: 2, ...swept };
    },
  };
  return { repair, emitted, windows, place };
}

async function run(repair: RelayRepair, changes: Partial<Operation> = {}): Promise<DrainSummary> {
  const queues = await StageQueues.load(sqs.client, 'dev');
  const queue = queues.find(queueName);
  return redriveRelay(
    { sqs: sqs.client, queues, queue, select: () => true, startedAt: new Date(), ...changes },
    repair,
  );
}

const left = async () => (await sqs.contents(queueName)).ready.length;

describe('a letter that holds its event', () => {
  test('is emitted by its owner, and gone', async () => {
    await sqs.send(queueName, [
      { body: eventBody('a'), attributes: refused },
      { body: eventBody('b'), attributes: refused },
    ]);
    const { repair, emitted } = service();

    const summary = await run(repair);

    expect(emitted.sort()).toEqual(['a', 'b']);
    expect(summary).toMatchObject({ done: 2, left: 0, failed: 0 });
    expect(summary.outcomes).toEqual([{ text: `emitted by millrace-shop${relays}-dev-relay`, count: 2 }]);
    expect(await left()).toBe(0);
  });

  test('as a dry run stays', async () => {
    await sqs.send(queueName, [{ body: eventBody('a'), attributes: refused }]);
    const { repair, emitted } = service();

    expect((await run(repair, { dryRun: true })).outcomes).toEqual([
      { text: `would go to millrace-shop${relays}-dev-relay`, count: 1 },
    ]);
    expect(emitted).toEqual([]);
    expect(await left()).toBe(1);
  });

  test('that is refused again makes way for its new letter; one that the bus does not take stays', async () => {
    await sqs.send(queueName, [
      { body: eventBody('a'), attributes: refused },
      { body: eventBody('b'), attributes: refused },
    ]);
    const { repair } = service({ refuses: ['a'], fails: ['b'] });

    const summary = await run(repair);

    expect(summary).toMatchObject({ done: 0, left: 2, problem: 'left: the bus did not take it: InternalFailure' });
    expect(summary.outcomes.map(({ text }) => text).sort()).toEqual([
      'left: the bus did not take it: InternalFailure',
      'refused again, and in the queue as a new letter: InvalidArgument',
    ]);
    expect((await sqs.contents(queueName)).ready.map(({ body }) => body)).toEqual([eventBody('b')]);
  });

  test('stays when the relay does not answer', async () => {
    await sqs.send(queueName, [{ body: eventBody('a'), attributes: refused }]);
    const { repair } = service();

    const summary = await run({
      ...repair,
      emit: async () => {
        throw new Error('Rate Exceeded.');
      },
    });

    expect(summary.problem).toBe(`left: millrace-shop${relays}-dev-relay did not answer: Rate Exceeded.`);
    expect(await left()).toBe(1);
  });
});

describe('a letter that names its row', () => {
  test('has it emitted from the table; when it is gone, the letter stays', async () => {
    const { repair, emitted, place } = service();
    await sqs.send(queueName, [
      { body: JSON.stringify({ outboxRow: place }), attributes: refused },
      { body: JSON.stringify({ outboxRow: { ...place, sk: 'OUTBOX#gone' } }), attributes: refused },
    ]);

    const summary = await run(repair);

    expect(emitted).toEqual(['in-table']);
    expect(summary.outcomes).toContainEqual({ text: 'left: its row is not in the table any more', count: 1 });
    expect(await left()).toBe(1);
  });
});

describe('letters that name positions of the stream', () => {
  test('are swept together, each with its own time, and gone when all of it is there', async () => {
    await sqs.send(queueName, [
      { body: positions('2026-01-31T12:00:00Z', '2026-01-31T12:00:10Z', 3) },
      { body: eventBody('own-letter'), attributes: refused },
    ]);
    const { repair, windows } = service();

    const summary = await run(repair);

    expect(windows).toEqual([
      {
        asked: [{ from: new Date('2026-01-31T11:59:00Z'), to: new Date('2026-01-31T12:01:10Z') }],
        dryRun: false,
        dead: ['own-letter'],
      },
    ]);
    expect(summary.outcomes).toContainEqual({
      text: 'swept: 2 events of their time had never been emitted, and are now',
      count: 1,
    });
    expect(await left()).toBe(0);
  });

  test('stay when the table has fewer events of that time, and when the sweep has a problem', async () => {
    await sqs.send(queueName, [{ body: positions('2026-01-31T12:00:00Z', '2026-01-31T12:00:10Z', 4) }]);

    expect((await run(service().repair)).outcomes[0]?.text).toContain(
      'it tells of 4 records, and the table has 3 events',
    );
    expect(await run(service({ swept: { problem: 'the bus did not take an event' } }).repair)).toMatchObject({
      left: 1,
      problem: 'left: the bus did not take an event',
    });
    expect(await left()).toBe(1);
  });
});

test('a letter that does not come from a relay stays', async () => {
  await sqs.send(queueName, [{ body: 'poison' }, { body: '{}' }]);

  expect(await run(service().repair)).toMatchObject({ done: 0, left: 2 });
  expect(await left()).toBe(2);
});

test('letters of a relay are not re-emitted: they were never on the bus', async () => {
  const queues = await StageQueues.load(sqs.client, 'dev');
  const operation = {
    sqs: sqs.client,
    queues,
    queue: queues.find(queueName),
    select: () => true,
    startedAt: new Date(),
  };

  await expect(reemit(operation, { send: async () => ({}) as never })).rejects.toThrow('redrive them');
});

test.each([
  ['millrace-orders-dev-relay-dlq', 'orders'],
  ['millrace-event-log-dev-relay-dlq', 'event-log'],
  ['millrace-orders-dev-on-order-progress-dlq', undefined],
  ['millrace-orders-prod-relay-dlq', undefined],
])('%s is the queue of the relay of %s', (name, expected) => {
  expect(relayServiceOf({ name }, 'dev')).toBe(expected);
});
