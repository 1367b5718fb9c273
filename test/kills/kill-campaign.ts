import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@millrace/testing';
import { orderOf, Shop } from '../end-to-end/shop.ts';
import { Random } from '../random.ts';
import { startScript } from '../run-script.ts';
import { type RunningStart, startMillrace } from '../running-start.ts';
import { expireLocks } from './expire-locks.ts';
import { findViolations, INITIAL_STOCK, type PlacedOrder } from './violations.ts';

export interface KillOptions {
  /** How often the whole local cloud is killed. */
  kills: number;
  /** Of the moments; the same seed chooses the same ones. */
  seed: number;
  onProgress?: (line: string) => void;
}

export interface KillResult {
  /** Orders that were accepted. */
  orders: number;
  /** What is not as it must be, a line each. */
  violations: string[];
  /** Of the runtime; kept when there are violations. */
  dataDirectory: string;
  seconds: number;
}

const CLIENTS = 4;
/** At most so many orders are accepted before a kill, and so long it takes after the last of them, in ms. */
const ORDERS_BEFORE_KILL = 8;
const MS_BEFORE_KILL = 400;
/** Of four kills, one comes while the runtime starts. */
const KILLED_WHILE_STARTING = 0.25;
const START_MS = 3_000;

/**
 * Kills the local cloud at random moments, with SIGKILL, while customers place orders, and starts it again on the same data
 * directory. Then every order that was accepted must end, nothing may have happened twice, and the stock must be what it was.
 *
 * @example const { violations } = await runKills({ kills: 3, seed: 1 });
 */
export async function runKills({ kills, seed, onProgress = () => {} }: KillOptions): Promise<KillResult> {
  const startedAt = performance.now();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-kills-'));
  const campaign = new Campaign(dataDirectory, seed);
  try {
    await campaign.start();
    const load = campaign.load();
    for (let kill = 1; kill <= kills; kill += 1) {
      const moment = await campaign.kill();
      onProgress(`kill ${kill} of ${kills}: ${moment}; ${campaign.orders.length} orders so far`);
      await campaign.start();
    }
    campaign.endLoad();
    await load;
    onProgress(`${campaign.orders.length} orders are accepted; waiting until all have ended`);
    const violations = await findViolations(campaign.shop, campaign.awsUrl, campaign.orders, campaign.skus);
    return { orders: campaign.orders.length, violations, dataDirectory, seconds: secondsSince(startedAt) };
  } finally {
    await campaign.end();
  }
}

/** Removes what a campaign has kept. */
export async function removeData({ dataDirectory }: KillResult): Promise<void> {
  await rm(dataDirectory, { recursive: true, force: true });
}

/** The local cloud that is killed, and its customers. */
class Campaign {
  readonly orders: PlacedOrder[] = [];
  readonly skus: string[] = [];
  readonly #dataDirectory: string;
  readonly #args: readonly string[];
  readonly #random: Random;
  readonly #customerId = `customer-${randomUUID()}`;
  #running: RunningStart | undefined;
  /** Resolves when there is a runtime that answers. */
  #shop = Promise.withResolvers<Shop>();
  #accepted = new EventTarget();
  #isLoading = true;
  shop!: Shop;

  constructor(dataDirectory: string, seed: number) {
    this.#dataDirectory = dataDirectory;
    this.#args = ['--data-dir', dataDirectory, '--shuffle', '--seed', String(seed)];
    this.#random = new Random(seed);
  }

  get awsUrl(): string {
    return this.#running?.ready.awsUrl ?? '';
  }

  /** Starts the runtime, now and then after one that is killed while it starts. */
  async start(): Promise<void> {
    while (this.orders.length > 0 && this.#random.chance(KILLED_WHILE_STARTING)) {
      const { child, ended } = startScript('start', ['--cold', '--api-port', '0', '--aws-port', '0', ...this.#args]);
      await delay(this.#random.next() * START_MS);
      child.kill('SIGKILL');
      await ended;
      await expireLocks(this.#dataDirectory);
    }
    this.#running = await startMillrace({ args: this.#args });
    const { apiUrl, awsUrl, issuerUrl } = this.#running.ready;
    this.shop = new Shop({ apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` }, this.#customerId);
    while (this.skus.length < CLIENTS) this.skus.push(await this.shop.stocked(INITIAL_STOCK));
    this.#shop.resolve(this.shop);
  }

  /** Kills the runtime at a moment by chance. @returns the moment */
  async kill(): Promise<string> {
    const count = this.orders.length + this.#random.between(1, ORDERS_BEFORE_KILL);
    const ms = this.#random.between(0, MS_BEFORE_KILL - 1);
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.orders.length < count) return;
        this.#accepted.removeEventListener('accepted', look);
        resolve();
      };
      this.#accepted.addEventListener('accepted', look);
    });
    await delay(ms);
    this.#shop = Promise.withResolvers<Shop>();
    this.#running?.child.kill('SIGKILL');
    await this.#running?.ended;
    await expireLocks(this.#dataDirectory);
    return `${ms} ms after order ${count}`;
  }

  /** Places orders until `endLoad`. An order that got no answer is placed again, with its idempotency key, until it is accepted. */
  async load(): Promise<void> {
    await Promise.all(
      this.skus.map(async (sku) => {
        while (this.#isLoading) {
          const quantity = this.#random.between(1, 3);
          const order = orderOf(sku, quantity);
          const key = { 'idempotency-key': randomUUID() };
          const orderId = await eventually(async () => (await this.#shop.promise).place(order, key), {
            deadlineMs: 240_000,
            intervalMs: 50,
          });
          this.orders.push({ orderId, sku, quantity });
          this.#accepted.dispatchEvent(new Event('accepted'));
        }
      }),
    );
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

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
