import { type CommandRunnerOptions, type RowRunner, rowRunner, type Table } from '@millrace/event-store';
import type { Cause, EventContext } from '@millrace/events';
import type { CheckoutOrder } from '@millrace/orders/events';
import { StartCheckout } from '../../events/index.ts';
import { type Checkout, type CheckoutCommand, type CheckoutEvent, decide, evolve } from '../domain/checkout.ts';

/** The checkouts of one table, one row for each. */
export class Checkouts {
  readonly #rows: RowRunner<Checkout, CheckoutCommand, CheckoutEvent>;
  readonly #now: () => Date;

  constructor(table: Table, options: CommandRunnerOptions = {}) {
    const key = (checkoutId: string) => ({ pk: `CHECKOUT#${checkoutId}`, sk: 'CHECKOUT' });
    this.#rows = rowRunner({ table, key, decide, evolve, publish }, options);
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Asks for the checkout of an order, once.
   * @example await checkouts.request(order, { correlationId });
   */
  async request(order: CheckoutOrder, cause: Cause): Promise<void> {
    const command = { type: 'RequestCheckout', order, now: this.#now() } as const;
    await this.#rows.execute(order.orderId, command, { ...cause, assumeNew: true });
  }

  /** The checkout with this id, or undefined when it was never asked for, or is forgotten. */
  async find(checkoutId: string): Promise<Checkout | undefined> {
    return (await this.#rows.load(checkoutId)).state;
  }
}

function publish({ order }: CheckoutEvent, _: Checkout, context: EventContext) {
  return StartCheckout.create({ order }, context);
}
