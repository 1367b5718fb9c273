import { PermanentError, UnavailableError } from '@millrace/errors';
import type { OrderSnapshot } from '../../events/index.ts';

export type CancellationReason = 'OUT_OF_STOCK' | 'PAYMENT_FAILED' | 'CUSTOMER_REQUEST' | 'TIMED_OUT';

/** What another service reports about an order. Reports may come in any order. */
export type ProgressEvent =
  | { type: 'StockReserved' }
  | { type: 'StockReservationFailed'; skus: string[] }
  | { type: 'PaymentProcessed'; paymentId: string }
  | { type: 'PaymentFailed'; reason: string }
  | { type: 'PaymentRefunded'; refundId: string }
  | { type: 'ShipmentCreated'; trackingNumber: string };

/** The facts of an order's stream: its own decisions, and what the other services reported. */
export type OrderEvent =
  | { type: 'OrderPlaced'; order: OrderSnapshot; deadline?: string }
  | { type: 'OrderConfirmed'; trackingNumber: string }
  | { type: 'OrderCancelled'; reason: CancellationReason; detail: string }
  | ProgressEvent;

export type OrderCommand =
  | { type: 'PlaceOrder'; order: OrderSnapshot; deadline: string }
  | { type: 'CancelOrder'; customerId: string }
  /** Ends an order whose time is over. It may come late, early, twice, or after the end. */
  | { type: 'TimeOutOrder'; now: string }
  | { type: 'RecordProgress'; progress: ProgressEvent };

/** CONFIRMED and CANCELLED are final. */
export type OrderStatus = 'PLACED' | 'CONFIRMED' | 'CANCELLED';

export interface Order {
  snapshot: OrderSnapshot;
  status: OrderStatus;
  /** ISO 8601 in UTC; undefined for an order of before there were time limits. */
  deadline?: string;
  /** The kinds of progress that are on record. */
  recorded: ReadonlySet<ProgressEvent['type']>;
  trackingNumber?: string;
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

/** The time for an order is not over yet: a schedule, or a clock, is early. It is over in a moment, or the order ends before. */
export class OrderNotDueError extends UnavailableError {
  constructor() {
    super('ORDER_NOT_DUE', 'The deadline of the order has not passed yet');
  }
}

/**
 * What follows from a command.
 * @throws OrderNotFoundError, OrderAlreadyShippedError, OrderNotDueError
 */
export function decide(command: OrderCommand, order: Order | undefined): readonly OrderEvent[] {
  switch (command.type) {
    case 'PlaceOrder':
      // The same request again: the order stands as it is.
      return order ? [] : [{ type: 'OrderPlaced', order: command.order, deadline: command.deadline }];
    case 'CancelOrder':
      if (!order || !belongsTo(order, command.customerId)) throw new OrderNotFoundError();
      if (order.status === 'CONFIRMED') throw new OrderAlreadyShippedError();
      if (order.status === 'CANCELLED') return [];
      return [{ type: 'OrderCancelled', reason: 'CUSTOMER_REQUEST', detail: 'Cancelled at your request' }];
    case 'TimeOutOrder':
      if (!order) throw new OrderNotFoundError();
      if (order.status !== 'PLACED' || order.deadline === undefined) return [];
      if (Date.parse(command.now) < Date.parse(order.deadline)) throw new OrderNotDueError();
      return [{ type: 'OrderCancelled', reason: 'TIMED_OUT', detail: 'We could not complete it in time' }];
    case 'RecordProgress':
      if (!order) throw new OrderNotFoundError();
      return recordProgress(command.progress, order);
  }
}

/** Whose order it is. Nobody else is to learn that there is one. */
export function belongsTo({ snapshot }: Order, customerId: string): boolean {
  return snapshot.customer.id === customerId;
}

/** Each kind of progress counts once, and only an open order draws a conclusion from it. */
function recordProgress(progress: ProgressEvent, order: Order): readonly OrderEvent[] {
  if (order.recorded.has(progress.type)) return [];
  if (order.status !== 'PLACED') return [progress];
  switch (progress.type) {
    case 'StockReservationFailed': {
      const detail = `Out of stock: ${progress.skus.join(', ')}`;
      return [progress, { type: 'OrderCancelled', reason: 'OUT_OF_STOCK', detail }];
    }
    case 'PaymentFailed': {
      const detail = `The payment was refused: ${progress.reason}`;
      return [progress, { type: 'OrderCancelled', reason: 'PAYMENT_FAILED', detail }];
    }
    case 'ShipmentCreated':
      return [progress, { type: 'OrderConfirmed', trackingNumber: progress.trackingNumber }];
    case 'StockReserved':
    case 'PaymentProcessed':
    case 'PaymentRefunded':
      return [progress];
  }
}

/** The state after one more event. @throws OrderNotFoundError when a stream does not start with OrderPlaced. */
export function evolve(order: Order | undefined, event: OrderEvent): Order {
  if (event.type === 'OrderPlaced') {
    const { order: snapshot, deadline } = event;
    return { snapshot, status: 'PLACED', recorded: new Set(), ...(deadline !== undefined && { deadline }) };
  }
  if (!order) throw new OrderNotFoundError();
  switch (event.type) {
    case 'OrderConfirmed':
      return { ...order, status: 'CONFIRMED', trackingNumber: event.trackingNumber };
    case 'OrderCancelled':
      return { ...order, status: 'CANCELLED', cancellation: { reason: event.reason, detail: event.detail } };
    case 'StockReserved':
    case 'StockReservationFailed':
    case 'PaymentProcessed':
    case 'PaymentFailed':
    case 'PaymentRefunded':
    case 'ShipmentCreated':
      return { ...order, recorded: new Set([...order.recorded, event.type]) };
  }
}
