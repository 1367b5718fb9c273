import { relay } from '@millrace/event-store';
import { StockCounted, StockRanLow, StockReleased, StockReservationFailed, StockReserved } from '../../events/index.ts';

/** Emits inventory's events from the table's stream, and their analytics variants. */
export const handler = relay([StockCounted, StockRanLow, StockReleased, StockReservationFailed, StockReserved]);
