import { consume } from '@millrace/consumer';
import { StockReserved } from '@millrace/inventory/events';
import { paymentsFromEnvironment } from '../adapters/payments.ts';

const payments = paymentsFromEnvironment();

/** Charges an order as soon as its stock is held. */
export const handler = consume([StockReserved], (event, { cause, inbox }) => payments.charge(event.data, cause, inbox));
