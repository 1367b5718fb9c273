import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { type Runtime, requestToken, startRuntime, Usage } from '@millrace/local';
import { storedBytesOf } from './item-size.ts';
import type { Measurement, StoredBytes } from './measurement.ts';
import { type PlannedOrder, plannedOrder, READS } from './order-mix.ts';

export interface CountOptions {
  /** Directories of the services. */
  services: string[];
  stage: string;
  /** The route that takes the orders. */
  process: 'orders' | 'checkouts';
  orders: number;
  /** Customers at once. Each orders its own SKUs, again and again. */
  clients: number;
  /** Name of the attribute with the time to live, by table. */
  timeToLive: ReadonlyMap<string, string>;
  tables: readonly string[];
  onProgress: (line: string) => void;
}

/** SKUs of each customer. */
const SKUS = 3;
const PLENTY = 1_000_000;
/** Orders before the counting starts, at most as many as are counted: functions load their code, and get faster. */
const WARM_UP = 20;
const ORDER_DEADLINE_MS = 60_000;
/** Longer than any run. */
const TOKEN_SECONDS = 24 * 60 * 60;
const QUIET_MS = 2_000;
const QUIET_DEADLINE_MS = 60_000;

const TOKENS: Readonly<Record<PlannedOrder['outcome'], string>> = {
  paid: 'tok_approved',
  declined: 'tok_declined',
  'out of stock': 'tok_approved',
  'paid at the third attempt': 'tok_temporarily_unavailable',
};

/**
 * Starts the local runtime, places orders of the usual mix, and returns what they used once everything that follows from
 * them has happened.
 *
 * @throws Error when the runtime cannot start, or an order does not end within a minute
 */
export async function countOrders(options: CountOptions): Promise<Measurement> {
  const { services, stage, orders, clients, onProgress } = options;
  const usage = new Usage();
  const runtime = await startRuntime({
    services,
    stage,
    usage,
    apiPort: 0,
    awsPort: 0,
    // The orders before the counting start those that are used.
    coldFunctions: true,
    onProgress,
  });
  try {
    const shop = await Customers.of(runtime, options);
    await shop.stockUp();
    onProgress('Warming up');
    await shop.place(Math.min(WARM_UP, orders));
    await untilQuiet(usage);
    const storedBefore = await storedBytes(runtime, options);
    usage.clear();
    onProgress(`Counting ${orders} orders`);
    await shop.place(orders);
    await untilQuiet(usage);
    const storedAfter = await storedBytes(runtime, options);
    return { orders, clients, stage, usage: usage.entries(), stored: difference(storedAfter, storedBefore) };
  } finally {
    await runtime.stop();
  }
}

interface Client {
  /** Its SKUs begin with it. */
  name: string;
}

/** `prod` writes to verified addresses alone, and sends SMS to some countries. */
const PHONE = '+4915112345678';

/** The customers of a shop, and its staff. */
class Customers {
  readonly #runtime: Runtime;
  readonly #clients: readonly Client[];
  readonly #staffToken: string;
  readonly #process: CountOptions['process'];

  private constructor(
    runtime: Runtime,
    clients: readonly Client[],
    { staffToken, process }: { staffToken: string; process: CountOptions['process'] },
  ) {
    this.#runtime = runtime;
    this.#process = process;
    this.#clients = clients;
    this.#staffToken = staffToken;
  }

  static async of(runtime: Runtime, { clients, process }: CountOptions): Promise<Customers> {
    const known = Array.from({ length: clients }, (_, index) => ({ name: `C${index + 1}` }));
    const staffToken = await tokenOf(runtime, { subject: 'staff-1', scope: 'stock:write' });
    return new Customers(runtime, known, { staffToken, process });
  }

  async stockUp(): Promise<void> {
    const set = (sku: string, available: number) =>
      this.#request('PUT', `/stock/${sku}`, 200, this.#staffToken, { available });
    for (const { name } of this.#clients) {
      for (let line = 1; line <= SKUS; line += 1) await set(`${name}-${line}`, PLENTY);
      await set(`${name}-none`, 0);
    }
  }

  /** Places orders, each customer one after the other, and waits until each has ended. */
  async place(orders: number): Promise<void> {
    let placed = 0;
    const customer = async (client: Client): Promise<void> => {
      while (placed < orders) {
        const order = plannedOrder(placed);
        placed += 1;
        await this.#order(client, order);
      }
    };
    await Promise.all(this.#clients.map(customer));
  }

  /** Each order is another customer's: what one customer may place in an hour is limited. */
  async #order({ name }: Client, { outcome, lines, phone }: PlannedOrder): Promise<void> {
    const email = `${randomUUID()}@example.com`;
    const wish = { subject: randomUUID(), scope: 'orders:read orders:write checkouts:write', email, phone: PHONE };
    const token = await tokenOf(this.#runtime, wish);
    const skus = Array.from({ length: lines }, (_, index) => `${name}-${index + 1}`);
    if (outcome === 'out of stock') skus[lines - 1] = `${name}-none`;
    const { orderId } = await this.#request('POST', `/${this.#process}`, 202, token, {
      customer: { name: 'Ada Example', email, ...(phone ? { phone: PHONE } : {}) },
      shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
      currency: 'EUR',
      lines: skus.map((sku) => ({ sku, quantity: 1, unitPrice: 349 })),
      paymentToken: TOKENS[outcome],
    });
    await this.#untilTold(email, `Order ${orderId} (${outcome})`);
    for (let read = 0; read < READS; read += 1) await this.#request('GET', `/orders/${orderId}`, 200, token);
  }

  /** The mail is the last thing that happens to an order. */
  async #untilTold(email: string, what: string): Promise<void> {
    const deadline = Date.now() + ORDER_DEADLINE_MS;
    while (this.#runtime.messages.list({ to: email }).length === 0) {
      if (Date.now() > deadline) throw new Error(`${what} did not end within ${ORDER_DEADLINE_MS / 1000} s`);
      await delay(10);
    }
  }

  async #request(
    method: string,
    path: string,
    status: number,
    token: string,
    body?: unknown,
  ): Promise<{ orderId: string }> {
    const response = await fetch(`${this.#runtime.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== status) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as { orderId: string };
  }
}

/** Waits until nothing has been counted for a while. */
async function untilQuiet(usage: Usage): Promise<void> {
  const deadline = Date.now() + QUIET_DEADLINE_MS;
  for (let quietSince = Date.now(), last = usage.additions; Date.now() - quietSince < QUIET_MS; await delay(50)) {
    if (usage.additions !== last) {
      quietSince = Date.now();
      last = usage.additions;
    }
    if (Date.now() > deadline) throw new Error(`The system was not quiet within ${QUIET_DEADLINE_MS / 1000} s`);
  }
}

async function storedBytes(
  { awsUrl }: Runtime,
  { tables, timeToLive }: Pick<CountOptions, 'tables' | 'timeToLive'>,
): Promise<StoredBytes[]> {
  const client = new DynamoDBClient({
    endpoint: awsUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'cost', secretAccessKey: 'local' },
  });
  const stored: StoredBytes[] = [];
  for (const table of tables) {
    const bytes = { table, kept: 0, expiring: 0 };
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table })) {
      for (const item of Items) {
        const kind = (timeToLive.get(table) ?? '') in item ? 'expiring' : 'kept';
        bytes[kind] += storedBytesOf(item);
      }
    }
    stored.push(bytes);
  }
  client.destroy();
  return stored;
}

function difference(after: readonly StoredBytes[], before: readonly StoredBytes[]): StoredBytes[] {
  return after
    .map(({ table, kept, expiring }) => {
      const earlier = before.find((other) => other.table === table);
      return { table, kept: kept - (earlier?.kept ?? 0), expiring: expiring - (earlier?.expiring ?? 0) };
    })
    .filter(({ kept, expiring }) => kept !== 0 || expiring !== 0);
}

function tokenOf({ awsUrl }: Runtime, wish: Parameters<typeof requestToken>[1]): Promise<string> {
  return requestToken(`${awsUrl}/_local/issuer`, { ...wish, expiresIn: TOKEN_SECONDS });
}
