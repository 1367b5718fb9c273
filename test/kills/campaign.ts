import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { eventually } from '@millrace/testing';
import { Aws } from '../end-to-end/aws.ts';
import { checkoutIdOf, orderOf, partnerOrderOf, Shop } from '../end-to-end/shop.ts';
import { Random } from '../random.ts';
import { type RunningStart, startMillrace } from '../running-start.ts';
import { expireLocks } from './expire-locks.ts';
import { findViolations, INITIAL_STOCK, type PlacedOrder } from './violations.ts';

export interface CampaignOptions {
  /** How often there is trouble. */
  times: number;
  /** Of the moments; the same seed chooses the same ones. */
  seed: number;
  onProgress?: (line: string) => void;
}

export interface CampaignResult {
  /** Orders that were accepted. */
  orders: number;
  /** Of these, those that a partner sent. */
  partnerOrders: number;
  /** What is not as it must be, a line each. */
  violations: string[];
  /** Of the runtime; kept when there are violations. */
  dataDirectory: string;
  seconds: number;
}

const CLIENTS = 4;
/** What a partner's orders have as their customer. */
const PARTNER_ID = 'partner:acme';

/**
 * Starts the local cloud on a data directory, makes trouble for it again and again while customers place orders and a partner sends
 * some, and then waits until every order that was accepted has ended. Nothing may have happened twice, and the stock must be what it was.
 *
 * @param trouble what happens each time; afterwards the local cloud runs again. Returns what it was
 */
export async function runCampaign(
  { times, seed, onProgress = () => {} }: CampaignOptions,
  trouble: (campaign: Campaign) => Promise<string>,
): Promise<CampaignResult> {
  const startedAt = performance.now();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-campaign-'));
  const campaign = new Campaign(dataDirectory, seed);
  try {
    await campaign.start();
    const load = campaign.load();
    for (let time = 1; time <= times; time += 1) {
      const what = await Promise.race([trouble(campaign), load.then(() => 'no more orders')]);
      onProgress(`${time} of ${times}: ${what}; ${campaign.orders.length} orders so far`);
    }
    campaign.endLoad();
    await load;
    onProgress(`${campaign.orders.length} orders are accepted; waiting until all have ended`);
    const { orders, skus, shop, partner, awsUrl } = campaign;
    const violations = await findViolations([shop, partner], awsUrl, orders, skus);
    const seconds = (performance.now() - startedAt) / 1000;
    const partnerOrders = orders.filter(({ customerId }) => customerId === PARTNER_ID).length;
    return { orders: orders.length, partnerOrders, violations, dataDirectory, seconds };
  } finally {
    await campaign.end();
  }
}

/** Removes what a campaign has kept. */
export async function removeData({ dataDirectory }: CampaignResult): Promise<void> {
  await rm(dataDirectory, { recursive: true, force: true });
}

/** The runtime as those see it who order. */
interface Counter {
  shop: Shop;
  aws: Aws;
}

/** The local cloud that is in trouble, its customers, and a partner that sends orders. */
export class Campaign {
  readonly orders: PlacedOrder[] = [];
  /** Of each customer one, and of the partner. */
  readonly skus: string[] = [];
  readonly random: Random;
  readonly dataDirectory: string;
  /** For `npm start`. */
  readonly args: readonly string[];
  readonly #customerId = `customer-${randomUUID()}`;
  #running: RunningStart | undefined;
  /** Resolves when there is a runtime that answers. */
  #counter = Promise.withResolvers<Counter>();
  #refusals = 0;
  /** Tells of each order that was accepted or refused. */
  readonly #answers = new EventTarget();
  /** Resolves when customers may place orders. */
  #mayOrder: Promise<void> = Promise.resolve();
  #isLoading = true;
  /** As the customers see it. */
  shop!: Shop;
  /** As the partner sees it. */
  partner!: Shop;

  constructor(dataDirectory: string, seed: number) {
    this.dataDirectory = dataDirectory;
    this.args = ['--data-dir', dataDirectory, '--shuffle', '--seed', String(seed)];
    this.random = new Random(seed);
  }

  /** The process of the runtime. */
  get pid(): number {
    return this.#running?.ready.pid ?? 0;
  }

  /** False if the runtime has ended by itself. */
  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#running?.child ?? {};
    return exitCode === null && signalCode === null;
  }

  get awsUrl(): string {
    return this.#running?.ready.awsUrl ?? '';
  }

  async start(): Promise<void> {
    this.#running = await startMillrace({ args: this.args });
    const { apiUrl, awsUrl, issuerUrl } = this.#running.ready;
    const system = { apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` };
    this.shop = new Shop(system, this.#customerId);
    this.partner = new Shop(system, PARTNER_ID);
    while (this.skus.length < CLIENTS + 1) this.skus.push(await this.shop.stocked(INITIAL_STOCK));
    this.#counter.resolve({ shop: this.shop, aws: new Aws({ awsUrl }) });
  }

  /** Kills the runtime. */
  async kill(): Promise<void> {
    this.#counter = Promise.withResolvers<Counter>();
    this.#running?.child.kill('SIGKILL');
    await this.#running?.ended;
    await expireLocks(this.dataDirectory);
  }

  /** Waits until so many orders more are accepted. */
  untilAccepted(count: number): Promise<void> {
    const all = this.orders.length + count;
    return this.#until(() => this.orders.length >= all);
  }

  /** Waits until so many orders more are refused. */
  untilRefused(count: number): Promise<void> {
    const all = this.#refusals + count;
    return this.#until(() => this.#refusals >= all);
  }

  #until(isDone: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!isDone()) return;
      this.#answers.removeEventListener('answer', look);
      resolve();
    };
    this.#answers.addEventListener('answer', look);
    look();
    return promise;
  }

  /**
   * Places orders until `endLoad`. An order that got no answer is placed again until it is accepted: by a customer with its idempotency
   * key, by the partner with its number.
   */
  async load(): Promise<void> {
    const [partnersSku = '', ...customersSkus] = this.skus;
    await Promise.all([...customersSkus.map((sku) => this.#order(sku)), this.#sendOrders(partnersSku)]);
  }

  async #order(sku: string): Promise<void> {
    for (;;) {
      await this.#mayOrder;
      if (!this.#isLoading) return;
      const quantity = this.random.between(1, 3);
      const order = orderOf(sku, quantity);
      const key = { 'idempotency-key': randomUUID() };
      const orderId = await this.#accepted(({ shop }) => shop.place(order, key));
      this.#add({ orderId, sku, quantity, customerId: this.#customerId });
    }
  }

  /** The partner sends an order for each one that a customer has placed: without an answer to wait for it would send hundreds. */
  async #sendOrders(sku: string): Promise<void> {
    for (let sent = 1; ; sent += 1) {
      await this.#until(() => this.orders.length >= 2 * sent - 1 || !this.#isLoading);
      await this.#mayOrder;
      if (!this.#isLoading) return;
      const quantity = this.random.between(1, 3);
      const order = partnerOrderOf(sku, { items: [{ article: sku, pieces: quantity, price: '3.49' }] });
      await this.#accepted(async ({ aws }) => {
        const QueueUrl = await aws.queueUrl('partner-orders', 'acme');
        await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(order) }));
      });
      this.#add({ orderId: checkoutIdOf(order), sku, quantity, customerId: PARTNER_ID, process: 'checkout' });
    }
  }

  #add(order: PlacedOrder): void {
    this.orders.push(order);
    this.#answers.dispatchEvent(new Event('answer'));
  }

  /** Has customers wait while something takes long. Otherwise they would place hundreds of orders meanwhile, which all have to end. */
  async withoutOrders(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mayOrder = promise;
    try {
      await work();
    } finally {
      resolve();
    }
  }

  /** Tries until the runtime has accepted something. */
  #accepted<Answer>(place: (counter: Counter) => Promise<Answer>): Promise<Answer> {
    return eventually(
      async () => {
        const counter = await this.#counter.promise;
        try {
          return await place(counter);
        } catch (error) {
          this.#refusals += 1;
          this.#answers.dispatchEvent(new Event('answer'));
          throw error;
        }
      },
      { deadlineMs: 240_000, intervalMs: 50 },
    );
  }

  endLoad(): void {
    this.#isLoading = false;
    this.#answers.dispatchEvent(new Event('answer'));
  }

  async end(): Promise<void> {
    this.endLoad();
    this.#running?.child.kill('SIGTERM');
    await this.#running?.ended;
  }
}
