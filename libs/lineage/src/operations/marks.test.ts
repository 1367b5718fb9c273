import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { consume } from '@millrace/consumer';
import { idempotencyMarks } from '@millrace/consumer/idempotency';
import { commit, DynamoDbEventStore, EmittedEvents, inboxMark } from '@millrace/event-store';
import { parseEnvelope } from '@millrace/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { defineProjection, type Projection, ProjectionTable, Projector } from '@millrace/projections';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { createLogTable } from '../../fixtures/test-table.ts';
import { EventLog } from '../event-log.ts';
import { type Expectation, markReader } from './marks.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await createLogTable(dynamoDb.client, 'millrace-event-log-dev');
  for (const name of ['inventory-dev', 'orders-dev', 'orders-dev-projections', 'notifications-dev']) {
    await dynamoDb.createTable(`millrace-${name}`);
  }
  await dynamoDb.createTable('millrace-notifications-dev-idempotency', ['id']);
});
afterAll(() => dynamoDb.stop());

const client = () => documentClient();
const [byOrder, byCustomer] = ['by-order', 'by-customer'].map((name) =>
  defineProjection({
    ...{ name, events: [OrderPlaced], late: 'drop' },
    keyOf: ({ data }) => ({ partition: data.orderId, sort: name }),
    evolve: () => ({}),
  }),
) as [Projection, Projection];
const owned = [byOrder, byCustomer].map((projection) => ({ service: 'orders', projection }));

/** An event that the log knows. */
async function logged(contract: typeof OrderPlaced | typeof OrderConfirmed = OrderPlaced, sequence = 1) {
  const sample = sampleEvent(contract as typeof OrderPlaced, {}, { subject: `order-${randomUUID()}`, sequence });
  const event = contract.parse(parseEnvelope(envelopeText(sample)));
  await new EventLog(client(), 'millrace-event-log-dev').record(event, { retentionDays: 30 });
  return { event, text: envelopeText(sample) };
}

type Logged = Awaited<ReturnType<typeof logged>>;
const expectation = ({ event }: Logged, consumer: string, projects = false): Expectation => ({
  ...{ consumer, service: consumer.split('.')[0] ?? '', projects },
  event: { id: event.metadata.id, detailType: event.detailType, subject: event.metadata.subject },
});
const handledOf = async (...expectations: Expectation[]) => {
  const handled = await markReader(client(), 'dev', owned)(expectations);
  return expectations.map((each) => handled.has(each));
};

describe('an event is proved handled by', () => {
  test('the inbox mark of its consumer, and of no other one', async () => {
    const [one, other] = [await logged(), await logged()];
    const inbox = { consumer: 'inventory.onOrderPlaced', eventId: one.event.metadata.id };
    await commit(client(), [inboxMark('millrace-inventory-dev', inbox, new Date())]);

    expect(
      await handledOf(
        expectation(one, 'inventory.onOrderPlaced'),
        expectation(one, 'inventory.onOrderEnded'),
        expectation(other, 'inventory.onOrderPlaced'),
      ),
    ).toEqual([true, false, false]);
  });

  test('an event of the stream about its subject that it caused', async () => {
    const [placed, other] = [await logged(), await logged()];
    const { id, subject, correlationId } = placed.event.metadata;
    const store = new DynamoDbEventStore(client(), 'millrace-orders-dev');
    const caused = { id: randomUUID(), event: { type: 'Reported' }, time: new Date(), correlationId, causationId: id };
    await store.append(`ORDER#${subject}`, 0, [caused]);

    const marked = (event: Logged) => ({ ...expectation(event, 'orders.onOrderProgress'), markedIn: 'ORDER#' });
    expect(await handledOf(marked(placed), marked(other), expectation(placed, 'orders.onOrderProgress'))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('the mark that a consumer of mails leaves when all its steps are done', async () => {
    const confirmed = await logged(OrderConfirmed);
    let outage = true;
    Object.assign(process.env, {
      ...consumerVariables('notifications.onOrderOutcome'),
      MILLRACE_IDEMPOTENCY_TABLE: 'millrace-notifications-dev-idempotency',
    });
    const handler = consume(
      [OrderConfirmed],
      async (_, { once }) => {
        await once('email', async () => {});
        await once('sms', async () => {
          if (outage) throw new Error('no answer');
        });
      },
      { deduplication: idempotencyMarks() },
    );
    const deliver = () => handler(sqsEvent(confirmed.text), lambdaContext());
    const expected = expectation(confirmed, 'notifications.onOrderOutcome');

    await deliver();
    expect(await handledOf(expected)).toEqual([false]);
    outage = false;
    await deliver();
    expect(await handledOf(expected)).toEqual([true]);
  });

  test('what the projections of its service have had', async () => {
    const placed = await logged();
    const expected = expectation(placed, 'orders.projectOrders', true);
    expect(await handledOf(expected)).toEqual([false]);

    const history = { emitted: new EmittedEvents(client(), 'millrace-orders-dev'), streamOf: String };
    const table = new ProjectionTable(client(), 'millrace-orders-dev-projections');
    await new Projector(table, [byOrder], history).handle(placed.event);
    expect(await handledOf(expected)).toEqual([false]);
    await new Projector(table, [byCustomer], history).handle(placed.event);

    expect(await handledOf(expected)).toEqual([true]);
  });
});

test('a service without tables has left no marks', async () => {
  const placed = await logged();

  expect(
    await handledOf(expectation(placed, 'nowhere.onOrderPlaced'), expectation(placed, 'nowhere.project', true)),
  ).toEqual([false, false]);
});
