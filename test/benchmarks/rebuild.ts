/**
 * `node test/benchmarks/rebuild.ts`: fills an event store with orders, rebuilds the orders' projections from it in the
 * DynamoDB of the local runtime, compares them row by row with what follows from the events, and prints events per second.
 */
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type DynamoDBDocumentClient, paginateScan, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import {
  DynamoDbEventStore,
  documentClient,
  EmittedEvents,
  type NewEvent,
  type TransactWrite,
} from '@millrace/event-store';
import { type Projection, ProjectionTable, partitionKey, rebuild } from '@millrace/projections';
import { startTestDynamoDb } from '@millrace/testing/dynamodb';
import { exampleOrder, OrderCancelled, OrderConfirmed, OrderPlaced } from '../../services/orders/events/index.ts';
import * as projections from '../../services/orders/projections/index.ts';
import type { OrderEvent } from '../../services/orders/src/domain/order.ts';

const help = `Measures npm run rebuild.

Usage: node test/benchmarks/rebuild.ts [--orders 20000]`;

function options() {
  try {
    const { values } = parseArgs({
      options: { orders: { type: 'string', default: '20000' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const orders = Number(values.orders);
    if (!Number.isInteger(orders) || orders < 1) throw new Error('--orders must be a whole number from 1 up');
    return { orders };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

/** The stream of an order: placed, on its way, and confirmed or, one in ten, cancelled. */
function streamOf(index: number): { orderId: string; events: NewEvent<OrderEvent>[] } {
  const orderId = randomUUID();
  const time = new Date(Date.UTC(2026, 0, 1 + (index % 60), 12, 0, 0, index % 1000));
  const order = {
    ...exampleOrder,
    orderId,
    customer: { ...exampleOrder.customer, id: `customer-${index % 500}` },
    total: { amount: 100 + (index % 900), currency: index % 3 === 0 ? 'USD' : 'EUR' },
  };
  const correlationId = randomUUID();
  const event = (domainEvent: OrderEvent, emit?: NewEvent<OrderEvent>['emit']): NewEvent<OrderEvent> => ({
    id: randomUUID(),
    event: domainEvent,
    time,
    correlationId,
    emit,
  });
  const context = (sequence: number) => ({ id: randomUUID(), time, subject: orderId, sequence, correlationId });
  const placed = event({ type: 'OrderPlaced', order }, OrderPlaced.create(order, context(1)));
  if (index % 10 === 0) {
    const why = { reason: 'CUSTOMER_REQUEST', detail: 'Cancelled at your request' } as const;
    const cancelled = OrderCancelled.create({ ...order, ...why }, context(2));
    return { orderId, events: [placed, event({ type: 'OrderCancelled', ...why }, cancelled)] };
  }
  const trackingNumber = 'MR1';
  return {
    orderId,
    events: [
      placed,
      event({ type: 'StockReserved' }),
      event({ type: 'PaymentProcessed', paymentId: 'ch_1' }),
      event({ type: 'ShipmentCreated', trackingNumber }),
      event(
        { type: 'OrderConfirmed', trackingNumber },
        OrderConfirmed.create({ ...order, trackingNumber }, context(2)),
      ),
    ],
  };
}

/** What the rows of version 2 must be, by their keys. */
class Expected {
  readonly rows = new Map<string, object>();
  readonly #projection: Projection;

  constructor(projection: Projection) {
    this.#projection = projection;
  }

  add(events: readonly NewEvent<OrderEvent>[]): void {
    let key: ReturnType<Projection['keyOf']> | undefined;
    for (const { emit } of events) {
      if (!emit || !this.#projection.events.some(({ detailType }) => detailType === emit.detailType)) continue;
      const event = emit.event as Parameters<Projection['evolve']>[1];
      key = this.#projection.keyOf(event, key);
      const id = `${partitionKey(this.#projection.name, 2, key.partition)} ${key.sort}`;
      this.rows.set(id, this.#projection.evolve(this.rows.get(id), event));
    }
  }
}

const { orders } = options();
const dynamoDb = await startTestDynamoDb();
try {
  await dynamoDb.createTable('orders');
  await dynamoDb.createTable('projections');
  const client = documentClient(dynamoDb.client);
  const { collecting, flush } = inLargeTransactions(client);
  const store = new DynamoDbEventStore<OrderEvent>(collecting, 'orders');
  const expected = Object.values(projections).map((projection) => new Expected(projection as Projection));
  console.log(`${orders} orders in DynamoDB on ${cpus().length} × ${cpus()[0]?.model}`);

  let stored = 0;
  for (let index = 0; index < orders; index += 1) {
    const { orderId, events } = streamOf(index);
    await store.append(`ORDER#${orderId}`, 0, events);
    for (const each of expected) each.add(events);
    stored += events.length;
  }
  await flush();
  console.log(`${stored.toLocaleString('en')} events stored, ${(orders * 2).toLocaleString('en')} of them emitted`);

  const table = new ProjectionTable(client, 'projections');
  for (const [index, projection] of Object.values(projections).entries()) {
    const begun = performance.now();
    const { events, live } = await rebuild({
      emitted: new EmittedEvents(client, 'orders'),
      table,
      projection: projection as Projection,
    });
    const seconds = (performance.now() - begun) / 1_000;
    const rows = new Map<string, object>();
    const pages = paginateScan(
      { client },
      {
        TableName: 'projections',
        Limit: 3_000,
        FilterExpression: 'begins_with(pk, :rows)',
        ExpressionAttributeValues: { ':rows': partitionKey(projection.name, live, '') },
      },
    );
    for await (const { Items = [] } of pages) for (const { pk, sk, row } of Items) rows.set(`${pk} ${sk}`, row);
    const wanted = expected[index]?.rows ?? new Map();
    const equal =
      rows.size === wanted.size &&
      [...wanted].every(([key, row]) => JSON.stringify(sorted(row)) === JSON.stringify(sorted(rows.get(key) ?? {})));
    const speed = Math.round(events / seconds).toLocaleString('en');
    console.log(
      `${projection.name.padEnd(20)} ${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s: ${speed}/s, ` +
        `${rows.size.toLocaleString('en')} rows, ${equal ? 'equal' : 'NOT EQUAL'}`,
    );
    if (!equal) process.exitCode = 1;
  }
} finally {
  await dynamoDb.stop();
}

/** A client whose transactions are carried out together, as many as fit into one: filling the store is not what is measured. */
function inLargeTransactions(client: DynamoDBDocumentClient) {
  let collected: TransactWrite[] = [];
  const flush = async () => {
    const TransactItems = collected;
    collected = [];
    if (TransactItems.length > 0) await client.send(new TransactWriteCommand({ TransactItems }));
  };
  const send = async ({ input: { TransactItems = [] } }: TransactWriteCommand) => {
    if (collected.length + TransactItems.length > 100) await flush();
    collected.push(...TransactItems);
  };
  return { collecting: { send } as unknown as DynamoDBDocumentClient, flush };
}

/** With the members in the order of their names, whatever order they were stored in. */
function sorted(row: object): [string, unknown][] {
  return Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, value !== null && typeof value === 'object' ? sorted(value) : value]);
}
