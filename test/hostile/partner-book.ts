import { derivedId } from '@millrace/events';
import type { InputReference } from './inputs.ts';
import type { PartnerMessage } from './partner-inputs.ts';
import type { Violation } from './tally.ts';

interface Sent {
  kind: string;
  fate: PartnerMessage['fate'];
  input: InputReference | undefined;
  count: number;
  refused: number;
}

/** Keeps account of a partner's orders: which were sent, which were refused, and whose checkouts were asked for. */
export class PartnerBook {
  readonly #partner: string;
  /** By the body. */
  readonly #sent = new Map<string, Sent>();
  readonly #checkouts = new Set<string>();

  /** @param partner its name in its customer id, e.g. `acme` */
  constructor(partner: string) {
    this.#partner = partner;
  }

  /** A message has gone into the partner's queue. */
  send(body: string, { kind, fate }: { kind: string; fate?: PartnerMessage['fate'] }, input?: InputReference): void {
    const sent = this.#sent.get(body) ?? { kind, fate, input, count: 0, refused: 0 };
    sent.count += 1;
    this.#sent.set(body, sent);
  }

  /** A message is in the partner's dead-letter queue. */
  refuse(body: string): void {
    const sent = this.#sent.get(body);
    if (sent) sent.refused += 1;
  }

  /** An event was on the bus: it may ask for the checkout of one of the partner's orders. */
  hear({ 'detail-type': detailType, detail }: { 'detail-type': string; detail: unknown }): void {
    if (detailType !== 'StartCheckout.v1') return;
    const { order } = (detail as { data?: { order?: { orderId?: unknown; customer?: { id?: unknown } } } }).data ?? {};
    if (order?.customer?.id === `partner:${this.#partner}`) this.#checkouts.add(String(order.orderId));
  }

  /** What does not add up; empty when everything does. */
  violations(): Violation[] {
    const allowed = new Set<string>();
    const violations: Violation[] = [];
    for (const [body, { kind, fate, input, count, refused }] of this.#sent) {
      const checkoutId = this.#checkoutOf(body);
      const isTaken = refused < count && fate !== 'dropped';
      if (isTaken && checkoutId !== undefined) allowed.add(checkoutId);
      if (fate === 'taken' && (checkoutId === undefined || !this.#checkouts.has(checkoutId))) {
        violations.push({ what: `${this.#partner}: a sound order has no checkout (${kind})`, ...(input && { input }) });
      }
    }
    const others = [...this.#checkouts].filter((id) => !allowed.has(id));
    return [
      ...violations,
      ...others.map((id) => ({ what: `${this.#partner}: the checkout ${id} is of no order that was taken` })),
    ];
  }

  #checkoutOf(body: string): string | undefined {
    try {
      const { orderNumber } = JSON.parse(body) as { orderNumber?: unknown };
      return typeof orderNumber === 'string' ? derivedId(['partner-order', this.#partner, orderNumber]) : undefined;
    } catch {
      return undefined;
    }
  }
}
