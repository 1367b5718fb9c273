import { ConfigurationError, variableFrom } from '@millrace/errors';
import { type CommandRunnerOptions, type RowRunner, rowRunner, type Table } from '@millrace/event-store';
import type { Cause, EventContext } from '@millrace/events';
import type { CheckoutOrder } from '@millrace/orders/events';
import { StartCheckout } from '../../events/index.ts';
import {
  type Checkout,
  type CheckoutCommand,
  type CheckoutEvent,
  type CheckoutProcess,
  checkoutProcesses,
  decide,
  evolve,
} from '../domain/checkout.ts';

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
   * @param process what is to take it through its steps
   * @example await checkouts.request(order, checkoutProcessFromEnvironment(), { correlationId });
   */
  async request(order: CheckoutOrder, process: CheckoutProcess, cause: Cause): Promise<void> {
    const command = { type: 'RequestCheckout', order, process, now: this.#now() } as const;
    await this.#rows.execute(order.orderId, command, { ...cause, assumeNew: true });
  }

  /** The checkout with this id, or undefined when it was never asked for, or is forgotten. */
  async find(checkoutId: string): Promise<Checkout | undefined> {
    const { state } = await this.#rows.load(checkoutId);
    // Rows of earlier releases, which had the state machine alone, do not name it.
    return state && { ...state, process: state.process ?? 'state-machine' };
  }
}

/** What takes new checkouts through their steps: MILLRACE_CHECKOUT_PROCESS. @throws ConfigurationError */
export function checkoutProcessFromEnvironment(): CheckoutProcess {
  const text = variableFrom('MILLRACE_CHECKOUT_PROCESS', checkoutProcesses.join(' or '));
  const found = checkoutProcesses.find((process) => process === text);
  if (found) return found;
  throw new ConfigurationError('MILLRACE_CHECKOUT_PROCESS', `${checkoutProcesses.join(' or ')}, not ${text}`);
}

function publish({ order }: CheckoutEvent, _: Checkout, context: EventContext) {
  return StartCheckout.create({ order }, context);
}
