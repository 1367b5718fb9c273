import { randomUUID } from 'node:crypto';
import { type CommandRunnerOptions, type RowRunner, rowRunner, type Table } from '@millrace/event-store';
import type { Cause, EventContext, InboxKey } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated } from '../../events/index.ts';
import {
  decide,
  evolve,
  type PickUpFailure,
  type Shipment,
  type ShipmentCommand,
  type ShipmentEvent,
} from '../domain/shipment.ts';

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
   * Ships a paid order, once, or lays its goods ready when it is picked up. Nothing happens when it was cancelled before.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async ship({ orderId, shippingAddress, lines, slotId }: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const command = { type: 'Ship', shipmentId: this.#newId(), shippingAddress, lines, slotId } as const;
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

  /**
   * The order can no longer be cancelled: if its customer is there, the goods are handed over.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async confirmOrder(orderId: string, cause: Cause, inbox: InboxKey): Promise<void> {
    await this.#rows.execute(orderId, { type: 'ConfirmOrder' }, { ...cause, inbox });
  }

  /**
   * The customer is there: the goods are handed over as soon as they lie ready and their order is confirmed.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async checkIn(orderId: string, cause: Cause, inbox: InboxKey): Promise<void> {
    await this.#rows.execute(orderId, { type: 'CheckIn' }, { ...cause, inbox });
  }

  /**
   * The reservation of the slot has ended: goods that were not handed over are sent.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async endReservation(
    { orderId, slotId, reason }: { orderId: string; slotId: string; reason: PickUpFailure },
    cause: Cause,
    inbox: InboxKey,
  ): Promise<void> {
    await this.#rows.execute(orderId, { type: 'EndReservation', slotId, reason }, { ...cause, inbox });
  }
}

function publish(event: ShipmentEvent, shipment: Shipment, context: EventContext) {
  const orderId = context.subject;
  switch (event.type) {
    case 'ShipmentCreated':
      return ShipmentCreated.create({ orderId, ...event.parcel }, context);
    case 'PickUpReady': {
      const { shipmentId, slotId, lines } = event.pickUp;
      return PickUpReady.create({ orderId, shipmentId, slotId, lines }, context);
    }
    case 'PickUpHandedOver': {
      if (shipment.status !== 'HANDED_OVER') return undefined;
      const { shipmentId, slotId } = shipment.pickUp;
      return PickUpHandedOver.create({ orderId, shipmentId, slotId }, context);
    }
    case 'PickUpFailed': {
      const { slotId, reason } = event;
      return PickUpFailed.create({ orderId, slotId, reason }, context);
    }
    default:
      return undefined;
  }
}
