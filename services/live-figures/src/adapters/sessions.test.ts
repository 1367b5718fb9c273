import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient } from '@millrace/aws';
import type { View } from '@millrace/interactions/views';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import fc from 'fast-check';
import { Minutes } from './minutes.ts';
import { Sessions } from './sessions.ts';

let dynamoDb: TestDynamoDb;
let client: DocumentClient;
let name: string;
let sessions: Sessions;

/** The counts of views, as the routes of figures read them. */
async function countsIn(from: string, to: string): Promise<{ minute: string; [figure: string]: number | string }[]> {
  const found = await new Minutes({ client, name }, { retentionDays: 90 }).between(from, to);
  return found.map(({ minute, figures }) => ({ minute, ...figures.views, ...figures.funnel }));
}

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  client = documentClient();
});
beforeEach(async () => {
  name = `interactions-${randomUUID()}`;
  await dynamoDb.createTable(name);
  sessions = new Sessions({ client, name }, { retentionDays: 30 });
});
afterAll(() => dynamoDb.stop());

const viewAt = (viewedAt: string, sessionId = randomUUID(), changes: Partial<View> = {}): View => ({
  ...{ id: randomUUID(), sessionId, page: 'home' as const, viewedAt, position: 0 },
  ...changes,
});
const day = ['2026-01-15T00:00', '2026-01-16T00:00'] as const;

test('sessions and minutes are what was seen', async () => {
  const sessionId = randomUUID();
  const views = [
    viewAt('2026-01-15T09:30:00.000Z', sessionId),
    viewAt('2026-01-15T09:30:10.000Z', sessionId, { page: 'product', sku: 'FLOUR-1KG' }),
    viewAt('2026-01-15T09:31:00.000Z'),
  ];

  expect(await sessions.record(views)).toEqual([undefined, undefined, undefined]);

  expect((await sessions.find(sessionId))?.views.map(({ page }) => page)).toEqual(['home', 'product']);
  expect(await sessions.find(randomUUID())).toBeUndefined();
  expect(await countsIn(...day)).toEqual([
    { minute: '2026-01-15T09:30', views: 2, productViews: 1, sessions: 1, viewed: 1 },
    { minute: '2026-01-15T09:31', views: 1, productViews: 0, sessions: 1, viewed: 0 },
  ]);
  expect(await countsIn('2026-01-15T09:29', '2026-01-15T09:30')).toEqual([]);
});

test('a range has the minutes of both its days, and not the one it ends with', async () => {
  await sessions.record(
    ['2026-01-15T23:59:59.999Z', '2026-01-16T00:00:00.000Z', '2026-01-16T00:01:00.000Z'].map((time) => viewAt(time)),
  );

  const minutes = await countsIn('2026-01-15T23:00', '2026-01-16T00:01');
  expect(minutes.map(({ minute }) => minute)).toEqual(['2026-01-15T23:59', '2026-01-16T00:00']);
});

test('however views are divided, repeated and reordered, each counts once', async () => {
  const ids = Array.from({ length: 5 }, () => randomUUID());
  const views = Array.from({ length: 60 }, (_, index) =>
    viewAt(new Date(Date.UTC(2026, 0, 15, 9, 30, index * 7)).toISOString(), ids[index % 5]),
  );
  const batches = fc.sample(fc.array(fc.constantFrom(...views), { minLength: 1, maxLength: 40 }), {
    numRuns: 12,
    seed: 7,
  });

  for (const batch of [...batches, views]) expect((await sessions.record(batch)).filter(Boolean)).toEqual([]);

  const minutes = await countsIn(...day);
  expect(minutes.reduce((sum, { views }) => sum + Number(views), 0)).toBe(60);
  expect(minutes.reduce((sum, each) => sum + Number(each.sessions), 0)).toBe(5);
});

test('two batches of one session at once lose nothing', async () => {
  const sessionId = randomUUID();
  const views = Array.from({ length: 20 }, () => viewAt('2026-01-15T09:30:00.000Z', sessionId));

  const outcomes = await Promise.all([sessions.record(views.slice(0, 12)), sessions.record(views.slice(8))]);

  expect(outcomes.flat().filter(Boolean)).toEqual([]);
  expect((await sessions.find(sessionId))?.views).toHaveLength(20);
  expect(await countsIn(...day)).toMatchObject([{ views: 20, sessions: 1 }]);
});

test('a batch of more sessions than a transaction takes is divided', async () => {
  const views = Array.from({ length: 250 }, () => viewAt('2026-01-15T09:30:00.000Z'));

  expect((await sessions.record(views)).filter(Boolean)).toEqual([]);
  expect(await countsIn(...day)).toMatchObject([{ views: 250, sessions: 250 }]);
});

describe('a batch is one write for each session and each minute, and one to list a session that begins', () => {
  /** Counts the items of transactions. */
  function counting() {
    let items = 0;
    const counted: DocumentClient = {
      send: (command) => {
        items += (command.input as { TransactItems?: unknown[] }).TransactItems?.length ?? 0;
        return client.send(command);
      },
    };
    return { counted, items: () => items };
  }

  test('and not for each view', async () => {
    const { counted, items } = counting();
    const sessionIds = [randomUUID(), randomUUID()];
    const views = Array.from({ length: 100 }, (_, index) => viewAt('2026-01-15T09:30:00.000Z', sessionIds[index % 2]));

    await new Sessions({ client: counted, name }, { retentionDays: 30 }).record(views);

    // Both sessions begin, so each is listed as well.
    expect(items()).toBe(5);
  });

  test('and one that goes on is not listed again', async () => {
    const sessionId = randomUUID();
    await sessions.record([viewAt('2026-01-15T09:30:00.000Z', sessionId)]);
    const { counted, items } = counting();

    const later = [viewAt('2026-01-15T09:30:10.000Z', sessionId)];
    await new Sessions({ client: counted, name }, { retentionDays: 30 }).record(later);

    expect(items()).toBe(2);
  });

  test('and nothing when all of it is known', async () => {
    const views = [viewAt('2026-01-15T09:30:00.000Z'), viewAt('2026-01-15T09:30:00.000Z')];
    await sessions.record(views);
    const { counted, items } = counting();

    await new Sessions({ client: counted, name }, { retentionDays: 30 }).record(views);

    expect(items()).toBe(0);
  });
});

describe('sessions of some time', () => {
  const range = { from: '2026-01-15T09:30', to: '2026-01-15T09:40' };
  const idsOf = async (query: Partial<Parameters<Sessions['between']>[0]> = {}) => {
    const { sessions: found, next } = await sessions.between({ ...range, limit: 100, ...query });
    return { ids: found.map(({ sessionId }) => sessionId), next };
  };
  const begin = async (...times: string[]): Promise<string[]> => {
    const views = times.map((time) => viewAt(time));
    await sessions.record(views);
    return views.map(({ sessionId }) => sessionId);
  };

  test('are those that began in it, in that order, and not those of the minute it ends with', async () => {
    const [second, first] = await begin('2026-01-15T09:39:59.999Z', '2026-01-15T09:30:00.000Z');
    await begin('2026-01-15T09:29:59.999Z', '2026-01-15T09:40:00.000Z');

    expect(await idsOf()).toEqual({ ids: [first, second], next: undefined });
  });

  test('go over midnight', async () => {
    const ids = await begin('2026-01-15T23:59:59.999Z', '2026-01-16T00:00:00.000Z');

    expect((await idsOf({ from: '2026-01-15T23:59', to: '2026-01-16T00:01' })).ids).toEqual(ids);
    const { next: after } = await idsOf({ from: '2026-01-15T23:59', to: '2026-01-16T00:01', limit: 1 });
    expect((await idsOf({ from: '2026-01-15T23:59', to: '2026-01-16T00:01', limit: 1, after })).ids).toEqual([ids[1]]);
  });

  test('come page by page, each once, also those of one moment', async () => {
    const times = ['2026-01-15T09:31:00.000Z', '2026-01-15T09:30:00.000Z'];
    const ids = await begin(...Array.from({ length: 11 }, (_, index) => times[index % 2] as string));

    for (const limit of [1, 3, 5, 6, 10, 11]) {
      const pages: string[][] = [];
      for (let after: string | undefined, more = true; more; ) {
        const page = await idsOf({ limit, after });
        pages.push(page.ids);
        after = page.next;
        more = after !== undefined;
      }
      expect(pages.flat().toSorted()).toEqual(ids.toSorted());
      expect(pages).toHaveLength(Math.ceil(11 / limit));
    }
  });

  test('are listed once, where their first views put them', async () => {
    const sessionId = randomUUID();
    await sessions.record([viewAt('2026-01-15T09:35:00.000Z', sessionId)]);
    await sessions.record([
      viewAt('2026-01-15T09:36:00.000Z', sessionId),
      viewAt('2026-01-15T09:20:00.000Z', sessionId),
    ]);

    const { sessions: found } = await sessions.between({ ...range, limit: 100 });
    // It began before the range, and is counted in the minute of its place.
    expect(found).toMatchObject([
      { sessionId, session: { views: [{ viewedAt: '2026-01-15T09:20:00.000Z' }, {}, {}] } },
    ]);
    expect(await countsIn(range.from, range.to)).toMatchObject([{ minute: '2026-01-15T09:35', sessions: 1 }, {}]);
    expect(await idsOf({ from: '2026-01-15T09:00', to: range.from })).toEqual({ ids: [], next: undefined });
  });
});
