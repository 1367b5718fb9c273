import type { OrderSnapshot } from '@millrace/orders/events';
import { type Html, html } from './html.ts';
import { formatMoney } from './money.ts';

type Lines = Pick<OrderSnapshot, 'lines' | 'total'>;

/** What was ordered and what it costs, one line each. */
export function orderLinesText({ lines, total }: Lines): string {
  return [
    ...lines.map(({ sku, quantity, unitPrice }) => `${quantity} × ${sku}: ${price(quantity * unitPrice, total)}`),
    `Total: ${formatMoney(total)}`,
  ].join('\n');
}

/** The same as a table. */
export function orderLinesHtml({ lines, total }: Lines): Html {
  const row = ({ sku, quantity, unitPrice }: Lines['lines'][number]) =>
    html`<tr><td>${quantity} ×</td><td>${sku}</td><td align="right">${price(quantity * unitPrice, total)}</td></tr>\n`;
  return html`<table>
${lines.map(row)}<tr><td></td><td>Total</td><td align="right"><strong>${formatMoney(total)}</strong></td></tr>
</table>`;
}

function price(amount: number, { currency }: Lines['total']): string {
  return formatMoney({ amount, currency });
}
