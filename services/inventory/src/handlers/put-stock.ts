import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint } from '@millrace/http';
import { Warehouse } from '../adapters/warehouse.ts';
import { stockLevelRequest } from '../domain/stock-level-request.ts';
import { stockPath } from './stock-path.ts';
import { stockView } from './stock-view.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** `PUT /stock/{sku}`: sets what is available, and below which number it counts as low. */
export const handler = endpoint(
  { path: stockPath, body: stockLevelRequest },
  async ({ path: { sku }, body, correlationId, traceparent }) => {
    const level = await warehouse.setStock(sku, body, { correlationId, traceparent });
    return { status: 200, body: stockView(sku, level) };
  },
);
