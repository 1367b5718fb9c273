import { describe, expect, test } from '@jest/globals';
import { approvalPolicyFrom, isApprovalRequired } from './approval-policy.ts';

describe('an order', () => {
  const policy = approvalPolicyFrom('EUR=100000 JPY=150000');

  test.each([
    ['at the limit', 100_000, 'EUR', false],
    ['above the limit', 100_001, 'EUR', true],
    ['at the limit of another currency', 150_000, 'JPY', false],
    ['in a currency without a limit', 1, 'USD', true],
  ])('%s', (_, amount, currency, isRequired) => {
    expect(isApprovalRequired({ amount, currency }, policy)).toBe(isRequired);
  });

  test('always needs an approval when there are no limits', () => {
    expect(isApprovalRequired({ amount: 0, currency: 'EUR' }, approvalPolicyFrom(''))).toBe(true);
  });
});

test.each(['100000', 'EUR', 'EUR=', 'EUR=-1', 'EUR=1.5', 'eur=1', 'EUR=1,JPY=1', 'EUR=1 EUR=2'])(
  'a policy like %j is refused',
  (text) => {
    expect(() => approvalPolicyFrom(text)).toThrow(/MILLRACE_APPROVAL_ABOVE must be like "EUR=100000/);
  },
);
