import {
  type Aggregate,
  type CommandContext,
  CommandRunner,
  DynamoDbEventStore,
  type EventStore,
  type StoredEvent,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { Cause, EventContext, InboxKey } from '@millrace/events';
import type { Deadlines } from '@millrace/timers';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../../events/index.ts';
import {
  belongsTo,
  decide,
  evolve,
  type Order,
  type OrderCommand,
  type OrderEvent,
  type ProgressEvent,
} from '../domain/order.ts';
import { openOrdersIn } from './open-orders.ts';

export interface StoredOrder {
  order: Order;
  events: StoredEvent<OrderEvent>[];
}

/** The event-sourced orders of one table. */
export class Orders {
  readonly #store: EventStore<OrderEvent>;
  readonly #runner: CommandRunner<Order | undefined, OrderCommand, OrderEvent>;

  constructor(store: EventStore<OrderEvent>, openOrders: Deadlines) {
    this.#store = store;
    this.#runner = new CommandRunner(store, aggregateOf(openOrders));
  }

  /**
   * Decides a command on the order's current state and appends what follows, with the inbox mark of the event behind it.
   * @returns the order after the command.
   * @throws what `decide` throws; DuplicateEventError when the event behind it was handled before.
   */
  async execute(
    orderId: string,
    command: OrderCommand,
    cause: Omit<CommandContext, 'inbox' | 'assumeNew'>,
    inbox?: InboxKey,
  ): Promise<Order> {
    // A new order's id is new: its stream is read only when somebody turns out to have placed it before.
    const assumeNew = command.type === 'PlaceOrder';
    const { state } = await this.#runner.execute(orderId, command, { ...cause, inbox, assumeNew });
    if (!state) throw new Error(`No order follows from ${command.type}`);
    return state;
  }

  /** Whose order it is; undefined when there is none. */
  async customerOf(orderId: string): Promise<string | undefined> {
    return (await this.#runner.load(orderId)).state?.snapshot.customer.id;
  }

  /** The customer's order with its history; undefined when there is none, or it is another customer's. */
  async find(orderId: string, customerId: string): Promise<StoredOrder | undefined> {
    const { events } = await this.#store.load(streamOf(orderId));
    const order = events.reduce<Order | undefined>((state, { event }) => evolve(state, event), undefined);
    return order && belongsTo(order, customerId) ? { order, events } : undefined;
  }
}

/** The orders of the table in MILLRACE_TABLE. @throws ConfigurationError when it is not set */
export function ordersFromEnvironment(): Orders {
  const { client, name } = tableFromEnvironment();
  return new Orders(new DynamoDbEventStore(client, name), openOrdersIn({ client, name }));
}

/** The stream of an order. */
export function streamOf(orderId: string): string {
  return `ORDER#${orderId}`;
}

const aggregateOf = (openOrders: Deadlines): Aggregate<Order | undefined, OrderCommand, OrderEvent> => ({
  initialState: undefined,
  decide,
  evolve,
  streamOf,
  // Its own decisions are public; what others reported is already on the bus, from them.
  publish: (event, order, context) => {
    if (!order) return undefined;
    switch (event.type) {
      case 'OrderPlaced':
        return OrderPlaced.create({ ...event.order, deadline: event.deadline }, context);
      case 'OrderConfirmed':
        return OrderConfirmed.create({ ...order.snapshot, ...deliveryOf(event, order) }, context);
      case 'OrderHandedOver':
        return OrderHandedOver.create({ ...order.snapshot, pickUp: pickUpOf(order) }, context);
      case 'OrderSwitchedToDelivery': {
        const { snapshot, pickUpFailure: reason = 'UNATTENDED', trackingNumber } = order;
        return OrderSwitchedToDelivery.create(
          { ...snapshot, pickUp: pickUpOf(order), reason, ...(trackingNumber !== undefined && { trackingNumber }) },
          context,
        );
      }
      case 'OrderCancelled':
        return OrderCancelled.create({ ...order.snapshot, reason: event.reason, detail: event.detail }, context);
      default:
        return undefined;
    }
  },
  alongside: (event, order, context) => {
    const { deadline } = order ?? {};
    if (deadline === undefined) return [];
    switch (event.type) {
      case 'OrderPlaced':
        return [openOrders.addition({ id: context.subject, deadline, cause: causeOf(context) })];
      case 'OrderConfirmed':
      case 'OrderCancelled':
        return [openOrders.removal({ id: context.subject, deadline })];
      default:
        return [];
    }
  },
  // Each kind of report counts once, and the order knows which it has had.
  marksByCause: true,
  snapshots: {
    every: 50,
    stateVersion: 3,
    toSnapshot: (order) => order && { ...order, recorded: [...order.recorded] },
    fromSnapshot: (stored) => {
      const order = stored as Omit<Order, 'recorded'> & { recorded: ProgressEvent['type'][] };
      return { ...order, recorded: new Set(order.recorded) };
    },
  },
});

/** How the customer gets a confirmed order. */
function deliveryOf({ trackingNumber }: Extract<OrderEvent, { type: 'OrderConfirmed' }>, order: Order) {
  return trackingNumber === undefined ? { pickUp: pickUpOf(order) } : { trackingNumber };
}

/** @throws Error for an order that has no slot: `decide` draws no conclusion from a slot before it is assigned */
function pickUpOf({ snapshot: { orderId, slotId }, place }: Order) {
  if (slotId === undefined || !place) throw new Error(`Order ${orderId} has no slot`);
  return { slotId, ...place };
}

/** The cause of an order's end when a sweep, and no event, says that its time is over. */
function causeOf({ id: causationId, correlationId }: EventContext): Cause {
  return { correlationId, causationId };
}
