import type { Table } from '@millrace/event-store';
import { Deadlines } from '@millrace/timers';

/** The rows of the orders that have not ended, by their deadlines. */
export function openOrdersIn(table: Table): Deadlines {
  return new Deadlines(table, { name: 'OPEN-ORDERS', idAttribute: 'orderId' });
}
