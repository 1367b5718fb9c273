import { describe, expect, test } from '@jest/globals';
import { type CallCounter, SandboxProvider, testTokens } from './sandbox-provider.ts';

function newSandbox(): SandboxProvider {
  const calls = new Map<string, number>();
  const countCall: CallCounter = async (key) => {
    calls.set(key, (calls.get(key) ?? 0) + 1);
    return calls.get(key) ?? 0;
  };
  return new SandboxProvider(countCall);
}

const amount = { amount: 698, currency: 'EUR' };
const request = (paymentToken: string, idempotencyKey = 'key-1') => ({ idempotencyKey, amount, paymentToken });
const never = new AbortController().signal;

describe('the sandbox', () => {
  test('approves, and gives the same answer to the same key', async () => {
    const sandbox = newSandbox();
    const first = await sandbox.charge(request(testTokens.approved), never);

    expect(first).toEqual({ outcome: 'approved', paymentId: expect.stringMatching(/^ch_[0-9a-f]{24}$/) });
    expect(await sandbox.charge(request(testTokens.approved), never)).toEqual(first);
    expect(await sandbox.charge(request(testTokens.approved, 'key-2'), never)).not.toEqual(first);
  });

  test.each([
    [testTokens.declined, 'card_declined'],
    [testTokens.insufficientFunds, 'insufficient_funds'],
    ['anything else', 'invalid_token'],
  ])('declines %s as %s', async (token, reason) => {
    expect(await newSandbox().charge(request(token), never)).toEqual({ outcome: 'declined', reason });
  });

  test.each([
    [testTokens.temporarilyUnavailable, 2],
    [testTokens.outage, 5],
  ])('is unavailable with %s for %i calls of each charge, then approves', async (token, calls) => {
    const sandbox = newSandbox();
    const charge = () => sandbox.charge(request(token), never);

    for (let call = 1; call <= calls; call += 1) {
      await expect(charge()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    }
    expect(await charge()).toMatchObject({ outcome: 'approved' });
  });

  test('is too slow once, then tells what became of the charge', async () => {
    const sandbox = newSandbox();

    await expect(sandbox.charge(request(testTokens.slow), AbortSignal.timeout(10))).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    expect(await sandbox.charge(request(testTokens.slow), never)).toMatchObject({ outcome: 'approved' });
  });

  test('refunds, and gives the same answer to the same key', async () => {
    const sandbox = newSandbox();
    const refund = () => sandbox.refund({ idempotencyKey: 'key-1:refund', paymentId: 'ch_1', amount });
    const first = await refund();

    expect(first).toEqual({ refundId: expect.stringMatching(/^re_[0-9a-f]{24}$/) });
    expect(await refund()).toEqual(first);
  });
});
