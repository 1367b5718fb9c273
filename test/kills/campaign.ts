import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';
import { orderOf, Shop } from '../end-to-end/shop.ts';
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
  /** What is not as it must be, a line each. */
  violations: string[];
  /** Of the runtime; kept when there are violations. */
  dataDirectory: string;
  seconds: number;
}

const CLIENTS = 4;

/**
 * Starts the local cloud on a data directory, makes trouble for it again and again while customers place orders, and then waits until
 * every order that was accepted has ended. Nothing may have happened twice, and the stock must be what it was.
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
    const violations = await findViolations(campaign.shop, campaign.awsUrl, campaign.orders, campaign.skus);
    const seconds = (performance.now() - startedAt) / 1000;
    return { orders: campaign.orders.length, violations, dataDirectory, seconds };
  } finally {
    await campaign.end();
  }
}

/** Removes what a campaign has kept. */
export async function removeData({ dataDirectory }: CampaignResult): Promise<void> {
  await rm(dataDirectory, { recursive: true, force: true });
}

/** The local cloud that is in trouble, and its customers. */
export class Campaign {
  readonly orders: PlacedOrder[] = [];
  readonly skus: string[] = [];
  readonly random: Random;
  readonly dataDirectory: string;
  /** For `npm start`. */
  readonly args: readonly string[];
  readonly #customerId = `customer-${randomUUID()}`;
  #running: RunningStart | undefined;
  /** Resolves when there is a runtime that answers. */
  #shop = Promise.withResolvers<Shop>();
  #refusals = 0;
  /** Tells of each order that was accepted or refused. */
  readonly #answers = new EventTarget();
  /** Resolves when customers may place orders. */
  #mayOrder: Promise<void> = Promise.resolve();
  #isLoading = true;
  shop!: Shop;

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
    this.shop = new Shop({ apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` }, this.#customerId);
    while (this.skus.length < CLIENTS) this.skus.push(await this.shop.stocked(INITIAL_STOCK));
    this.#shop.resolve(this.shop);
  }

  /** Kills the runtime. */
  async kill(): Promise<void> {
    this.#shop = Promise.withResolvers<Shop>();
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

  /** Places orders until `endLoad`. An order that got no answer is placed again, with its idempotency key, until it is accepted. */
  async load(): Promise<void> {
    await Promise.all(
      this.skus.map(async (sku) => {
        for (;;) {
          await this.#mayOrder;
          if (!this.#isLoading) return;
          const quantity = this.random.between(1, 3);
          const order = orderOf(sku, quantity);
          const key = { 'idempotency-key': randomUUID() };
          const orderId = await eventually(() => this.#place(order, key), { deadlineMs: 240_000, intervalMs: 50 });
          this.orders.push({ orderId, sku, quantity });
          this.#answers.dispatchEvent(new Event('answer'));
        }
      }),
    );
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

  async #place(order: unknown, headers: Record<string, string>): Promise<string> {
    const shop = await this.#shop.promise;
    try {
      return await shop.place(order, headers);
    } catch (error) {
      this.#refusals += 1;
      this.#answers.dispatchEvent(new Event('answer'));
      throw error;
    }
  }

  endLoad(): void {
    this.#isLoading = false;
  }

  async end(): Promise<void> {
    this.#isLoading = false;
    this.#running?.child.kill('SIGTERM');
    await this.#running?.ended;
  }
}
