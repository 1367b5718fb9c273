import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint, HttpError } from '@millrace/http';
import { Warehouse } from '../adapters/warehouse.ts';
import { stockPath } from './stock-path.ts';
import { stockView } from './stock-view.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** `GET /stock/{sku}`: what is on hand, what of it orders hold and what is available, and what was shipped. */
export const handler = endpoint({ path: stockPath }, async ({ path: { sku } }) => {
  const level = await warehouse.stock(sku);
  if (!level) {
    const detail = 'No stock was ever set for this SKU';
    throw new HttpError(404, 'SKU_NOT_FOUND', detail, [{ field: 'sku', detail }]);
  }
  return { status: 200, body: stockView(sku, level) };
});
