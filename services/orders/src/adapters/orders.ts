import { randomUUID } from 'node:crypto';
import {
  documentClient,
  EventStore,
  type EventStream,
  inboxMark,
  retryOnConflict,
  type StoredEvent,
} from '@millrace/event-store';
import type { EmittableEvent, EventContext } from '@millrace/events';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '../../events/index.ts';
import { decide, evolve, type Order, type OrderCommand, type OrderEvent } from '../domain/order.ts';

/** What a command inherits from the request or event behind it. */
export interface CommandCause {
  correlationId: string;
  causationId?: string;
  traceparent: string;
  /** When another service's event happened; what the order itself decides happens now. */
  occurredAt?: Date;
}

export interface StoredOrder {
  order: Order;
  events: StoredEvent<OrderEvent>[];
}

/** The event-sourced orders of one table. */
export class Orders {
  readonly #store: EventStore<OrderEvent>;
  readonly #tableName: string;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(
    store: EventStore<OrderEvent>,
    tableName: string,
    now: () => Date = () => new Date(),
    newId: () => string = randomUUID,
  ) {
    this.#store = store;
    this.#tableName = tableName;
    this.#now = now;
    this.#newId = newId;
  }

  /**
   * Decides a command on the order's current state and appends what follows, with the inbox mark of the event behind it.
   * A lost race is decided again on the new state.
   * @returns the order after the command.
   * @throws what `decide` throws; DuplicateEventError when the event behind it was handled before.
   */
  async execute(
    orderId: string,
    command: OrderCommand,
    { occurredAt, ...cause }: CommandCause,
    inbox?: { consumer: string; eventId: string },
  ): Promise<Order> {
    // A new order's id is new: its stream is read only when somebody turns out to have placed it before.
    let assumed: EventStream<OrderEvent> | undefined =
      command.type === 'PlaceOrder' ? { events: [], version: 0 } : undefined;
    return retryOnConflict(async () => {
      const stream = assumed ?? (await this.#store.load(streamOf(orderId)));
      assumed = undefined;
      const before = orderOf(stream);
      const decided = decide(command, before);
      const after = decided.reduce<Order | undefined>(evolve, before);
      if (!after) throw new Error(`No order follows from ${command.type}`);
      if (decided.length === 0) return after;

      const now = this.#now();
      let sequence = stream.events.filter(({ event }) => isPublic(event)).length;
      const newEvents = decided.map((event) => {
        const id = this.#newId();
        const time = isPublic(event) ? now : (occurredAt ?? now);
        if (isPublic(event)) sequence += 1;
        const emit = publicEvent(event, after, { id, time, subject: orderId, sequence, ...cause });
        return { id, event, time, correlationId: cause.correlationId, causationId: cause.causationId, emit };
      });
      const marks = inbox ? [inboxMark(this.#tableName, inbox, now)] : [];
      await this.#store.append(streamOf(orderId), stream.version, newEvents, marks);
      return after;
    });
  }

  /** The order with its history, or undefined when there is none. */
  async find(orderId: string): Promise<StoredOrder | undefined> {
    const stream = await this.#store.load(streamOf(orderId));
    const order = orderOf(stream);
    return order && { order, events: stream.events };
  }
}

/** The orders of the table in MILLRACE_TABLE. @throws Error when it is not set. */
export function ordersFromEnvironment(tableName = process.env.MILLRACE_TABLE): Orders {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  return new Orders(new EventStore(documentClient(), tableName), tableName);
}

function streamOf(orderId: string): string {
  return `ORDER#${orderId}`;
}

function orderOf({ events }: EventStream<OrderEvent>): Order | undefined {
  return events.reduce<Order | undefined>((order, { event }) => evolve(order, event), undefined);
}

/** Its own decisions are public; what others reported is already on the bus, from them. */
function isPublic(event: OrderEvent): boolean {
  return event.type === 'OrderPlaced' || event.type === 'OrderConfirmed' || event.type === 'OrderCancelled';
}

function publicEvent(event: OrderEvent, { snapshot }: Order, context: EventContext): EmittableEvent | undefined {
  switch (event.type) {
    case 'OrderPlaced':
      return OrderPlaced.create(event.order, context);
    case 'OrderConfirmed':
      return OrderConfirmed.create({ ...snapshot, trackingNumber: event.trackingNumber }, context);
    case 'OrderCancelled':
      return OrderCancelled.create({ ...snapshot, reason: event.reason, detail: event.detail }, context);
    default:
      return undefined;
  }
}
