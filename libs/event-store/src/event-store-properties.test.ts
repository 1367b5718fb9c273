import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient, PutCommand } from '@millrace/aws';
import { DuplicateEventError } from '@millrace/errors';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as fc from 'fast-check';
import {
  type Aggregate,
  CommandRunner,
  type DomainEvent,
  DynamoDbEventStore,
  type EventStore,
  InMemoryEventStore,
  InMemoryPayloadStore,
  type Snapshot,
  StreamConflictError,
} from './index.ts';

interface Entry extends DomainEvent {
  type: 'Entered';
  command: string;
  part: number;
  note?: string | undefined;
}

interface Command {
  id: string;
  /** How many events it decides. */
  parts: number;
  note?: string | undefined;
}

/** Every command's parts, in the order of the stream. */
type Ledger = readonly string[];

/** A ledger that takes a command once: what was decided on an old state shows as a double or a hole. */
const ledger: Aggregate<Ledger, Command, Entry> = {
  initialState: [],
  streamOf: (id) => `LEDGER#${id}`,
  decide: ({ id, parts, note }, entries) =>
    entries.includes(`${id}.0`)
      ? []
      : Array.from({ length: parts }, (_, part) => ({ type: 'Entered', command: id, part, note })),
  evolve: (entries, { command, part }) => [...entries, `${command}.${part}`],
  snapshots: { every: 2, stateVersion: 1 },
};

const table = 'ledgers';
let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table);
});
afterAll(() => dynamoDb.stop());

/** A client whose every request goes through `around`. */
function clientWith(around: (send: () => Promise<unknown>) => Promise<unknown>): DocumentClient {
  const client = documentClient();
  const send = client.send.bind(client) as (command: unknown) => Promise<unknown>;
  return Object.assign(client, { send: (command: unknown) => around(() => send(command)) });
}

const inDynamoDb = (around: (send: () => Promise<unknown>) => Promise<unknown> = (send) => send()) =>
  new DynamoDbEventStore<Entry>(clientWith(around), table);

const context = { correlationId: 'correlation-1' };
const pauseless = { sleep: async () => {} };
const runnerOf = (store: EventStore<Entry>) => new CommandRunner(store, ledger, pauseless);

/** What the stream must look like, whatever happened to it. */
async function assertConsistent(store: EventStore<Entry>, id: string): Promise<Ledger> {
  const { events, version } = await store.load(ledger.streamOf(id));
  expect(events.map((event) => event.version)).toEqual(Array.from({ length: version }, (_, index) => index + 1));
  expect(new Set(events.map((event) => event.id)).size).toBe(version);
  const folded = events.map(({ event }) => event).reduce(ledger.evolve, ledger.initialState);
  expect(await runnerOf(store).load(id)).toEqual({ state: folded, version });
  return folded;
}

const partsOf = ({ id, parts }: Command) => Array.from({ length: parts }, (_, part) => `${id}.${part}`);

/** Commands with ids of their own, by writer. */
const writers = fc
  .array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 })
  .map((all) =>
    all.map((commands, writer) => commands.map((parts, index): Command => ({ id: `w${writer}-${index}`, parts }))),
  );

describe('writers at once', () => {
  /** A store whose every request waits for its turn. */
  function scheduled(store: EventStore<Entry>, s: fc.Scheduler): EventStore<Entry> {
    const turn = () => s.schedule(Promise.resolve());
    return {
      async *read(...args) {
        await turn();
        yield* store.read(...args);
      },
      load: (...args) => turn().then(() => store.load(...args)),
      append: (...args) => turn().then(() => store.append(...args)),
      readSnapshot: (...args) => turn().then(() => store.readSnapshot(...args)),
      writeSnapshot: (...args) => turn().then(() => store.writeSnapshot(...args)),
      recordHandled: (...args) => turn().then(() => store.recordHandled(...args)),
      inboxMark: (...args) => store.inboxMark(...args),
    };
  }

  async function compete(plan: Command[][], s: fc.Scheduler, store: EventStore<Entry>, seen: EventStore<Entry>) {
    const id = randomUUID();
    const done: Command[] = [];
    const write = async (commands: Command[]) => {
      for (const command of commands) {
        try {
          await runnerOf(store).execute(id, command, context);
          done.push(command);
        } catch (error) {
          if (!(error instanceof StreamConflictError)) throw error;
        }
      }
    };
    await s.waitFor(Promise.all(plan.map(write)));

    const state = await assertConsistent(seen, id);
    // Of each command that was acknowledged all parts, next to each other, and nothing else.
    expect(state.toSorted()).toEqual(done.flatMap(partsOf).toSorted());
    for (const command of done) {
      const at = state.indexOf(`${command.id}.0`);
      expect(state.slice(at, at + command.parts)).toEqual(partsOf(command));
    }
  }

  test('lose and double nothing in memory, in any order of their requests', async () => {
    await fc.assert(
      fc.asyncProperty(writers, fc.scheduler(), async (plan, s) => {
        const store = new InMemoryEventStore<Entry>();
        await compete(plan, s, scheduled(store, s), store);
      }),
      { numRuns: 100 },
    );
  });

  test('lose and double nothing in DynamoDB, in any order of their requests', async () => {
    await fc.assert(
      fc.asyncProperty(writers, fc.scheduler(), async (plan, s) => {
        const store = inDynamoDb(async (send) => {
          await s.schedule(Promise.resolve());
          return send();
        });
        await compete(plan, s, store, inDynamoDb());
      }),
      { numRuns: 8 },
    );
  });
});

describe('any snapshot', () => {
  const history = fc
    .array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 })
    .map((parts) => parts.map((count, index): Command => ({ id: `c${index}`, parts: count })));
  /** Nonsense, in the place of a snapshot. */
  const nonsense = fc.record({
    stateVersion: fc.integer({ min: 1, max: 2 }),
    version: fc.integer({ min: 0, max: 30 }),
    body: fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ state: fc.array(fc.string()), eventId: fc.uuid(), sequence: fc.nat() })
        .map((content) => JSON.stringify({ checksum: 'none', content: JSON.stringify(content) })),
    ),
  });
  /** Where else snapshots come from: this stream's own earlier ones, another stream's, another shape's. */
  const mixedUp = fc.record({
    from: fc.constantFrom('own', 'other', 'other shape'),
    version: fc.integer({ min: 0, max: 30 }),
  });

  async function loadsRightWith(
    store: EventStore<Entry>,
    commands: Command[],
    plant: (stream: string, snapshots: Snapshot[]) => Promise<void>,
  ) {
    const [id, other] = [randomUUID(), randomUUID()];
    const collected: Snapshot[] = [];
    for (const command of commands) {
      await runnerOf(store).execute(id, command, context);
      await runnerOf(store).execute(other, { ...command, id: `other-${command.id}` }, context);
      for (const each of [id, other]) {
        const snapshot = await store.readSnapshot(ledger.streamOf(each), 1);
        if (snapshot) collected.push(snapshot);
      }
    }
    await plant(ledger.streamOf(id), collected);

    expect(await assertConsistent(store, id)).toEqual(commands.flatMap(partsOf));
    await runnerOf(store).execute(id, { id: 'last', parts: 2 }, context);
    expect(await assertConsistent(store, id)).toEqual([...commands.flatMap(partsOf), 'last.0', 'last.1']);
  }

  test('leaves what is loaded the fold of all events: stale, foreign, of another shape or nonsense', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.array(fc.oneof(nonsense, mixedUp), { maxLength: 4 }), async (commands, planted) => {
        const store = new InMemoryEventStore<Entry>();
        await loadsRightWith(store, commands, async (stream, snapshots) => {
          for (const [index, snapshot] of planted.entries()) {
            if ('body' in snapshot) await store.writeSnapshot(stream, snapshot);
            const chosen = snapshots[index];
            if ('body' in snapshot || !chosen) continue;
            const version = snapshot.from === 'own' ? chosen.version : snapshot.version;
            const stateVersion = snapshot.from === 'other shape' ? 2 : 1;
            await store.writeSnapshot(stream, { ...chosen, version, stateVersion });
          }
        });
      }),
      { numRuns: 150 },
    );
  });

  test('that is a row of anything in DynamoDB leaves it so, too', async () => {
    const anything = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.string()),
    );
    const row = fc.record({ version: anything, body: anything, packed: anything }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(history, row, async (commands, attributes) => {
        await loadsRightWith(inDynamoDb(), commands, async (pk) => {
          const Item = { pk, sk: 'SNAPSHOT#1', ...attributes };
          await documentClient().send(new PutCommand({ TableName: table, Item }));
        });
      }),
      { numRuns: 8 },
    );
  });
});

describe('a writer who dies', () => {
  class Death extends Error {}

  /** Dies at the request with this number: before it is sent, or when it is done and its answer is lost. */
  function mortal(at: number, moment: 'before' | 'after') {
    let requests = 0;
    return async <Result>(send: () => Promise<Result>): Promise<Result> => {
      requests += 1;
      if (requests > at || (requests === at && moment === 'before')) throw new Death();
      const result = await send();
      if (requests === at) throw new Death();
      return result;
    };
  }

  const large = randomBytes(450_000).toString('base64');

  test.each(['the inbox mark of an event', 'the decision alone'])(
    'leaves everything consistent, and %s makes the next try happen once',
    async (guard) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 3 }),
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 6 }),
          fc.constantFrom('before' as const, 'after' as const),
          fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant(large) }),
          async (earlier, parts, at, moment, note) => {
            const id = randomUUID();
            const payloads = new InMemoryPayloadStore();
            const store = new DynamoDbEventStore<Entry>(
              clientWith((send) => send()),
              table,
              { payloads },
            );
            for (let index = 0; index < earlier; index += 1) {
              await runnerOf(store).execute(id, { id: `c${index}`, parts: 1 }, context);
            }
            const before = await assertConsistent(store, id);
            const inbox = guard === 'the decision alone' ? undefined : { consumer: 'ledger.onEntry', eventId: id };
            const command = { id: 'the one', parts, note };

            const life = mortal(at, moment);
            const dying = new DynamoDbEventStore<Entry>(clientWith(life), table, {
              payloads: {
                put: (key, bytes) => life(() => payloads.put(key, bytes)),
                get: (key) => life(() => payloads.get(key)),
              },
            });
            const survived = await runnerOf(dying)
              .execute(id, command, { ...context, inbox })
              .then(() => true)
              .catch((error: unknown) => {
                if (!(error instanceof Death)) throw error;
                return false;
              });

            const between = await assertConsistent(store, id);
            const after = [...before, ...partsOf(command)];
            expect([before, after]).toContainEqual(between);
            if (survived) expect(between).toEqual(after);

            await runnerOf(store)
              .execute(id, command, { ...context, inbox })
              .catch((error: unknown) => {
                if (!(error instanceof DuplicateEventError)) throw error;
              });
            expect(await assertConsistent(store, id)).toEqual(after);
          },
        ),
        { numRuns: 15 },
      );
    },
  );
});

test('every event that JSON can hold comes back as it was, from both stores', async () => {
  const value = fc
    .jsonValue({ maxDepth: 4 })
    .map((json) => JSON.parse(JSON.stringify(json)))
    // DynamoDB holds no number of more than 2^53 or next to nothing, and no client a key of this name.
    .filter((json) => !/\d{17}|e[+-]?\d{2,3}|__proto__/i.test(JSON.stringify(json)));
  await fc.assert(
    fc.asyncProperty(value, fc.boolean(), async (json, isLarge) => {
      const note = isLarge ? [json, 'x'.repeat(5_000)] : json;
      const event = { type: 'Entered', command: 'c', part: 0, note } as const;
      for (const store of [new InMemoryEventStore<Entry>(), inDynamoDb()]) {
        const stream = randomUUID();
        await store.append(stream, 0, [{ id: 'event-1', event, time: new Date(), ...context }]);

        expect((await store.load(stream)).events[0]?.event).toEqual(event);
      }
    }),
    { numRuns: 40 },
  );
});
