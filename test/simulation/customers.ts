import { backoffBound } from '@millrace/retry';
import { httpRequest } from '@millrace/testing';
import type { OrderScript, SlotScript } from './plan.ts';
import type { World } from './world.ts';

interface Answer {
  statusCode?: number;
  body?: string;
}

/** A customer gives a request up that often failed. */
const MAX_TRIES = 12;

/** No event. */
export const MALFORMED = '{"order": 1';

/** What customers did, and what they were told. */
export class Customers {
  readonly #world: World;
  /** The order's id by the number of its script, of those that were accepted. */
  readonly accepted = new Map<number, string>();

  constructor(world: World) {
    this.#world = world;
    for (const script of world.plan.orders) {
      world.scheduler.after(script.at, () => this.#begin(script));
    }
    for (const { at, queue } of world.plan.malformed) {
      const names = world.queues.names.filter((name) => !name.endsWith('-dlq'));
      const name = names[queue % names.length] ?? '';
      world.scheduler.after(at, () => {
        world.trace.add('somebody', `sends what is no event to ${name}`);
        world.queues.send(name, { body: MALFORMED });
      });
    }
  }

  /** First the slot, if the order is to have one. A customer who does not get it orders all the same. */
  #begin(script: OrderScript): void {
    const { customer, slot, repeatAfter } = script;
    const order = (): void => {
      this.#place(script, 'places order');
      if (repeatAfter === undefined) return;
      this.#world.scheduler.after(repeatAfter, () => this.#place(script, 'repeats order'));
    };
    if (!slot?.reserves) {
      order();
      return;
    }
    this.#slot('postReservation', 'POST /slots/{slotId}/reservation', customer, slot, (answer) => {
      const { checkInCode } = JSON.parse(answer.body ?? '{}');
      if (checkInCode !== undefined) this.#visit(customer, slot, checkInCode);
      order();
    });
  }

  #visit(customer: string, slot: SlotScript, code: string): void {
    const { scheduler } = this.#world;
    const { checkInAfter, giveBackAfter } = slot;
    if (checkInAfter !== undefined) {
      const checkIn = () =>
        this.#slot('postCheckIn', 'POST /slots/{slotId}/check-in', customer, slot, () => {}, { code });
      scheduler.after(checkInAfter, checkIn);
    }
    if (giveBackAfter !== undefined) {
      const giveBack = () =>
        this.#slot('deleteReservation', 'DELETE /slots/{slotId}/reservation', customer, slot, () => {});
      scheduler.after(giveBackAfter, giveBack);
    }
  }

  #slot(
    name: string,
    route: `${string} ${string}`,
    customer: string,
    { slotId }: SlotScript,
    done: (answer: Answer) => void,
    body?: object,
  ): void {
    this.#world.trace.add(customer, `asks for ${route.replace('{slotId}', slotId)}`);
    const event = httpRequest(route, { path: { slotId }, claims: { sub: customer }, ...(body && { body }) });
    this.#request(`reservations.${name}`, event, customer, done);
  }

  #place(script: OrderScript, what: string): void {
    const { number, customer, lines, card, cancelAfter, slot } = script;
    const event = httpRequest('POST /orders', {
      headers: { 'idempotency-key': `order-${number}` },
      claims: { sub: customer },
      body: {
        customer: { name: 'Ada Example', email: emailOf(number) },
        shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
        currency: 'EUR',
        lines,
        paymentToken: `tok_${card}_${number}`,
        ...(slot && { slotId: slot.slotId }),
      },
    });
    this.#world.trace.add(customer, `${what} ${number}`);
    this.#request('orders.postOrder', event, customer, (answer) => {
      if (answer.statusCode !== 202) return;
      const { orderId } = JSON.parse(answer.body ?? '{}');
      const isFirst = !this.accepted.has(number);
      this.accepted.set(number, orderId);
      if (!isFirst || cancelAfter === undefined) return;
      this.#world.scheduler.after(cancelAfter, () => this.#cancel(number, customer, orderId));
    });
  }

  #cancel(number: number, customer: string, orderId: string): void {
    this.#world.trace.add(customer, `cancels order ${number}`);
    const event = httpRequest('POST /orders/{orderId}/cancellation', { path: { orderId }, claims: { sub: customer } });
    this.#request('orders.postCancellation', event, customer, () => {});
  }

  /** Asks again for as long as the answer says that this can help. */
  #request(name: string, event: object, customer: string, done: (answer: Answer) => void, tries = 1): void {
    const { scheduler, random, functions, trace } = this.#world;
    scheduler.after(random.between(1, 20), () => {
      functions.invoke(name, event, (ended) => {
        const answer: Answer = ended === 'died' || 'error' in ended ? { statusCode: 503 } : (ended.output as Answer);
        const { statusCode = 500, body = '{}' } = answer;
        const code = JSON.parse(body).code as string | undefined;
        trace.add(customer, `is told ${statusCode}${code ? ` ${code}` : ''}`);
        if (statusCode < 500 && code !== 'REQUEST_IN_PROGRESS') return done(answer);
        if (tries >= MAX_TRIES) return;
        const pause = backoffBound(tries, { firstBound: 400, longestBound: 30_000 });
        scheduler.after(random.between(pause / 2, pause), () => this.#request(name, event, customer, done, tries + 1));
      });
    });
  }
}

/** The address of the customer of an order: no other order has it. */
export function emailOf(orderNumber: number): string {
  return `order-${orderNumber}@example.com`;
}
