import { consumeBatch } from '@millrace/consumer';
import { OrderPlaced } from '@millrace/orders/events';
import { warehouseFromEnvironment } from '../adapters/warehouse.ts';

const warehouse = warehouseFromEnvironment();

/** Reserves the stock of new orders. */
export const handler = consumeBatch([OrderPlaced], (records) =>
  warehouse.reserve(
    records.map(({ event: { data: order }, context: { cause, inbox } }) => {
      return { orderId: order.orderId, order, cause, inbox };
    }),
  ),
);
