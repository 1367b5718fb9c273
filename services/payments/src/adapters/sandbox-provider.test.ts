import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, PutCommand } from '@millrace/aws';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { SandboxProvider, testTokens } from './sandbox-provider.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
});
afterAll(() => dynamoDb.stop());

const never = new AbortController().signal;
const amount = { amount: 698, currency: 'EUR' };

/** A sandbox, and one key of it. */
function setUp() {
  const clock = { now: new Date('2026-03-01T00:00:00Z') };
  const sandbox = new SandboxProvider(documentClient(), 'payments', { now: () => clock.now });
  const idempotencyKey = randomUUID();
  return {
    sandbox,
    passHours: (hours: number) => {
      clock.now = new Date(clock.now.getTime() + hours * 60 * 60 * 1000);
    },
    charge: (paymentToken: string, signal = never) => sandbox.charge({ idempotencyKey, amount, paymentToken }, signal),
    find: () => sandbox.find(idempotencyKey),
    refund: (paymentId = 'ch_1') => sandbox.refund({ idempotencyKey, paymentId, amount }, never),
    findRefund: () => sandbox.findRefund(idempotencyKey),
  };
}
const unavailable = { code: 'PROVIDER_UNAVAILABLE' };

describe('the sandbox', () => {
  test('approves, gives the same answer to the same key, and finds the charge', async () => {
    const { charge, find } = setUp();
    expect(await find()).toEqual({ outcome: 'none' });
    const first = await charge(testTokens.approved);

    expect(first).toEqual({ outcome: 'approved', paymentId: expect.stringMatching(/^ch_[0-9a-f]{24}$/) });
    expect(await charge(testTokens.approved)).toEqual(first);
    expect(await find()).toEqual(first);
    expect(await setUp().charge(testTokens.approved)).not.toEqual(first);
  });

  test.each([
    [testTokens.declined, 'card_declined'],
    [testTokens.insufficientFunds, 'insufficient_funds'],
    ['anything else', 'invalid_token'],
    ['__proto__', 'invalid_token'],
  ])('declines %s as %s', async (token, reason) => {
    const { charge, find } = setUp();

    expect(await charge(token)).toEqual({ outcome: 'declined', reason });
    expect(await find()).toEqual({ outcome: 'declined', reason });
  });

  test.each([
    [testTokens.temporarilyUnavailable, 2],
    [testTokens.outage, 5],
  ])('takes nothing and is unavailable with %s for %i calls about each charge, then approves', async (token, calls) => {
    const { charge, find } = setUp();

    await expect(charge(token)).rejects.toMatchObject(unavailable);
    for (let call = 2; call <= calls; call += 1) await expect(find()).rejects.toMatchObject(unavailable);
    expect(await find()).toEqual({ outcome: 'none' });
    expect(await charge(token)).toMatchObject({ outcome: 'approved' });
  });

  test('is too slow once, and has charged', async () => {
    const { charge, find } = setUp();

    await expect(charge(testTokens.slow, AbortSignal.timeout(10))).rejects.toMatchObject(unavailable);
    expect(await find()).toMatchObject({ outcome: 'approved' });
  });

  test('loses the answer to a charge, and to four calls after it', async () => {
    const { charge, find } = setUp();

    await expect(charge(testTokens.answerLost)).rejects.toMatchObject(unavailable);
    for (let call = 2; call <= 5; call += 1) await expect(find()).rejects.toMatchObject(unavailable);
    expect(await find()).toMatchObject({ outcome: 'approved' });
  });

  test('refunds, gives the same answer to the same key, and finds the refund', async () => {
    const { refund, findRefund } = setUp();
    expect(await findRefund()).toEqual({ outcome: 'none' });
    const first = await refund();

    expect(first).toEqual({ outcome: 'refunded', refundId: expect.stringMatching(/^re_[0-9a-f]{24}$/) });
    expect(await refund()).toEqual(first);
    expect(await findRefund()).toEqual(first);
  });

  test('loses the answer to a refund', async () => {
    const charged = await setUp().charge(testTokens.refundAnswerLost);
    const { refund, findRefund } = setUp();

    await expect(refund((charged as { paymentId: string }).paymentId)).rejects.toMatchObject(unavailable);
    expect(await findRefund()).toMatchObject({ outcome: 'refunded' });
  });

  test('does not answer while it is switched off, and takes no money', async () => {
    const client = documentClient();
    const clock = { now: new Date('2026-03-01T00:00:00Z') };
    const provider = new SandboxProvider(client, 'payments', { now: () => clock.now, hasOutages: true });
    const request = { idempotencyKey: randomUUID(), amount, paymentToken: testTokens.approved };
    const downUntil = clock.now.getTime() + 60_000;
    await client.send(
      new PutCommand({ TableName: 'payments', Item: { pk: 'SANDBOX#OUTAGE', sk: 'SANDBOX', downUntil } }),
    );

    await expect(provider.charge(request, never)).rejects.toMatchObject(unavailable);
    await expect(provider.find(request.idempotencyKey)).rejects.toMatchObject(unavailable);
    expect(await setUp().charge(testTokens.approved)).toMatchObject({ outcome: 'approved' });
    clock.now = new Date(downUntil);
    expect(await provider.find(request.idempotencyKey)).toEqual({ outcome: 'none' });
    expect(await provider.charge(request, never)).toMatchObject({ outcome: 'approved' });
  });

  test('forgets a key after 24 hours: it charges and refunds a second time, and finds the latest', async () => {
    const { charge, find, passHours } = setUp();
    const first = await charge(testTokens.approved);
    passHours(23);
    expect(await charge(testTokens.approved)).toEqual(first);
    passHours(1);

    const [second, atOnce] = await Promise.all([charge(testTokens.approved), charge(testTokens.approved)]);

    expect(second).not.toEqual(first);
    expect(atOnce).toEqual(second);
    expect(await find()).toEqual(second);
  });
});
