import { consumeBatch } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { OrderCancelled } from '@millrace/orders/events';
import { PaymentFailed } from '@millrace/payments/events';
import { Warehouse } from '../adapters/warehouse.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** Gives back the stock of orders that will not be delivered, at the first sign of it. */
export const handler = consumeBatch([OrderCancelled, PaymentFailed], (records) =>
  warehouse.release(
    records.map(({ event, context: { cause, inbox } }) => ({ orderId: event.data.orderId, cause, inbox })),
  ),
);
