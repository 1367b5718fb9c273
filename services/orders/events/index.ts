import { defineEvent } from '@millrace/events';
import { personal, personId } from '@millrace/privacy/personal';
import { slotLocation } from '@millrace/reservations/events';
import * as z from 'zod';

export { currencyCodes, minorUnitDigits } from './currencies.ts';

/** ISO 4217, as events had it before orders were held to its active codes: what is stored must stay readable. */
export const currency = z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as EUR');

/** An amount in the currency's minor unit (cents), as payment providers count. */
export const money = z.object({ amount: z.int().nonnegative(), currency });

export const customer = z.object({
  /** The subject of the customer's token, https://openid.net/specs/openid-connect-core-1_0.html#IDToken */
  id: personId(z.string().min(1).max(255)),
  name: personal(z.string().min(1).max(200)),
  email: personal(z.email().max(254)),
  /** E.164; when present the customer is also told by SMS. */
  phone: personal(z.string().regex(/^\+[1-9]\d{6,14}$/, 'expected an E.164 number such as +4915112345678')).optional(),
});

export const address = z.object({
  line1: personal(z.string().min(1).max(200)),
  line2: personal(z.string().max(200)).optional(),
  city: personal(z.string().min(1).max(100)),
  postalCode: personal(z.string().min(1).max(20)),
  /** ISO 3166-1 alpha-2. */
  country: personal(z.string().regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 code such as DE')),
});

export const orderLine = z.object({
  sku: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1–64 letters, digits, dots, dashes, underscores'),
  quantity: z.int().min(1).max(1000),
  /** Minor units per piece. */
  unitPrice: z.int().min(0).max(100_000_000),
});

/** All that any consumer needs of an order, so that nobody calls back. */
export const orderSnapshot = z.object({
  orderId: z.string().min(1),
  customer,
  shippingAddress: address,
  lines: z.array(orderLine).min(1),
  total: money,
  /** The provider's reference to the customer's card; worthless to anybody but the payment provider. */
  paymentToken: personal(z.string().min(1).max(200)),
  /**
   * What takes the order through its steps. Absent: the services, each by the events of the one before it. `checkout`: the
   * state machine of the checkout calls them, so they must not act on its events as well.
   */
  process: z.literal('checkout').optional(),
  /** The slot in which the customer picks the order up. Absent: it is sent to the address. */
  slotId: z.guid().optional(),
});

export type OrderSnapshot = z.output<typeof orderSnapshot>;

/** An order that the checkout takes through its steps. It is sent: the checkout knows no slots. */
export const checkoutOrder = orderSnapshot.omit({ slotId: true }).extend({ process: z.literal('checkout') });

export type CheckoutOrder = z.output<typeof checkoutOrder>;

/** Why an order was cancelled. Deploy the consumers before the service that has a new reason: older ones do not take it. */
export const cancellationReason = z.enum([
  'OUT_OF_STOCK',
  'PAYMENT_FAILED',
  'CUSTOMER_REQUEST',
  'TIMED_OUT',
  'NOT_APPROVED',
  'TECHNICAL_FAILURE',
  'SLOT_REFUSED',
]);

/** Where and when an order is picked up. */
export const pickUp = z.object({
  slotId: z.guid(),
  location: slotLocation,
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
});

/**
 * Why an order is not picked up in its slot. UNATTENDED: its customer did not come. CANCELLED: its customer has cancelled the reservation.
 * CLOSED: staff has closed the slot. CHECKED_OUT: its customer left, or the slot ended, before the order was ready.
 */
export const pickUpFailure = z.enum(['UNATTENDED', 'CANCELLED', 'CLOSED', 'CHECKED_OUT']);

export const exampleOrder: OrderSnapshot = {
  orderId: '0b9f6c1e-5a43-4c0e-9a51-6f4d4c1c2a11',
  customer: { id: 'customer-1', name: 'Ada Example', email: 'ada@example.com', phone: '+4915112345678' },
  shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  lines: [{ sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 }],
  total: { amount: 698, currency: 'EUR' },
  paymentToken: 'tok_approved',
};

/** What analytics may have of every order: no person, no address, no card. */
const amountsOfOrder = ['orderId', 'total.amount', 'total.currency', 'process', 'slotId'] as const;

export const OrderPlaced = defineEvent({
  name: 'OrderPlaced',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'A customer placed an order; no stock is held yet.',
  data: orderSnapshot.extend({
    /** When the order is cancelled unless it has ended. Missing in orders that were placed before there were time limits. */
    deadline: z.iso.datetime().optional(),
  }),
  example: { ...exampleOrder, deadline: '2026-01-15T09:45:00.000Z' },
  analytics: {
    fields: [...amountsOfOrder, 'lines[].sku', 'lines[].quantity', 'lines[].unitPrice'],
    pseudonyms: ['customer.id'], // tells a first order from a later one, and not whose it is
  },
});

export const OrderTimeLimitReached = defineEvent({
  name: 'OrderTimeLimitReached',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'The time for an order is over, whatever became of it. Its schedule says so, once the deadline has passed.',
  data: z.object({ orderId: z.string().min(1), deadline: z.iso.datetime() }),
  example: { orderId: exampleOrder.orderId, deadline: '2026-01-15T09:45:00.000Z' },
});

export const OrderConfirmed = defineEvent({
  name: 'OrderConfirmed',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary:
    'Stock is held, the payment is taken and a shipment exists: the order will be delivered, or can be picked up.',
  data: orderSnapshot.extend({
    /** Of the parcel. Absent in an order that is picked up. Deploy the consumers first: older ones want it in every order. */
    trackingNumber: z.string().optional(),
    /** Of an order that is picked up. */
    pickUp: pickUp.optional(),
  }),
  example: { ...exampleOrder, trackingNumber: 'MR0B9F6C1E5A43' },
  analytics: { fields: [...amountsOfOrder, 'pickUp.slotId', 'pickUp.location.id'] },
});

const examplePickUp = {
  slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01',
  location: { id: 'harbour-east', name: 'Harbour East', timeZone: 'Europe/Vienna' },
  startsAt: '2026-01-15T09:00:00.000Z',
  endsAt: '2026-01-15T09:30:00.000Z',
};

export const OrderHandedOver = defineEvent({
  name: 'OrderHandedOver',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'The customer has picked the order up.',
  data: orderSnapshot.extend({ pickUp }),
  example: { ...exampleOrder, slotId: examplePickUp.slotId, pickUp: examplePickUp },
  analytics: { fields: [...amountsOfOrder, 'pickUp.slotId', 'pickUp.location.id'] },
});

export const OrderSwitchedToDelivery = defineEvent({
  name: 'OrderSwitchedToDelivery',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'The order was not picked up in its slot, so it is sent to the address that it names.',
  data: orderSnapshot.extend({
    pickUp,
    reason: pickUpFailure,
    /** Of the parcel, if there is one already. */
    trackingNumber: z.string().optional(),
  }),
  example: {
    ...exampleOrder,
    slotId: examplePickUp.slotId,
    pickUp: examplePickUp,
    reason: 'UNATTENDED',
    trackingNumber: 'MR0B9F6C1E5A43',
  },
  analytics: { fields: [...amountsOfOrder, 'pickUp.slotId', 'pickUp.location.id', 'reason'] },
});

export const OrderCancelled = defineEvent({
  name: 'OrderCancelled',
  version: 1,
  service: 'orders',
  category: 'domain',
  type: 'data',
  summary: 'The order will not be delivered; whoever holds something for it gives it back.',
  data: orderSnapshot.extend({
    reason: cancellationReason,
    /** For the customer, e.g. which SKUs were out of stock. */
    detail: z.string(),
  }),
  example: { ...exampleOrder, reason: 'OUT_OF_STOCK', detail: 'Out of stock: FLOUR-1KG' },
  analytics: { fields: [...amountsOfOrder, 'reason'] },
});
