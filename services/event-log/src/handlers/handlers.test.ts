import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { createLogTable } from '@millrace/lineage/test-table';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';

type Endpoint = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let onEvent: Consumer;
let getEvent: Endpoint;
let getEvents: Endpoint;
let getLineage: Endpoint;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await createLogTable(dynamoDb.client, 'event-log');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'event-log',
    MILLRACE_RETENTION_DAYS: '30',
    ...consumerVariables('event-log.onEvent'),
    MILLRACE_REPLAYS: 'rebuild',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onEvent = (await import('./on-event.ts')).handler;
  getEvent = (await import('./get-event.ts')).handler;
  getEvents = (await import('./get-events.ts')).handler;
  getLineage = (await import('./get-lineage.ts')).handler;
});
afterAll(() => dynamoDb.stop());

/** Delivers texts in one batch and returns how many records failed. */
const deliver = async (...texts: string[]) =>
  (await onEvent(sqsEvent(...texts), lambdaContext())).batchItemFailures.length;

const answerOf = ({ statusCode, body = '' }: APIGatewayProxyStructuredResultV2) => ({
  statusCode,
  body: JSON.parse(body),
});
const event = async (id: string) =>
  answerOf(await getEvent(httpRequest('GET /events/{eventId}', { path: { eventId: id } }), lambdaContext()));
const events = async (query: Record<string, string>) =>
  answerOf(await getEvents(httpRequest('GET /events', { query }), lambdaContext()));
const lineage = async (id: string) =>
  answerOf(await getLineage(httpRequest('GET /lineage/{id}', { path: { id } }), lambdaContext()));

const order = () => ({ subject: `order-${randomUUID()}`, correlationId: `call-${randomUUID()}` });
const idOf = ({ event: { metadata } }: EmittableEvent<{ metadata: { id: string } }>) => metadata.id;
const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'));

describe('an event', () => {
  test('is written down once, however often and from wherever it comes', async () => {
    const placed = sampleEvent(OrderPlaced, {}, order());
    const text = envelopeText(placed);
    const replayed = text.replace('{', '{"replay-name":"yesterday",');

    expect(await deliver(text, text)).toBe(0);
    const first = await event(idOf(placed));
    expect(await deliver(text, replayed)).toBe(0);

    expect(first).toMatchObject({ statusCode: 200, body: { id: idOf(placed), detailType: 'OrderPlaced.v1' } });
    expect(await event(idOf(placed))).toEqual(first);
  });

  test('that the log has missed comes in by a replay, however old', async () => {
    const placed = sampleEvent(OrderPlaced, {}, { ...order(), time: new Date(Date.now() - 29.5 * 86_400_000) });

    expect(await deliver(envelopeText(placed).replace('{', '{"replay-name":"yesterday",'))).toBe(0);

    expect((await event(idOf(placed))).statusCode).toBe(200);
  });

  test('that may not be kept any longer is none of the log', async () => {
    const placed = sampleEvent(OrderPlaced, {}, { ...order(), time: new Date(Date.now() - 31 * 86_400_000) });

    expect(await deliver(envelopeText(placed))).toBe(0);

    expect(await event(idOf(placed))).toMatchObject({ statusCode: 404, body: { code: 'EVENT_NOT_FOUND' } });
  });

  test('of a version that the log does not know is a failure', async () => {
    // Nobody answers at the dead-letter queue, so it stays in its own.
    expect(await deliver(envelopeText(sampleEvent(OrderPlaced)).replaceAll('OrderPlaced.v1', 'OrderPlaced.v9'))).toBe(
      1,
    );
  });
});

describe('GET /lineage/{id}', () => {
  test('is the tree of an order, by the order and by each of its events', async () => {
    const about = order();
    const placed = sampleEvent(OrderPlaced, {}, about);
    const confirmed = sampleEvent(OrderConfirmed, {}, { ...about, causationId: idOf(placed) });
    await deliver(envelopeText(confirmed), envelopeText(placed));

    for (const id of [about.subject, about.correlationId, idOf(confirmed)]) {
      expect(await lineage(id)).toMatchObject({
        statusCode: 200,
        body: {
          ...{ id, count: 2, truncated: false },
          trees: [
            {
              correlationId: about.correlationId,
              events: [{ id: idOf(placed), events: [{ id: idOf(confirmed), delayMs: expect.any(Number) }] }],
            },
          ],
        },
      });
    }
  });

  test('is not found when nobody knows the id', async () => {
    expect(await lineage(randomUUID())).toMatchObject({ statusCode: 404, body: { code: 'LINEAGE_NOT_FOUND' } });
  });
});

describe('an id', () => {
  test.each(['', 'x'.repeat(129), 'a b', 'a/b', 'ada@example.com', 'é'])('like %j is refused', async (id) => {
    const detail = expect.stringMatching(/^expected 1–128/);
    const refusal = (field: string) => ({
      statusCode: 400,
      body: { code: 'INVALID_REQUEST', errors: [{ field, detail }] },
    });

    expect(await event(id)).toMatchObject(refusal('eventId'));
    expect(await lineage(id)).toMatchObject(refusal('id'));
  });
});

describe('GET /events', () => {
  test('goes through some time page by page', async () => {
    const start = Date.now() - 5 * 86_400_000;
    const texts = Array.from({ length: 120 }, (_, index) =>
      envelopeText(sampleEvent(OrderConfirmed, {}, { ...order(), time: new Date(start + index) })),
    );
    expect(await deliver(...texts)).toBe(0);
    const range = {
      ...{ from: new Date(start).toISOString(), to: new Date(start + 1000).toISOString() },
      type: 'OrderConfirmed.v1',
    };

    const first = await events(range);
    const second = await events({ ...range, cursor: first.body.cursor });

    expect([first.body.events.length, second.body.events.length]).toEqual([100, 20]);
    expect(second.body).not.toHaveProperty('cursor');
    expect(first.body.events[0]).not.toHaveProperty('data');
  });

  test('names the parameter that is wrong', async () => {
    expect(await events({ from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' })).toMatchObject({
      statusCode: 400,
      body: { code: 'INVALID_REQUEST', errors: [{ field: 'to' }] },
    });
  });
});

test('the fixtures of sls invoke local are what their functions take', async () => {
  expect((await onEvent(fixture('on-event'), lambdaContext())).batchItemFailures).toEqual([]);
  const answer = await getEvents(fixture('get-events'), lambdaContext());
  expect(answerOf(answer)).toMatchObject({ statusCode: 200, body: { events: [] } });
});
