import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { derivedId } from '@millrace/events';
import type { Runtime, Usage } from '@millrace/local';
import { type Load, request, tokenOf } from './load.ts';
import { type OrderProcess, type PlannedOrder, plannedOrder, READS } from './order-mix.ts';

/** SKUs of each customer. */
const SKUS = 3;
const PLENTY = 1_000_000;
const ORDER_DEADLINE_MS = 60_000;
/** `prod` writes to verified addresses alone, and sends SMS to some countries. */
const PHONE = '+4915112345678';
const ADDRESS = { city: 'Berlin', country: 'DE' };
/** The partner that customers of `partner-orders` order from. */
const PARTNER = 'acme';

const TOKENS: Readonly<Record<PlannedOrder['outcome'], string>> = {
  paid: 'tok_approved',
  declined: 'tok_declined',
  'out of stock': 'tok_approved',
  'paid at the third attempt': 'tok_temporarily_unavailable',
};

interface CustomersOptions {
  runtime: Runtime;
  stage: string;
  process: OrderProcess;
  /** Customers at once. */
  clients: number;
  usage: Usage;
}

/** One order that a customer places. */
interface Wish {
  email: string;
  phone: string | undefined;
  skus: readonly string[];
  paymentToken: string;
}

/** The customers of a shop, and its staff. */
export class Customers implements Load {
  readonly #options: CustomersOptions;
  readonly #sqs: SQSClient;
  /** Of each customer: its SKUs begin with it. */
  readonly #names: readonly string[];

  constructor(options: CustomersOptions) {
    this.#options = options;
    this.#names = Array.from({ length: options.clients }, (_, index) => `C${index + 1}`);
    this.#sqs = new SQSClient({
      endpoint: options.runtime.awsUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'cost', secretAccessKey: 'local' },
    });
  }

  /** Fills the stock, for any number of orders. */
  async prepare(): Promise<void> {
    const { runtime } = this.#options;
    const token = await tokenOf(runtime, { subject: 'staff-1', scope: 'stock:write' });
    const set = (sku: string, available: number) =>
      request(runtime, ['PUT', `/stock/${sku}`, 200], token, { available });
    for (const name of this.#names) {
      for (let line = 1; line <= SKUS; line += 1) await set(`${name}-${line}`, PLENTY);
      await set(`${name}-none`, 0);
    }
  }

  /**
   * Places orders, each customer one after the other, and waits until each has ended.
   * @returns from the request of each order to its mail, in ms
   * @throws Error when an order does not end within a minute
   */
  async run(orders: number): Promise<number[]> {
    const latenciesMs: number[] = [];
    let placed = 0;
    const customer = async (name: string): Promise<void> => {
      while (placed < orders) {
        const order = plannedOrder(placed);
        placed += 1;
        latenciesMs.push(await this.#order(name, order));
      }
    };
    await Promise.all(this.#names.map(customer));
    return latenciesMs;
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#sqs.destroy();
  }

  /** @returns from the request to the mail, in ms */
  async #order(name: string, { outcome, lines, phone }: PlannedOrder): Promise<number> {
    const skus = Array.from({ length: lines }, (_, index) => `${name}-${index + 1}`);
    if (outcome === 'out of stock') skus[lines - 1] = `${name}-none`;
    const wish: Wish = {
      email: `${randomUUID()}@example.com`,
      phone: phone ? PHONE : undefined,
      skus,
      paymentToken: TOKENS[outcome],
    };
    const { process } = this.#options;
    const started = performance.now();
    const route = process === 'orders' ? '/orders' : '/checkouts';
    const { orderId, token } = await (process === 'partner-orders' ? this.#send(wish) : this.#post(wish, route));
    await this.#untilTold(wish.email, `Order ${orderId} (${outcome})`);
    const latencyMs = performance.now() - started;
    for (let read = 0; read < READS; read += 1)
      await request(this.#options.runtime, ['GET', `/orders/${orderId}`, 200], token);
    return latencyMs;
  }

  /** Posts an order. Each is another customer's: what one customer may place in an hour is limited. */
  async #post(
    { email, phone, skus, paymentToken }: Wish,
    route: '/orders' | '/checkouts',
  ): Promise<{ orderId: string; token: string }> {
    const scope = 'orders:read orders:write checkouts:write';
    const { runtime } = this.#options;
    const token = await tokenOf(runtime, { subject: randomUUID(), scope, email, phone: PHONE });
    const { orderId } = await request<{ orderId: string }>(runtime, ['POST', route, 202], token, {
      customer: { name: 'Ada Example', email, ...(phone && { phone }) },
      shippingAddress: { line1: 'Mill Lane 1', postalCode: '10115', ...ADDRESS },
      currency: 'EUR',
      lines: skus.map((sku) => ({ sku, quantity: 1, unitPrice: 349 })),
      paymentToken,
    });
    return { orderId, token };
  }

  /** Sends an order to the partner's queue. The partner looks at it afterwards. */
  async #send({ email, phone, skus, paymentToken }: Wish): Promise<{ orderId: string; token: string }> {
    const { runtime, stage, usage } = this.#options;
    const token = await tokenOf(runtime, { subject: `partner:${PARTNER}`, scope: 'orders:read' });
    const orderNumber = randomUUID();
    const order = {
      orderNumber,
      buyer: { name: 'Ada Example', email, ...(phone && { phone }) },
      deliverTo: { street: 'Mill Lane 1', postcode: '10115', ...ADDRESS },
      currency: 'EUR',
      items: skus.map((article) => ({ article, pieces: 1, price: '3.49' })),
      paymentToken,
    };
    const QueueName = `millrace-partner-orders-${stage}-${PARTNER}`;
    const { QueueUrl } = await this.#sqs.send(new GetQueueUrlCommand({ QueueName }));
    await this.#sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(order) }));
    // The runtime meters the calls of functions alone. This one is the partner's, and billed to the owner of the queue.
    usage.add('sqs.requests', QueueName, 1, 'SendMessage');
    return { orderId: derivedId(['partner-order', PARTNER, orderNumber]), token };
  }

  /** The mail is the last thing that happens to an order. */
  async #untilTold(email: string, what: string): Promise<void> {
    const deadline = Date.now() + ORDER_DEADLINE_MS;
    while (this.#options.runtime.messages.list({ to: email }).length === 0) {
      if (Date.now() > deadline) throw new Error(`${what} did not end within ${ORDER_DEADLINE_MS / 1000} s`);
      await delay(10);
    }
  }
}
