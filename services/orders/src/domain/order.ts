import { PermanentError, UnavailableError } from '@millrace/errors';
import type { OrderSnapshot } from '../../events/index.ts';
import {
  type PickUpEvent,
  type PickUpFailure,
  type PickUpPlace,
  pickUpConclusions,
  type SlotRefusal,
  slotRefusalDetails,
} from './pick-up.ts';

export type CancellationReason =
  | 'OUT_OF_STOCK'
  | 'PAYMENT_FAILED'
  | 'CUSTOMER_REQUEST'
  | 'TIMED_OUT'
  | 'NOT_APPROVED'
  | 'TECHNICAL_FAILURE'
  | 'SLOT_REFUSED';

/** What another service reports about an order. Reports may come in any order. */
export type ProgressEvent =
  | { type: 'StockReserved' }
  | { type: 'StockReservationFailed'; skus: string[] }
  | { type: 'PaymentProcessed'; paymentId: string }
  | { type: 'PaymentFailed'; reason: string }
  | { type: 'PaymentRefunded'; refundId: string }
  | { type: 'ShipmentCreated'; trackingNumber: string }
  /** Of an order that is picked up. */
  | ({ type: 'SlotAssigned' } & PickUpPlace)
  | { type: 'SlotRefused'; reason: SlotRefusal }
  | { type: 'PickUpReady' }
  | { type: 'PickUpHandedOver' }
  | { type: 'PickUpFailed'; reason: PickUpFailure };

/** The facts of an order's stream: its own decisions, and what the other services reported. */
export type OrderEvent =
  | { type: 'OrderPlaced'; order: OrderSnapshot; deadline?: string }
  /** Without a tracking number it is picked up. */
  | { type: 'OrderConfirmed'; trackingNumber?: string }
  | { type: 'OrderCancelled'; reason: CancellationReason; detail: string }
  | PickUpEvent
  /** In checkout: its customer wants it cancelled, and the checkout will. */
  | { type: 'CancellationRequested' }
  /** In checkout: from here on its customer cannot cancel it. */
  | { type: 'OrderLocked' }
  | ProgressEvent;

export type OrderCommand =
  /** Without a deadline in checkout, whose execution has a time limit. */
  | { type: 'PlaceOrder'; order: OrderSnapshot; deadline?: string }
  | { type: 'CancelOrder'; customerId: string }
  /** Ends an order whose time is over. It may come late, early, twice, or after the end. */
  | { type: 'TimeOutOrder'; now: string }
  | { type: 'RecordProgress'; progress: ProgressEvent }
  /** The checkout is about to charge it. */
  | { type: 'LockCheckout' }
  /** The end of a checkout, either way. */
  | { type: 'ConfirmCheckout'; trackingNumber: string }
  | { type: 'CancelCheckout'; reason: CancellationReason; detail: string };

/** CONFIRMED and CANCELLED are final. */
export type OrderStatus = 'PLACED' | 'CONFIRMED' | 'CANCELLED';

export interface Order {
  snapshot: OrderSnapshot;
  status: OrderStatus;
  /** ISO 8601 in UTC; undefined for an order of before there were time limits. */
  deadline?: string;
  /** The kinds of progress that are on record. */
  recorded: ReadonlySet<ProgressEvent['type']>;
  cancellationRequested?: boolean;
  locked?: boolean;
  /** Of the parcel, once there is one. */
  trackingNumber?: string;
  /** Of an order that has its slot. */
  place?: PickUpPlace;
  handedOver?: boolean;
  /** Why its pick-up failed. */
  pickUpFailure?: PickUpFailure;
  switchedToDelivery?: boolean;
  cancellation?: { reason: CancellationReason; detail: string };
}

/** A command or report that is about an order that does not exist, or a customer's command about somebody else's order. */
export class OrderNotFoundError extends PermanentError {
  constructor() {
    super('ORDER_NOT_FOUND', 'There is no such order');
  }
}

/** A cancellation that comes too late. */
export class OrderAlreadyShippedError extends PermanentError {
  constructor() {
    super('ORDER_ALREADY_SHIPPED', 'The order has a shipment and can no longer be cancelled');
  }
}

/** A customer's cancellation of an order that the checkout has begun to charge. */
export class OrderInCheckoutError extends PermanentError {
  constructor() {
    super('ORDER_IN_CHECKOUT', 'The order is being paid and shipped and can no longer be cancelled');
  }
}

/** The checkout may not go on with an order: its customer has cancelled it. */
export class CancellationRequestedError extends PermanentError {
  constructor() {
    super('CANCELLATION_REQUESTED', 'The customer has cancelled the order');
  }
}

/** A step of the checkout for an order that is not in checkout, or has ended otherwise. */
export class NotInCheckoutError extends PermanentError {
  constructor() {
    super('NOT_IN_CHECKOUT', 'The order is not in checkout, or has ended otherwise');
  }
}

/** The time for an order is not over yet: a schedule, or a clock, is early. It is over in a moment, or the order ends before. */
export class OrderNotDueError extends UnavailableError {
  constructor() {
    super('ORDER_NOT_DUE', 'The deadline of the order has not passed yet');
  }
}

/**
 * What follows from a command.
 * @throws OrderNotFoundError, OrderAlreadyShippedError, OrderNotDueError, OrderInCheckoutError, CancellationRequestedError,
 *   NotInCheckoutError
 */
export function decide(command: OrderCommand, order: Order | undefined): readonly OrderEvent[] {
  switch (command.type) {
    case 'PlaceOrder': {
      // The same request again changes nothing.
      if (order) return [];
      const { order: placed, deadline } = command;
      return [{ type: 'OrderPlaced', order: placed, ...(deadline !== undefined && { deadline }) }];
    }
    case 'CancelOrder':
      if (!order || !belongsTo(order, command.customerId)) throw new OrderNotFoundError();
      if (order.status === 'CONFIRMED') throw new OrderAlreadyShippedError();
      if (order.status === 'CANCELLED') return [];
      if (isInCheckout(order)) return requestCancellation(order);
      return [{ type: 'OrderCancelled', reason: 'CUSTOMER_REQUEST', detail: 'Cancelled at your request' }];
    case 'TimeOutOrder':
      if (!order) throw new OrderNotFoundError();
      if (order.status !== 'PLACED' || order.deadline === undefined) return [];
      if (Date.parse(command.now) < Date.parse(order.deadline)) throw new OrderNotDueError();
      return [{ type: 'OrderCancelled', reason: 'TIMED_OUT', detail: 'We could not complete it in time' }];
    case 'RecordProgress':
      if (!order) throw new OrderNotFoundError();
      return recordProgress(command.progress, order);
    case 'LockCheckout':
      if (!order) throw new OrderNotFoundError();
      return lock(order);
    case 'ConfirmCheckout':
      if (!order) throw new OrderNotFoundError();
      return endCheckout({ type: 'OrderConfirmed', trackingNumber: command.trackingNumber }, 'CONFIRMED', order);
    case 'CancelCheckout': {
      if (!order) throw new OrderNotFoundError();
      const { reason, detail } = command;
      return endCheckout({ type: 'OrderCancelled', reason, detail }, 'CANCELLED', order);
    }
  }
}

/** Whose order it is. Nobody else is to learn that there is one. */
export function belongsTo({ snapshot }: Order, customerId: string): boolean {
  return snapshot.customer.id === customerId;
}

function isInCheckout({ snapshot }: Order): boolean {
  return snapshot.process === 'checkout';
}

/** The checkout alone knows what there is to undo, so it has to look. */
function requestCancellation({ locked, cancellationRequested }: Order): readonly OrderEvent[] {
  if (locked) throw new OrderInCheckoutError();
  return cancellationRequested ? [] : [{ type: 'CancellationRequested' }];
}

/** Of a cancellation and the lock the first one counts. */
function lock(order: Order): readonly OrderEvent[] {
  if (!isInCheckout(order) || order.status !== 'PLACED') throw new NotInCheckoutError();
  if (order.cancellationRequested) throw new CancellationRequestedError();
  return order.locked ? [] : [{ type: 'OrderLocked' }];
}

/** To end it again in the same way changes nothing. */
function endCheckout(end: OrderEvent, status: OrderStatus, order: Order): readonly OrderEvent[] {
  if (!isInCheckout(order) || (order.status !== 'PLACED' && order.status !== status)) throw new NotInCheckoutError();
  return order.status === 'PLACED' ? [end] : [];
}

/** Each kind of progress counts once. In checkout it is not the order that draws a conclusion from it. */
function recordProgress(progress: ProgressEvent, order: Order): readonly OrderEvent[] {
  if (order.recorded.has(progress.type)) return [];
  if (order.status === 'CANCELLED' || isInCheckout(order)) return [progress];
  const after = evolve(order, progress);
  const cancelled = order.status === 'PLACED' && cancellationBy(progress, order);
  if (cancelled) return [progress, cancelled];
  const confirmed = confirmation(after);
  return [progress, ...confirmed, ...pickUpConclusions(confirmed.reduce(evolve, after))];
}

function cancellationBy(progress: ProgressEvent, { snapshot }: Order): OrderEvent | undefined {
  switch (progress.type) {
    case 'StockReservationFailed':
      return { type: 'OrderCancelled', reason: 'OUT_OF_STOCK', detail: `Out of stock: ${progress.skus.join(', ')}` };
    case 'PaymentFailed': {
      const detail = `The payment was refused: ${progress.reason}`;
      return { type: 'OrderCancelled', reason: 'PAYMENT_FAILED', detail };
    }
    case 'SlotRefused':
      if (snapshot.slotId === undefined) return undefined;
      return { type: 'OrderCancelled', reason: 'SLOT_REFUSED', detail: slotRefusalDetails[progress.reason] };
    default:
      return undefined;
  }
}

/** With a slot an open order waits for both: what is sent or lies ready, and the slot. */
function confirmation({ snapshot, status, recorded, trackingNumber }: Order): readonly OrderEvent[] {
  if (status !== 'PLACED') return [];
  const isSent = recorded.has('ShipmentCreated');
  const isReady = isSent || (snapshot.slotId !== undefined && recorded.has('PickUpReady'));
  if (!isReady || (snapshot.slotId !== undefined && !recorded.has('SlotAssigned'))) return [];
  return [{ type: 'OrderConfirmed', ...(isSent && trackingNumber !== undefined && { trackingNumber }) }];
}

/** The state after one more event. @throws OrderNotFoundError when a stream does not start with OrderPlaced. */
export function evolve(order: Order | undefined, event: OrderEvent): Order {
  if (event.type === 'OrderPlaced') {
    const { order: snapshot, deadline } = event;
    return { snapshot, status: 'PLACED', recorded: new Set(), ...(deadline !== undefined && { deadline }) };
  }
  if (!order) throw new OrderNotFoundError();
  switch (event.type) {
    case 'OrderConfirmed': {
      const { trackingNumber } = event;
      return { ...order, status: 'CONFIRMED', ...(trackingNumber !== undefined && { trackingNumber }) };
    }
    case 'OrderHandedOver':
      return { ...order, handedOver: true };
    case 'OrderSwitchedToDelivery':
      return { ...order, switchedToDelivery: true };
    case 'OrderCancelled':
      return { ...order, status: 'CANCELLED', cancellation: { reason: event.reason, detail: event.detail } };
    case 'CancellationRequested':
      return { ...order, cancellationRequested: true };
    case 'OrderLocked':
      return { ...order, locked: true };
    case 'ShipmentCreated':
      return { ...order, recorded: recordedWith(order, event), trackingNumber: event.trackingNumber };
    case 'SlotAssigned': {
      const { type: _, ...place } = event;
      return { ...order, recorded: recordedWith(order, event), place };
    }
    case 'PickUpFailed':
      return { ...order, recorded: recordedWith(order, event), pickUpFailure: event.reason };
    case 'StockReserved':
    case 'StockReservationFailed':
    case 'PaymentProcessed':
    case 'PaymentFailed':
    case 'PaymentRefunded':
    case 'SlotRefused':
    case 'PickUpReady':
    case 'PickUpHandedOver':
      return { ...order, recorded: recordedWith(order, event) };
  }
}

function recordedWith({ recorded }: Order, { type }: ProgressEvent): ReadonlySet<ProgressEvent['type']> {
  return new Set([...recorded, type]);
}
