import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { PaymentFailed } from '@millrace/payments/events';
import { warehouseFromEnvironment } from '../adapters/warehouse.ts';

const warehouse = warehouseFromEnvironment();

/** Gives back the stock of an order that will not be delivered, at the first sign of it. */
export const handler = consume([OrderCancelled, PaymentFailed], (event, { cause, inbox }) =>
  warehouse.release(event.data.orderId, cause, inbox),
);
