import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, PutCommand } from '@millrace/aws';
import { DuplicateEventError, PermanentError } from '@millrace/errors';
import { defineEvent } from '@millrace/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import * as z from 'zod';
import { commit, inboxKey, rowRunner, type Table } from './index.ts';

/** A locker is opened once and closed once; what is in it is its own affair. */
interface Locker {
  status: 'OPEN' | 'CLOSED';
  uses: number;
}
type Command = { type: 'Open' } | { type: 'Use' } | { type: 'Close' };
type Event = { type: 'Opened' } | { type: 'Used' } | { type: 'Closed' };

const LockerChanged = defineEvent({
  name: 'LockerChanged',
  version: 1,
  service: 'lockers',
  category: 'domain',
  type: 'data',
  summary: 'A locker was opened or closed.',
  data: z.object({ status: z.string(), uses: z.number() }),
  example: { status: 'OPEN', uses: 0 },
});

class ClosedError extends PermanentError {
  constructor() {
    super('LOCKER_CLOSED', 'The locker is closed');
  }
}

const decide = ({ type }: Command, locker: Locker | undefined): Event[] => {
  if (locker?.status === 'CLOSED' && type === 'Use') throw new ClosedError();
  if (type === 'Open') return locker ? [] : [{ type: 'Opened' }];
  if (type === 'Use') return [{ type: 'Used' }];
  return locker?.status === 'OPEN' ? [{ type: 'Used' }, { type: 'Closed' }] : [];
};
const evolve = (locker: Locker = { status: 'OPEN', uses: 0 }, { type }: Event): Locker => ({
  status: type === 'Closed' ? 'CLOSED' : locker.status,
  uses: locker.uses + (type === 'Used' ? 1 : 0),
});
const key = (id: string) => ({ pk: `LOCKER#${id}`, sk: 'LOCKER' });

let dynamoDb: TestDynamoDb;
let table: Table;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('lockers');
  table = { client: documentClient(), name: 'lockers' };
});
afterAll(() => dynamoDb.stop());

/** As many as there are containers. `send` runs before each request. */
const newLockers = (send: () => Promise<void> = async () => {}) => {
  const client = {
    send: async (command: Parameters<typeof table.client.send>[0]) => {
      await send();
      return table.client.send(command as never);
    },
  } as unknown as typeof table.client;
  return rowRunner<Locker, Command, Event>({
    table: { client, name: table.name },
    key,
    decide,
    evolve,
    publish: ({ type }, { status, uses }, context) =>
      type === 'Used' ? undefined : LockerChanged.create({ status, uses }, context),
  });
};

const cause = { correlationId: 'correlation-1', causationId: 'event-1' };
const inbox = () => ({ consumer: 'lockers.test', eventId: randomUUID() });

/** What the relay would emit about a row, in its order. */
const emitted = (id: string) => storedEvents(table.name, id);

describe('a row', () => {
  test('that does not exist has no state', async () => {
    expect(await newLockers().load('nothing')).toEqual({ id: 'nothing', state: undefined, version: 0, sequence: 0 });
  });

  test('keeps the state after each command, and counts what it has told the bus', async () => {
    const id = randomUUID();
    const lockers = newLockers();
    await lockers.execute(id, { type: 'Open' }, { ...cause, inbox: inbox() });
    await lockers.execute(id, { type: 'Use' }, cause);

    const after = await lockers.execute(id, { type: 'Close' }, cause);

    expect(after).toEqual({ id, state: { status: 'CLOSED', uses: 2 }, version: 3, sequence: 2 });
    expect(await newLockers().load(id)).toEqual(after);
    expect(await emitted(id)).toMatchObject([
      { metadata: { ...cause, subject: id, sequence: 1 }, data: { status: 'OPEN', uses: 0 } },
      { metadata: { ...cause, subject: id, sequence: 2 }, data: { status: 'CLOSED', uses: 2 } },
    ]);
  });

  test('that was written without a version is replaced like any other', async () => {
    const id = randomUUID();
    await table.client.send(new PutCommand({ TableName: table.name, Item: { ...key(id), status: 'OPEN', uses: 7 } }));

    await newLockers().execute(id, { type: 'Use' }, cause);

    expect(await newLockers().load(id)).toMatchObject({ state: { status: 'OPEN', uses: 8 }, version: 1 });
  });
});

describe('a command', () => {
  test('has its effect once for an event that comes twice', async () => {
    const id = randomUUID();
    const event = inbox();
    await newLockers().execute(id, { type: 'Use' }, { ...cause, inbox: event });

    await expect(newLockers().execute(id, { type: 'Use' }, { ...cause, inbox: event })).rejects.toThrow(
      DuplicateEventError,
    );
    expect((await newLockers().load(id)).state).toMatchObject({ uses: 1 });
  });

  test('keeps what follows from its event in the row of the mark, and what more follows beside the state', async () => {
    const id = randomUUID();
    const event = inbox();
    const lockers = newLockers();
    const { writes } = lockers.plan(await lockers.load(id), [{ type: 'Opened' }, { type: 'Closed' }], {
      ...cause,
      inbox: event,
    });
    await commit(table.client, writes);

    const rows = writes.map(({ write }) => write.Put?.Item ?? {});
    expect(rows.filter(({ outbox }) => outbox).map(({ pk, sk }) => [pk, sk.slice(0, 7)])).toEqual([
      [`LOCKER#${id}`, 'OUTBOX#'],
      [inboxKey(event).pk, 'INBOX'],
    ]);
    expect(rows).toHaveLength(3);
    expect(await emitted(id)).toMatchObject([
      { metadata: { sequence: 1 }, data: { status: 'OPEN' } },
      { metadata: { sequence: 2 }, data: { status: 'CLOSED' } },
    ]);
  });

  test('marks its event as handled when nothing follows, and writes nothing without an event', async () => {
    const id = randomUUID();
    const event = inbox();
    const lockers = newLockers();
    await lockers.execute(id, { type: 'Close' }, { ...cause, inbox: event });
    await lockers.execute(id, { type: 'Close' }, cause);

    expect(await lockers.load(id)).toMatchObject({ state: undefined, version: 0 });
    await expect(lockers.execute(id, { type: 'Close' }, { ...cause, inbox: event })).rejects.toThrow(
      DuplicateEventError,
    );
  });

  test('that is refused writes nothing, not even the mark', async () => {
    const id = randomUUID();
    const event = inbox();
    const lockers = newLockers();
    await lockers.execute(id, { type: 'Open' }, cause);
    await lockers.execute(id, { type: 'Close' }, cause);

    for (const _ of [1, 2]) {
      await expect(lockers.execute(id, { type: 'Use' }, { ...cause, inbox: event })).rejects.toThrow(ClosedError);
    }
    expect(await lockers.load(id)).toMatchObject({ version: 2 });
  });

  test('loses no update when eight come at once', async () => {
    const id = randomUUID();

    await Promise.all(Array.from({ length: 8 }, () => newLockers().execute(id, { type: 'Use' }, cause)));

    expect(await newLockers().load(id)).toMatchObject({ state: { uses: 8 }, version: 8 });
  });

  test('on a row that is assumed to be new reads it only when it is there', async () => {
    const id = randomUUID();
    let requests = 0;
    const lockers = newLockers(async () => {
      requests += 1;
    });
    await lockers.execute(id, { type: 'Open' }, { ...cause, assumeNew: true });
    expect(requests).toBe(1);

    const again = await lockers.execute(id, { type: 'Open' }, { ...cause, assumeNew: true });

    expect(again).toMatchObject({ state: { status: 'OPEN' }, version: 1 });
    expect(await emitted(id)).toHaveLength(1);
  });
});

describe('events on a loaded row', () => {
  test('are refused when another writer was faster', async () => {
    const id = randomUUID();
    const lockers = newLockers();
    const row = await lockers.load(id);
    const after = await lockers.record(row, [{ type: 'Opened' }], cause);

    await expect(lockers.record(row, [{ type: 'Opened' }], cause)).rejects.toMatchObject({
      code: 'CONCURRENCY_CONFLICT',
      message: expect.stringContaining(`LOCKER#${id}`),
    });
    expect(await lockers.record(after, [{ type: 'Used' }], cause)).toMatchObject({ version: 2 });
  });

  test('of several rows fit into one transaction', async () => {
    const ids = [randomUUID(), randomUUID()];
    const lockers = newLockers();
    const rows = await Promise.all(ids.map((id) => lockers.load(id)));

    await commit(
      table.client,
      rows.flatMap((row) => lockers.plan(row, [{ type: 'Opened' }], { ...cause, inbox: inbox() }).writes),
    );

    for (const id of ids) expect(await lockers.load(id)).toMatchObject({ state: { status: 'OPEN' }, sequence: 1 });
  });
});
