import { randomUUID } from 'node:crypto';
import { type CommandRunnerOptions, type RowRunner, rowRunner, type Table } from '@millrace/event-store';
import type { Cause, EventContext, InboxKey } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { ShipmentCreated } from '../../events/index.ts';
import { decide, evolve, type Shipment, type ShipmentCommand, type ShipmentEvent } from '../domain/shipment.ts';

/** The shipments of one table, one row for each order. */
export class Shipments {
  readonly #rows: RowRunner<Shipment, ShipmentCommand, ShipmentEvent>;
  readonly #newId: () => string;

  constructor(table: Table, options: CommandRunnerOptions = {}) {
    const key = (orderId: string) => ({ pk: `SHIPMENT#${orderId}`, sk: 'SHIPMENT' });
    this.#rows = rowRunner({ table, key, decide, evolve, publish }, options);
    this.#newId = options.newId ?? randomUUID;
  }

  /** The shipment of an order, or undefined when nothing is known about it. */
  async find(orderId: string): Promise<Shipment | undefined> {
    return (await this.#rows.load(orderId)).state;
  }

  /**
   * Ships a paid order, once. Nothing happens when it was cancelled before.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async ship({ orderId, shippingAddress, lines }: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const command = { type: 'Ship', shipmentId: this.#newId(), shippingAddress, lines } as const;
    // Nearly always the first that is heard of the order: what is there is read only when that proves wrong.
    await this.#rows.execute(orderId, command, { ...cause, inbox, assumeNew: true });
  }

  /**
   * Recalls the shipment of a cancelled order. An order that has none yet never will.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async recall(orderId: string, cause: Cause, inbox: InboxKey): Promise<void> {
    await this.#rows.execute(orderId, { type: 'Recall' }, { ...cause, inbox });
  }
}

function publish(event: ShipmentEvent, _: Shipment, context: EventContext) {
  if (event.type !== 'ShipmentCreated') return undefined;
  return ShipmentCreated.create({ orderId: context.subject, ...event.parcel }, context);
}
