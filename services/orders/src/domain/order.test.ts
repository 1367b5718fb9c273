import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import { exampleOrder } from '../../events/index.ts';
import { decide, evolve, type Order, type OrderCommand, type OrderEvent, type ProgressEvent } from './order.ts';

const { given } = specify<Order | undefined, OrderCommand, OrderEvent>({ initialState: undefined, decide, evolve });

const deadline = '2026-01-15T09:45:00.000Z';
const placed: OrderEvent = { type: 'OrderPlaced', order: exampleOrder, deadline };
const stockReserved: ProgressEvent = { type: 'StockReserved' };
const outOfStock: ProgressEvent = { type: 'StockReservationFailed', skus: ['FLOUR-1KG', 'SALT'] };
const paid: ProgressEvent = { type: 'PaymentProcessed', paymentId: 'ch_1' };
const declined: ProgressEvent = { type: 'PaymentFailed', reason: 'card_declined' };
const refunded: ProgressEvent = { type: 'PaymentRefunded', refundId: 're_1' };
const shipped: ProgressEvent = { type: 'ShipmentCreated', trackingNumber: 'MR1' };
const confirmed: OrderEvent = { type: 'OrderConfirmed', trackingNumber: 'MR1' };
const cancelledAtRequest: OrderEvent = {
  type: 'OrderCancelled',
  reason: 'CUSTOMER_REQUEST',
  detail: 'Cancelled at your request',
};

const place: OrderCommand = { type: 'PlaceOrder', order: exampleOrder, deadline };
const cancel: OrderCommand = { type: 'CancelOrder', customerId: exampleOrder.customer.id };
const cancelAsAnother: OrderCommand = { type: 'CancelOrder', customerId: 'customer-2' };
const record = (progress: ProgressEvent): OrderCommand => ({ type: 'RecordProgress', progress });

describe('placing', () => {
  test('an order places it', () => given().when(place).thenEvents(placed));
  test('it again changes nothing', () => given(placed).when(place).thenEvents());
});

describe('progress', () => {
  test('a reservation and a payment are put on record', () => {
    given(placed).when(record(stockReserved)).thenEvents(stockReserved);
    given(placed, stockReserved).when(record(paid)).thenEvents(paid);
  });

  test('a shipment confirms the order', () => {
    given(placed, stockReserved, paid).when(record(shipped)).thenEvents(shipped, confirmed);
  });

  test('missing stock cancels the order, naming the SKUs', () => {
    given(placed).when(record(outOfStock)).thenEvents(outOfStock, {
      type: 'OrderCancelled',
      reason: 'OUT_OF_STOCK',
      detail: 'Out of stock: FLOUR-1KG, SALT',
    });
  });

  test("a refused payment cancels the order with the provider's reason", () => {
    given(placed, stockReserved).when(record(declined)).thenEvents(declined, {
      type: 'OrderCancelled',
      reason: 'PAYMENT_FAILED',
      detail: 'The payment was refused: card_declined',
    });
  });

  test('each kind counts once', () => {
    given(placed, stockReserved).when(record(stockReserved)).thenEvents();
    given(placed, shipped, confirmed)
      .when(record({ ...shipped, trackingNumber: 'MR2' }))
      .thenEvents();
  });

  test('after the end it is only put on record', () => {
    given(placed, cancelledAtRequest).when(record(shipped)).thenEvents(shipped);
    given(placed, cancelledAtRequest).when(record(refunded)).thenEvents(refunded);
    given(placed, shipped, confirmed).when(record(paid)).thenEvents(paid);
  });

  test('of an order that does not exist is refused', () => {
    given().when(record(stockReserved)).thenRefused('ORDER_NOT_FOUND');
  });
});

describe('cancelling', () => {
  test('an open order', () => {
    given(placed).when(cancel).thenEvents(cancelledAtRequest);
    given(placed, stockReserved, paid).when(cancel).thenEvents(cancelledAtRequest);
  });

  test('twice is cancelling once', () => given(placed, cancelledAtRequest).when(cancel).thenEvents());

  test('is refused once the order has a shipment', () => {
    given(placed, stockReserved, paid, shipped, confirmed).when(cancel).thenRefused('ORDER_ALREADY_SHIPPED');
  });

  test('is refused for an order that does not exist', () => {
    given().when(cancel).thenRefused('ORDER_NOT_FOUND');
  });

  test("another customer's order is refused as if there were none, whatever became of it", () => {
    given(placed).when(cancelAsAnother).thenRefused('ORDER_NOT_FOUND');
    given(placed, cancelledAtRequest).when(cancelAsAnother).thenRefused('ORDER_NOT_FOUND');
    given(placed, shipped, confirmed).when(cancelAsAnother).thenRefused('ORDER_NOT_FOUND');
  });
});

describe('the time limit', () => {
  const timeOut = (now: string): OrderCommand => ({ type: 'TimeOutOrder', now });
  const afterIt = timeOut('2026-01-15T09:45:00.000Z');
  const timedOut: OrderEvent = {
    type: 'OrderCancelled',
    reason: 'TIMED_OUT',
    detail: 'We could not complete it in time',
  };

  test('cancels an order that has not ended, whatever has been done for it', () => {
    given(placed).when(afterIt).thenEvents(timedOut);
    given(placed, stockReserved, paid).when(timeOut('2027-01-01T00:00:00.000Z')).thenEvents(timedOut);
  });

  test('is refused for the moment while it has not passed', () => {
    given(placed).when(timeOut('2026-01-15T09:44:59.999Z')).thenRefused('ORDER_NOT_DUE');
  });

  test('does nothing twice, or after the end', () => {
    given(placed, timedOut).when(afterIt).thenEvents();
    given(placed, cancelledAtRequest).when(afterIt).thenEvents();
    given(placed, shipped, confirmed).when(afterIt).thenEvents();
  });

  test('is missing in an order that was placed before there were time limits', () => {
    given({ type: 'OrderPlaced', order: exampleOrder }).when(afterIt).thenEvents();
  });

  test('of an order that does not exist is refused', () => {
    given().when(afterIt).thenRefused('ORDER_NOT_FOUND');
  });

  test('leaves late reports on record, and the order cancelled', () => {
    given(placed, timedOut).when(record(paid)).thenEvents(paid);
    given(placed, timedOut).when(record(shipped)).thenEvents(shipped);
  });
});

describe('an order in checkout', () => {
  const inCheckout: OrderEvent = { type: 'OrderPlaced', order: { ...exampleOrder, process: 'checkout' } };
  const confirm: OrderCommand = { type: 'ConfirmCheckout', trackingNumber: 'MR1' };
  const notApproved = { reason: 'NOT_APPROVED', detail: 'The order was not approved' } as const;
  const abandon: OrderCommand = { type: 'CancelCheckout', ...notApproved };
  const abandoned: OrderEvent = { type: 'OrderCancelled', ...notApproved };

  test.each([stockReserved, outOfStock, paid, declined, shipped, refunded])('only puts %j on record', (progress) => {
    given(inCheckout).when(record(progress)).thenEvents(progress);
  });

  test('is confirmed by the checkout, once', () => {
    given(inCheckout, stockReserved, paid, shipped).when(confirm).thenEvents(confirmed);
    given(inCheckout, confirmed).when(confirm).thenEvents();
  });

  test('is cancelled by the checkout, once', () => {
    given(inCheckout, stockReserved).when(abandon).thenEvents(abandoned);
    given(inCheckout, abandoned).when(abandon).thenEvents();
  });

  test('has one end', () => {
    given(inCheckout, confirmed).when(abandon).thenRefused('NOT_IN_CHECKOUT');
    given(inCheckout, abandoned).when(confirm).thenRefused('NOT_IN_CHECKOUT');
  });

  const cancellationRequested: OrderEvent = { type: 'CancellationRequested' };
  const lock: OrderCommand = { type: 'LockCheckout' };
  const locked: OrderEvent = { type: 'OrderLocked' };

  test('is cancelled by its customer until the checkout locks it: the first of both counts', () => {
    given(inCheckout, stockReserved).when(cancel).thenEvents(cancellationRequested);
    given(inCheckout, cancellationRequested).when(cancel).thenEvents();
    given(inCheckout, cancellationRequested).when(lock).thenRefused('CANCELLATION_REQUESTED');
    given(inCheckout, stockReserved).when(lock).thenEvents(locked);
    given(inCheckout, locked).when(lock).thenEvents();
    given(inCheckout, locked).when(cancel).thenRefused('ORDER_IN_CHECKOUT');
  });

  test('can be cancelled only by its customer, and not after its end', () => {
    given(inCheckout).when(cancelAsAnother).thenRefused('ORDER_NOT_FOUND');
    given(inCheckout, confirmed).when(cancel).thenRefused('ORDER_ALREADY_SHIPPED');
    given(inCheckout, abandoned).when(cancel).thenEvents();
  });

  test('is the only one that the checkout may end', () => {
    given(placed).when(confirm).thenRefused('NOT_IN_CHECKOUT');
    given(placed).when(abandon).thenRefused('NOT_IN_CHECKOUT');
    given(placed).when(lock).thenRefused('NOT_IN_CHECKOUT');
    given(inCheckout, abandoned).when(lock).thenRefused('NOT_IN_CHECKOUT');
    given().when(lock).thenRefused('ORDER_NOT_FOUND');
    given().when(confirm).thenRefused('ORDER_NOT_FOUND');
    given().when(abandon).thenRefused('ORDER_NOT_FOUND');
  });
});

describe('events that arrive in any order lead to the same end', () => {
  test.each<[string, ProgressEvent[]]>([
    ['CONFIRMED', [stockReserved, paid, shipped]],
    ['CANCELLED', [stockReserved, declined]],
    ['CANCELLED', [outOfStock]],
  ])('%s after any order of %j', (status, progress) => {
    for (const arrival of permutations(progress)) {
      const order = outcomeOf([place, ...arrival.map(record)]);
      expect(order).toMatchObject({ status, recorded: new Set(progress.map(({ type }) => type)) });
    }
  });

  test('also when every one of them comes twice', () => {
    for (const arrival of permutations([stockReserved, paid, shipped])) {
      const order = outcomeOf([place, ...[...arrival, ...arrival].map(record)]);
      expect(order).toMatchObject({ status: 'CONFIRMED', trackingNumber: 'MR1' });
    }
  });

  test('a cancelled order stays cancelled whatever was already under way', () => {
    for (const arrival of permutations([stockReserved, paid, shipped, refunded])) {
      expect(outcomeOf([place, cancel, ...arrival.map(record)])).toMatchObject({
        status: 'CANCELLED',
        cancellation: { reason: 'CUSTOMER_REQUEST' },
      });
    }
  });
});

test('a stream that does not start with OrderPlaced is no order', () => {
  expect(() => evolve(undefined, stockReserved)).toThrow('There is no such order');
});

/** Runs commands one after the other and returns the order they lead to. */
function outcomeOf(commands: readonly OrderCommand[]): Order | undefined {
  return commands.reduce<Order | undefined>(
    (order, command) => decide(command, order).reduce<Order | undefined>(evolve, order),
    undefined,
  );
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((others) => [item, ...others]));
}
