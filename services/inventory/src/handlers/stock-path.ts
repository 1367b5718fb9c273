import { orderLine } from '@millrace/orders/events';
import * as z from 'zod';

/** The path parameters of every route below `/stock/{sku}`. */
export const stockPath = z.object({ sku: orderLine.shape.sku });
