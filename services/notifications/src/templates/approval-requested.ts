import type { CheckoutApprovalRequested } from '@millrace/checkout/events';
import type { EventOf } from '@millrace/events';
import { html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';
import { formatMoney } from './money.ts';

/** Tells approvers which checkout waits for them, and how to answer. */
export const approvalRequested = {
  name: 'approval-requested',

  mail({ checkoutId, total, expiresAt }: EventOf<typeof CheckoutApprovalRequested>['data']): Mail {
    const amount = formatMoney(total);
    const until = `${expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
    const subject = `A checkout of ${amount} waits for your approval`;
    const waits = `Checkout ${checkoutId} of ${amount} waits for an approval until ${until}. Without an answer it is cancelled.`;
    const route = `POST /checkouts/${checkoutId}/approval`;
    const yes = '{"approved": true}';
    const no = '{"approved": false}';
    return {
      subject,
      text: `${waits}

To answer, send ${route} with the body ${yes}, or ${no} to refuse it.
Your token needs the scope approvals:write.
`,
      html: mailDocument(
        subject,
        html`<p>${waits}</p>
<p>To answer, send <code>${route}</code> with the body <code>${yes}</code>, or <code>${no}</code> to refuse it.
Your token needs the scope <code>approvals:write</code>.</p>`,
      ),
    };
  },
};
