import { tableFromEnvironment } from '@millrace/event-store';
import { ignoringDuplicates, step } from '@millrace/steps';
import { InsufficientInventory, ReservationEnded, reserveStockForCheckout } from '../../steps/index.ts';
import { settled, Warehouse } from '../adapters/warehouse.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** Reserves the stock of an order in checkout. Answers from the reservation, which is the same after a repeated call. */
export const handler = step(reserveStockForCheckout, async ({ order }, { cause, inbox }) => {
  const { orderId } = order;
  await ignoringDuplicates(settled(warehouse.reserve([{ orderId, order, cause, inbox }])));
  const reservation = await warehouse.reservation(orderId);
  switch (reservation?.status) {
    case 'REFUSED':
      throw new InsufficientInventory(reservation.shortages?.map(({ sku }) => sku) ?? []);
    case 'RELEASED':
    case 'CANCELLED':
      throw new ReservationEnded(orderId);
  }
});
