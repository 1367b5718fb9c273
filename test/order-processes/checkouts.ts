import { orderBody } from './order-body.ts';
import type { OrderProcess, OrderScript } from './scripts.ts';
import type { Shop } from './shop.ts';

/** Some minutes less than the time that an approval has. */
const APPROVAL_MS = (24 * 60 - 10) * 60_000;
/** How far time is moved at once while steps may be retried. In ms. */
const STEP_MS = 20_000;

/** Does something to the call of a step: fails before it, or after it. */
export type Fault = (step: string, call: () => Promise<unknown>) => Promise<unknown>;

/** Orders by `POST /checkouts`, which one of its processes takes through their steps. */
export abstract class CheckoutProcess implements OrderProcess {
  protected readonly shop: Shop;
  /** For the calls of all steps. */
  fault: Fault = (_, call) => call();
  protected inFlight = 0;

  constructor(shop: Shop) {
    this.shop = shop;
  }

  /** Resumes the checkout that has stopped, as an operator does. */
  abstract resume(checkoutId: string): Promise<void>;
  protected abstract isRunning(checkoutId: string): Promise<boolean>;
  protected abstract advance(ms: number): Promise<void>;
  /** Waits until no step is under way, and none begins by itself. */
  protected abstract quiet(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  async call(step: string, run: () => Promise<unknown>): Promise<unknown> {
    this.inFlight += 1;
    try {
      return await this.fault(step, run);
    } finally {
      this.inFlight -= 1;
    }
  }

  async run(scripts: readonly OrderScript[]): Promise<string[]> {
    const ids: string[] = [];
    for (const script of scripts) ids.push(await this.start(script));
    await this.shop.settle();
    await this.end(ids);
    for (const [index, id] of ids.entries()) {
      const { kind = 'good' } = scripts[index] ?? {};
      if ((await this.statusOf(id)) !== 'AWAITING_APPROVAL' || kind === 'approval timed out') continue;
      if (kind === 'cancelled half-way') {
        await this.shop.request('orders.postCancellation', 'POST /orders/{orderId}/cancellation', {
          path: { orderId: id },
        });
      }
      await this.approve(id, kind !== 'approval refused');
    }
    await this.end(ids);
    // Those that nobody answers: most of a day, and then step by step, as steps are under way afterwards.
    await this.advance(APPROVAL_MS);
    await this.end(ids, { alsoWaiting: true });
    return ids;
  }

  /** Starts the checkout of an order. @returns its id */
  async start(script: OrderScript): Promise<string> {
    const { checkoutId } = await this.shop.request('checkout.postCheckout', 'POST /checkouts', {
      body: orderBody(script),
    });
    return String(checkoutId);
  }

  /** Answers a checkout that waits for its approval, as soon as it can be answered: asking for it may have to be retried. */
  async approve(checkoutId: string, approved: boolean): Promise<void> {
    const route = 'POST /checkouts/{checkoutId}/approval';
    const request = { sub: 'staff', path: { checkoutId }, body: { approved } };
    while ((await this.statusOf(checkoutId)) === 'AWAITING_APPROVAL') {
      try {
        await this.shop.request('checkout.postApproval', route, request);
        return;
      } catch (error) {
        if (!/answered 409/.test(String(error))) throw error;
        await this.advance(STEP_MS);
        await this.quiet();
      }
    }
  }

  async statusOf(checkoutId: string): Promise<string> {
    const route = 'GET /checkouts/{checkoutId}';
    const { status } = await this.shop.request('checkout.getCheckout', route, { path: { checkoutId } });
    return String(status);
  }

  /** Lets time pass until checkouts have ended, have stopped, or wait for a person; and delivers what they store for the bus. */
  async end(checkoutIds: readonly string[], { alsoWaiting = false } = {}): Promise<void> {
    const underWay = new Set(checkoutIds);
    for (let step = 0; step < 600 && underWay.size > 0; step += 1) {
      await this.quiet();
      for (const id of underWay) if (!(await this.#isUnderWay(id, alsoWaiting))) underWay.delete(id);
      if (underWay.size > 0) await this.advance(STEP_MS);
    }
    await this.shop.settle();
  }

  async #isUnderWay(checkoutId: string, alsoWaiting: boolean): Promise<boolean> {
    if (!(await this.isRunning(checkoutId))) return false;
    return alsoWaiting || (await this.statusOf(checkoutId)) !== 'AWAITING_APPROVAL';
  }
}
