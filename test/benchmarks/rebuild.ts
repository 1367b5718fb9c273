/**
 * `npm run bench:rebuild`: fills an event store with orders in the DynamoDB of the local runtime, runs `npm run rebuild` for
 * each of the orders' projections, once in peace and once while orders arrive and the command is killed, compares each row
 * with what follows from the events, and prints events per second.
 */
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DocumentClient, documentClient, paginateScan, TransactWriteCommand } from '@millrace/aws';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { DynamoDbEventStore, EmittedEvents, type NewEvent, type TransactWrite } from '@millrace/event-store';
import {
  Pointers,
  type Projection,
  ProjectionTable,
  Projector,
  partitionKey,
  type RowKey,
} from '@millrace/projections';
import { eventually } from '@millrace/testing';
import { startTestDynamoDb } from '@millrace/testing/dynamodb';
import { exampleOrder, OrderCancelled, OrderConfirmed, OrderPlaced } from '../../services/orders/events/index.ts';
import * as projections from '../../services/orders/projections/index.ts';
import { streamOf as streamIdOf } from '../../services/orders/src/adapters/orders.ts';
import type { OrderEvent } from '../../services/orders/src/domain/order.ts';
import { startScript } from '../run-script.ts';

const HELP = `Measures npm run rebuild.

Usage: npm run bench:rebuild -- [options]

  --orders <n>     orders in the event store (20000)
  --arriving <n>   orders that arrive in a second during the second rebuild of each projection (20; 0: no second rebuilds)
  --kills <n>      how often the command is killed during each of these, at random (2)
  --help           show this

Exit codes: 0 done, 1 a row is not as it must be, or something failed, 2 misused.`;

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

const STAGE = 'bench';
const EVENT_TABLE = `millrace-orders-${STAGE}`;

type Events = readonly NewEvent<OrderEvent>[];

/** What the rows of a projection must be, by their places. */
class Expected {
  readonly projection: Projection;
  readonly rows = new Map<string, object>();
  /** Where the last event of each order went. */
  readonly #keys = new Map<string, RowKey>();

  constructor(projection: Projection) {
    this.projection = projection;
  }

  add(orderId: string, events: Events): void {
    for (const { emit } of events) {
      if (!emit || !this.projection.events.some(({ detailType }) => detailType === emit.detailType)) continue;
      const event = emit.event as Parameters<Projection['evolve']>[1];
      const key = this.projection.keyOf(event, this.#keys.get(orderId));
      this.#keys.set(orderId, key);
      const place = `${key.partition} ${key.sort}`;
      this.rows.set(place, this.projection.evolve(this.rows.get(place), event));
    }
  }

  /** Whether the rows of a version are these. */
  async equals({ client, tableName }: ProjectionTable, version: number): Promise<boolean> {
    const start = partitionKey(this.projection.name, version, '');
    const pages = paginateScan(client, {
      TableName: tableName,
      Limit: 3_000,
      FilterExpression: 'begins_with(pk, :rows)',
      ExpressionAttributeValues: { ':rows': start },
    });
    let equal = 0;
    let others = 0;
    for await (const { Items = [] } of pages) {
      for (const { pk, sk, row } of Items) {
        const wanted = this.rows.get(`${String(pk).slice(start.length)} ${sk}`);
        if (wanted && JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(row))) equal += 1;
        else others += 1;
      }
    }
    return others === 0 && equal === this.rows.size;
  }
}

/** Orders that go on while a projection is rebuilt, stored and projected as the service does it. */
class Arrivals {
  readonly #store: DynamoDbEventStore<OrderEvent>;
  readonly #projector: Projector;
  readonly #expected: readonly Expected[];
  /** The next ones to arrive: of every other, the first event is stored already. */
  readonly #unfinished: { orderId: string; events: Events }[];
  #index: number;
  events = 0;

  constructor(
    store: DynamoDbEventStore<OrderEvent>,
    projector: Projector,
    expected: readonly Expected[],
    unfinished: { orderId: string; events: Events }[],
    index: number,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#expected = expected;
    this.#unfinished = unfinished;
    this.#index = index;
  }

  /** Lets orders arrive until the signal, as many a second at most. @throws what the store and the projector throw */
  async come(perSecond: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begun = performance.now();
      const old = this.#index % 2 === 0 ? this.#unfinished.pop() : undefined;
      const { orderId, events } = old ?? streamOf(this.#index);
      this.#index += 1;
      if (!old) await this.#append(orderId, 0, events.slice(0, 1));
      await this.#append(orderId, 1, events.slice(1));
      await sleep(Math.max(0, begun + 1_000 / perSecond - performance.now()));
    }
  }

  async #append(orderId: string, version: number, events: Events): Promise<void> {
    await this.#store.append(streamIdOf(orderId), version, events);
    for (const each of this.#expected) each.add(orderId, events);
    for (const { emit } of events) {
      if (!emit) continue;
      await this.#projector.handle(emit.event as Parameters<Projector['handle']>[0]);
      this.events += 1;
    }
  }
}

/**
 * Runs the command, and kills it once the rebuild has looked at as many items of the event store, as often as told.
 * @returns how often it was killed: not where it was done before; and what the last run says of its speed
 */
async function rebuild(pointers: Pointers, projection: Projection, killsAt: readonly number[] = []) {
  const args = [projection.name, '--stage', STAGE, '--endpoint', process.env.AWS_ENDPOINT_URL_DYNAMODB ?? ''];
  let killed = 0;
  for (const scanned of killsAt) {
    const { child, ended } = startScript('rebuild', args);
    await eventually(
      async () => {
        const [pointer] = await pointers.read([projection.name]);
        if ((pointer?.building?.scanned ?? 0) >= scanned || child.exitCode !== null) return;
        throw new Error(`The rebuild of ${projection.name} did not get to ${scanned}`);
      },
      { deadlineMs: 300_000, intervalMs: 50 },
    );
    child.kill('SIGKILL');
    if ((await ended).signal === 'SIGKILL') killed += 1;
  }
  const { exitCode, stdout, stderr } = await startScript('rebuild', args).ended;
  if (exitCode !== 0) throw new Error(`npm run rebuild -- ${projection.name} ended with ${exitCode}: ${stderr}`);
  return { killed, speed: /^.* events in .*$/m.exec(stdout)?.[0] ?? '' };
}

/** @returns the exit code */
async function measure(orders: number, arriving: number, kills: number): Promise<number> {
  const dynamoDb = await startTestDynamoDb();
  let exitCode = 0;
  try {
    await dynamoDb.createTable(EVENT_TABLE);
    await dynamoDb.createTable(`${EVENT_TABLE}-projections`);
    const client = documentClient();
    const { collecting, flush } = inLargeTransactions(client);
    const filling = new DynamoDbEventStore<OrderEvent>(collecting, EVENT_TABLE);
    const known: readonly Projection[] = Object.values(projections);
    const expected = known.map((projection) => new Expected(projection));
    console.log(`${orders} orders in DynamoDB on ${cpus().length} × ${cpus()[0]?.model}`);

    let stored = 0;
    const unfinished: { orderId: string; events: Events }[] = [];
    for (let index = 0; index < orders; index += 1) {
      const { orderId, events } = streamOf(index);
      const isUnfinished = arriving > 0 && index % 20 === 19;
      if (isUnfinished) unfinished.push({ orderId, events });
      const now = isUnfinished ? events.slice(0, 1) : events;
      await filling.append(streamIdOf(orderId), 0, now);
      for (const each of expected) each.add(orderId, now);
      stored += now.length;
    }
    await flush();
    console.log(`${stored.toLocaleString('en')} events stored`);

    const table = new ProjectionTable(client, `${EVENT_TABLE}-projections`);
    const pointers = new Pointers(table);
    const say = async (each: Expected, what: string) => {
      const equal = await each.equals(table, await pointers.live(each.projection.name));
      console.log(
        `${each.projection.name.padEnd(20)} ${what}, ${each.rows.size.toLocaleString('en')} rows ${equal ? 'equal' : 'NOT EQUAL'}`,
      );
      if (!equal) exitCode = 1;
    };
    for (const each of expected) await say(each, (await rebuild(pointers, each.projection)).speed);

    if (arriving > 0) {
      const history = { emitted: new EmittedEvents(client, EVENT_TABLE), streamOf: streamIdOf };
      const store = new DynamoDbEventStore<OrderEvent>(client, EVENT_TABLE);
      const arrivals = new Arrivals(store, new Projector(table, known, history), expected, unfinished, orders);
      console.log(`Again, while up to ${arriving} orders a second arrive, and killed up to ${kills} times each`);
      for (const each of expected) {
        const before = arrivals.events;
        const killsAt = Array.from({ length: kills }, () => Math.floor(Math.random() * 0.8 * stored)).sort(
          (a, b) => a - b,
        );
        const stop = new AbortController();
        const coming = arrivals.come(arriving, stop.signal);
        coming.catch(() => undefined);
        const { killed, speed } = await rebuild(pointers, each.projection, killsAt).finally(() => stop.abort());
        await coming;
        await say(each, `killed ${killed} times, ${arrivals.events - before} events arrived, the last run: ${speed}`);
      }
    }
  } finally {
    await dynamoDb.stop();
  }
  return exitCode;
}

/** A client whose transactions are carried out together, as many as fit into one: filling the store is not what is measured. */
function inLargeTransactions(client: DocumentClient) {
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
  return { collecting: { send } as unknown as DocumentClient, flush };
}

/** With the members in the order of their names, whatever order they were stored in. */
function sorted(row: object): [string, unknown][] {
  return Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, value !== null && typeof value === 'object' ? sorted(value) : value]);
}

await runCommand('bench:rebuild', async () => {
  const { values } = readArguments({
    options: {
      orders: { type: 'string' },
      arriving: { type: 'string' },
      kills: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const orders = readNumber('orders', values.orders, { minimum: 1, whole: true }) ?? 20_000;
  const arriving = readNumber('arriving', values.arriving, { minimum: 0, whole: true }) ?? 20;
  const kills = readNumber('kills', values.kills, { minimum: 0, whole: true }) ?? 2;
  return measure(orders, arriving, kills);
});
