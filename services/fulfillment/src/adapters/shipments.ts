import { randomUUID } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Cause, InboxKey } from '@millrace/consumer';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  documentClient,
  inboxMark,
  outboxRow,
  retryOnConflict,
} from '@millrace/event-store';
import type { OrderSnapshot } from '@millrace/orders/events';
import { ShipmentCreated } from '../../events/index.ts';
import { decide, evolve, type Shipment, type ShipmentCommand, type ShipmentEvent } from '../domain/shipment.ts';

/** ShipmentCreated is the only event about an order from this service. */
const CREATED_SEQUENCE = 1;

/**
 * The shipments of one table, one item for each order. Every change is one transaction: the shipment, its event and the
 * mark of the event behind it. Each write states the status it was decided on; whoever loses a race decides again.
 */
export class Shipments {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    now: () => Date = () => new Date(),
    newId: () => string = randomUUID,
  ) {
    this.#client = client;
    this.#tableName = tableName;
    this.#now = now;
    this.#newId = newId;
  }

  /** The shipment of an order, or undefined when nothing is known about it. */
  async find(orderId: string): Promise<Shipment | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#tableName, Key: keyOf(orderId), ConsistentRead: true }),
    );
    return Item && ({ status: Item.status, ...(Item.parcel ? { parcel: Item.parcel } : {}) } as Shipment);
  }

  /**
   * Ships a paid order, once. Nothing happens when it was cancelled before.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async ship(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, shippingAddress, lines } = order;
    await this.#execute(orderId, { type: 'Ship', shipmentId: this.#newId(), shippingAddress, lines }, cause, inbox);
  }

  /**
   * Recalls the shipment of a cancelled order. An order that has none yet never will.
   * @throws DuplicateEventError when the event behind it was handled before.
   */
  async recall(orderId: string, cause: Cause, inbox: InboxKey): Promise<void> {
    await this.#execute(orderId, { type: 'Recall' }, cause, inbox);
  }

  async #execute(orderId: string, command: ShipmentCommand, cause: Cause, inbox: InboxKey): Promise<void> {
    await retryOnConflict(async () => {
      const before = await this.find(orderId);
      const [event] = decide(command, before);
      const now = this.#now();
      // An event that changes nothing is handled all the same, and its mark says so.
      await commit(this.#client, [
        ...(event ? [this.#store(orderId, before, evolve(before, event))] : []),
        ...(event ? this.#publish(orderId, event, cause, now) : []),
        inboxMark(this.#tableName, inbox, now),
      ]);
    });
  }

  #store(orderId: string, before: Shipment | undefined, after: Shipment): ConditionalWrite {
    return {
      write: {
        Put: {
          TableName: this.#tableName,
          Item: { ...keyOf(orderId), ...after },
          ...(before
            ? {
                ConditionExpression: '#status = :status',
                ExpressionAttributeNames: { '#status': 'status' },
                ExpressionAttributeValues: { ':status': before.status },
              }
            : { ConditionExpression: 'attribute_not_exists(pk)' }),
        },
      },
      onConditionFailed: (options) =>
        new ConcurrencyConflictError(`The shipment of order ${orderId} was changed by another writer`, options),
    };
  }

  #publish(orderId: string, event: ShipmentEvent, cause: Cause, now: Date): ConditionalWrite[] {
    if (event.type !== 'ShipmentCreated') return [];
    const context = { id: this.#newId(), time: now, subject: orderId, sequence: CREATED_SEQUENCE, ...cause };
    const created = ShipmentCreated.create({ orderId, ...event.parcel }, context);
    return [outboxRow(this.#tableName, keyOf(orderId).pk, created, now)];
  }
}

/** The shipments in the table MILLRACE_TABLE. @throws Error when it is not set. */
export function shipmentsFromEnvironment(tableName = process.env.MILLRACE_TABLE): Shipments {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  return new Shipments(documentClient(), tableName);
}

function keyOf(orderId: string) {
  return { pk: `SHIPMENT#${orderId}`, sk: 'SHIPMENT' };
}
