import { plainText } from '@millrace/http';
import { orderLine } from '@millrace/orders/events';
import * as z from 'zod';

/** The path parameters of every route below `/stock/{sku}`: SKUs as orders may name them. */
export const stockPath = z.object({ sku: plainText(orderLine.shape.sku) });
