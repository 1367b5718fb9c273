import { endpoint, HttpError } from '@millrace/http';
import { warehouseFromEnvironment } from '../adapters/warehouse.ts';
import { stockPath } from './stock-path.ts';

const warehouse = warehouseFromEnvironment();

/** `GET /stock/{sku}`: what is available and what orders hold. */
export const handler = endpoint({ path: stockPath }, async ({ path: { sku } }) => {
  const level = await warehouse.stock(sku);
  if (!level) {
    const detail = 'No stock was ever set for this SKU';
    throw new HttpError(404, 'SKU_NOT_FOUND', detail, [{ field: 'sku', detail }]);
  }
  return { status: 200, body: { sku, ...level } };
});
