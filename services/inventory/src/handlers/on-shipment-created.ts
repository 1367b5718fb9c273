import { consumeBatch } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { PickUpReady, ShipmentCreated } from '@millrace/fulfillment/events';
import { Warehouse } from '../adapters/warehouse.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/**
 * Takes what orders held off the shelf when it lies ready to be picked up, or a parcel has it, whichever is told first: goods that were not
 * picked up get a parcel as well. The reservation says for ever whether it was shipped: a replay adds what is missing.
 */
export const handler = consumeBatch(
  [PickUpReady, ShipmentCreated],
  (records) =>
    warehouse.ship(
      records.map(({ event, context: { cause, inbox } }) => ({ orderId: event.data.orderId, cause, inbox })),
    ),
  { deduplication: 'permanent' },
);
