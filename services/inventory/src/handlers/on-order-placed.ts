import { consume } from '@millrace/consumer';
import { OrderPlaced } from '@millrace/orders/events';
import { warehouseFromEnvironment } from '../adapters/warehouse.ts';

const warehouse = warehouseFromEnvironment();

/** Reserves the stock of a new order. */
export const handler = consume([OrderPlaced], (event, { cause, inbox }) => warehouse.reserve(event.data, cause, inbox));
