import { ConfigurationError } from '@millrace/errors';
import type { OrderSnapshot } from '@millrace/orders/events';

/** Up to which amount an order needs no approval, in minor units, by currency. */
export type ApprovalPolicy = ReadonlyMap<string, number>;

/**
 * The policy of a setting.
 * @param text amounts in minor units, such as `EUR=100000 JPY=150000`; an empty text lets a person approve every order
 * @throws ConfigurationError for any other text, and for a currency that is named twice
 * @example approvalPolicyFrom('EUR=100000'); // orders above 1,000.00 EUR, and all in other currencies, need an approval
 */
export function approvalPolicyFrom(text: string): ApprovalPolicy {
  const entries = text.split(' ').filter(Boolean);
  const limits = entries.map((entry): [string, number] => {
    const [, currency, amount] = /^([A-Z]{3})=(\d{1,15})$/.exec(entry) ?? [];
    if (currency === undefined || amount === undefined) throw invalid(entry);
    return [currency, Number(amount)];
  });
  const policy = new Map(limits);
  if (policy.size < limits.length) throw invalid(text);
  return policy;
}

/**
 * True if a person has to approve an order of this amount. A currency without a limit has nothing to compare with.
 * @example isApprovalRequired({ amount: 100_001, currency: 'EUR' }, approvalPolicyFrom('EUR=100000')); // true
 */
export function isApprovalRequired({ amount, currency }: OrderSnapshot['total'], policy: ApprovalPolicy): boolean {
  const limit = policy.get(currency);
  return limit === undefined || amount > limit;
}

function invalid(text: string): ConfigurationError {
  return new ConfigurationError(
    'MILLRACE_APPROVAL_ABOVE',
    `like "EUR=100000 JPY=150000", each currency once, not "${text}"`,
  );
}
