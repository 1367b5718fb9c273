import { consumeBatch } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { OrderPlaced } from '@millrace/orders/events';
import { Warehouse } from '../adapters/warehouse.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** Reserves the stock of new orders. */
export const handler = consumeBatch([OrderPlaced], (records) =>
  warehouse.reserve(
    records.map(({ event: { data: order }, context: { cause, inbox } }) => {
      return { orderId: order.orderId, order, cause, inbox };
    }),
  ),
);
