import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { consumerVariables, httpRequest, kinesisEvent, lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

let dynamoDb: TestDynamoDb;
let onView: typeof import('./on-view.ts').handler;
const handlers: Record<string, (event: never, context: never) => Promise<unknown>> = {};

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('live-figures');
  Object.assign(process.env, {
    ...consumerVariables('live-figures.onView'),
    MILLRACE_TABLE: 'live-figures',
    MILLRACE_FIGURE_RETENTION_DAYS: '90',
    MILLRACE_INTERACTION_RETENTION_DAYS: '30',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onView = (await import('./on-view.ts')).handler;
  Object.assign(handlers, {
    session: (await import('./get-session.ts')).handler,
    sessions: (await import('./get-sessions.ts')).handler,
    series: (await import('./get-series.ts')).handler,
    funnel: (await import('./get-funnel.ts')).handler,
  });
});
afterAll(() => dynamoDb.stop());

async function get(handler: string, options: NonNullable<Parameters<typeof httpRequest>[1]>) {
  const event = httpRequest(`GET /analytics/${handler}`, options);
  const answer = (await handlers[handler]?.(
    event as never,
    lambdaContext() as never,
  )) as APIGatewayProxyStructuredResultV2;
  return { status: answer.statusCode, body: JSON.parse(answer.body ?? '') };
}

test('records of the stream are to be seen as a session, in the series of views, and before orders in the funnel', async () => {
  const sessionId = randomUUID();
  const shared = { sessionId, viewedAt: '2026-01-15T09:30:00.000Z' };
  const records = [
    { ...shared, id: randomUUID(), page: 'home', position: 0 },
    { ...shared, id: randomUUID(), page: 'product', sku: 'FLOUR-1KG', position: 1 },
  ];

  expect(await onView(kinesisEvent(...records, { ...records[0], email: 'x' }), lambdaContext())).toMatchObject({
    // Nobody answers at the dead-letter queue, so it stays in the stream.
    batchItemFailures: [{ itemIdentifier: '3' }],
  });

  expect(await get('session', { path: { sessionId } })).toMatchObject({
    status: 200,
    body: { sessionId, durationMs: 0, path: [{ page: 'home' }, { page: 'product' }] },
  });
  const range = { from: '2026-01-15T09:30Z', to: '2026-01-15T09:31Z' };
  expect(await get('series', { query: { ...range, of: 'views' } })).toEqual({
    status: 200,
    body: { minutes: [{ minute: '2026-01-15T09:30Z', views: 2, productViews: 1, sessions: 1 }] },
  });
  expect(await get('sessions', { query: range })).toEqual({
    status: 200,
    body: {
      sessions: [
        {
          ...{ sessionId, startedAt: shared.viewedAt, endedAt: shared.viewedAt, durationMs: 0 },
          path: ['home', 'product'],
        },
      ],
    },
  });
  const { body } = await get('funnel', { query: range });
  expect(body.steps.slice(0, 2)).toEqual([
    { step: 'viewed', count: 1, share: 1 },
    { step: 'placed', count: 0, share: 0 },
  ]);
});

test('a session that is not there is a 404, and an id that is not one a 400', async () => {
  const session = (sessionId: string) => get('session', { path: { sessionId } });

  expect(await session(randomUUID())).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
  for (const sessionId of ['ada', '', '..', `${randomUUID()}x`, `{${randomUUID()}}`, '%00', 'x'.repeat(2_000), '💥'])
    expect([sessionId, await session(sessionId)]).toMatchObject([
      sessionId,
      { status: 400, body: { errors: [{ field: 'sessionId' }] } },
    ]);
});

/** A cursor that the service has not made. */
const forged = (place: string) => Buffer.from(place).toString('base64url');

test('a list of sessions goes on behind a session whose visitor writes its id in upper case', async () => {
  const views = [1, 2].map((second) => ({
    ...{ sessionId: randomUUID().toUpperCase(), id: randomUUID(), page: 'home', position: 0 },
    viewedAt: `2026-04-15T09:30:0${second}.000Z`,
  }));
  await onView(kinesisEvent(...views), lambdaContext());
  const query = { from: '2026-04-15T09:00Z', to: '2026-04-15T10:00Z', limit: '1' };

  const { cursor } = (await get('sessions', { query })).body;

  expect(await get('sessions', { query: { ...query, cursor } })).toMatchObject({
    status: 200,
    body: { sessions: [{ sessionId: views[1]?.sessionId }] },
  });
});

test('a list of sessions goes on behind its cursor, and says what is wrong with a query', async () => {
  const views = [1, 2, 3].map((second) => ({
    ...{ sessionId: randomUUID(), id: randomUUID(), page: 'home', position: 0 },
    viewedAt: `2026-02-15T09:30:0${second}.000Z`,
  }));
  await onView(kinesisEvent(...views), lambdaContext());
  const range = { from: '2026-02-15T09:00Z', to: '2026-02-15T10:00Z' };

  const first = await get('sessions', { query: { ...range, limit: '2' } });
  const { cursor } = first.body;
  const second = await get('sessions', { query: { ...range, limit: '2', cursor } });

  expect(
    [first, second].flatMap(({ body }) => body.sessions.map((each: { sessionId: string }) => each.sessionId)),
  ).toEqual(views.map(({ sessionId }) => sessionId));
  expect(second.body).not.toHaveProperty('cursor');
  for (const [field, query] of [
    ['from', { to: range.to }],
    ['to', { ...range, to: range.from }],
    ['to', { ...range, to: '2026-02-17T10:00Z' }],
    ['limit', { ...range, limit: '0' }],
    ['limit', { ...range, limit: '101' }],
    ['cursor', { ...range, cursor: 'x' }],
    ['cursor', { ...range, cursor: `${cursor}=` }],
    ['cursor', { ...range, cursor: forged(`2026-02-15T09:60:00.000Z#${randomUUID()}`) }],
    ['cursor', { ...range, cursor: forged('2026-02-15T09:30:00.000Z#ada') }],
    ...['2026-01-32T00:00:00.000Z', '2026-01-31T24:00:00.000Z'].map(
      (time) =>
        [
          'cursor',
          { from: '2026-01-31T00:00Z', to: '2026-02-01T00:00Z', cursor: forged(`${time}#${randomUUID()}`) },
        ] as const,
    ),
    ['cursor', { from: '2026-02-15T11:00Z', to: '2026-02-15T12:00Z', cursor }],
  ] as const)
    expect([query, await get('sessions', { query })]).toMatchObject([
      query,
      { status: 400, body: { errors: [{ field }] } },
    ]);
});
