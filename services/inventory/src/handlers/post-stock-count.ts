import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint, HttpError } from '@millrace/http';
import { Warehouse } from '../adapters/warehouse.ts';
import { StockMovedError } from '../domain/stock-count.ts';
import { stockCountRequest } from '../domain/stock-level-request.ts';
import { stockPath } from './stock-path.ts';
import { stockView } from './stock-view.ts';

const warehouse = new Warehouse(tableFromEnvironment());

/** `POST /stock/{sku}/count`: a cycle count, what is on the shelf. To send the same count twice is to count once. */
export const handler = endpoint(
  { path: stockPath, body: stockCountRequest },
  async ({ path: { sku }, body, correlationId, traceparent }) => {
    try {
      const level = await warehouse.count(sku, body, { correlationId, traceparent });
      return { status: 200, body: stockView(sku, level) };
    } catch (error) {
      if (error instanceof StockMovedError) throw new HttpError(409, error.code, error.message);
      throw error;
    }
  },
);
