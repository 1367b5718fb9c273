import { tableFromEnvironment } from '@millrace/event-store';
import { ignoringDuplicates, step } from '@millrace/steps';
import { releaseStockForCheckout } from '../../steps/index.ts';
import { settled, Warehouse } from '../adapters/warehouse.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** Gives back the stock of an order whose checkout is undone. */
export const handler = step(releaseStockForCheckout, async ({ order: { orderId } }, { cause, inbox }) => {
  await ignoringDuplicates(settled(warehouse.release([{ orderId, cause, inbox }])));
});
