import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderConfirmed, OrderHandedOver, OrderPlaced } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import { defineProjection } from '../projection.ts';

/**
 * The steps of an order, from the first to the last, each with the events by which an order comes to it: one of them, and once. Another
 * event of a step is a word here, and a line in serverless.yml.
 */
const eventsOf = {
  placed: [OrderPlaced.analytics],
  reserved: [StockReserved.analytics],
  paid: [PaymentProcessed.analytics],
  /** An order that is picked up goes past it, unless its customer does not come. */
  shipped: [ShipmentCreated.analytics],
  confirmed: [OrderConfirmed.analytics],
  delivered: [OrderHandedOver.analytics],
} as const;

type OrderStep = keyof typeof eventsOf;

/** Sessions that looked at a product, and then orders. Views come by their stream, not by an event. */
export const steps = ['viewed', ...(Object.keys(eventsOf) as OrderStep[])] as const;

const stepOf = new Map<string, OrderStep>();
for (const [step, contracts] of Object.entries(eventsOf)) {
  for (const { detailType } of contracts) stepOf.set(detailType, step as OrderStep);
}

/** How many orders came to which step. */
export const funnel = defineProjection('funnel', Object.values(eventsOf).flat(), ({ detailType }) => {
  const step = stepOf.get(detailType);
  return step === undefined ? {} : { [step]: 1 };
});
