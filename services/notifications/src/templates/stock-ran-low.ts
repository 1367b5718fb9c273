import type { EventOf } from '@millrace/events';
import type { StockRanLow } from '@millrace/inventory/events';
import { html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';

/** Tells operations which stock to fill up. */
export const stockRanLow = {
  name: 'stock-ran-low',

  mail({ sku, available, lowStockThreshold }: EventOf<typeof StockRanLow>['data']): Mail {
    const subject = `Stock of ${sku} ran low: ${available} left`;
    const sentence = `Only ${available} of ${sku} left; the threshold is ${lowStockThreshold}.`;
    return { subject, text: `${sentence}\n`, html: mailDocument(subject, html`<p>${sentence}</p>`) };
  },
};
