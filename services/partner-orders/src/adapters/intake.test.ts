import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { checkoutRequest } from '@millrace/checkout/requests';
import { RecordingClient, sqsRecord } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { acmeOrder } from '../../fixtures/acme-order.ts';
import { partnerFrom } from '../domain/partner.ts';
import { Claims } from './claims.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { Intake } from './intake.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('partner-orders');
});
afterAll(() => dynamoDb.stop());

const DAY = 86_400_000;
const start = Date.parse('2026-06-01T00:00:00Z');

function startIntake({ table = documentClient(), fail = (_name: string): void => {} } = {}) {
  const clock = { now: start };
  const now = () => new Date(clock.now);
  const sqs = new RecordingClient((name) => fail(name));
  const options = { consumer: 'partner-orders.acme', queueUrl: 'queue', deadLetterQueueUrl: 'dlq', now };
  const intake = new Intake({
    partner: partnerFrom('acme'),
    contactPolicy: { verified: 'required', smsPrefixes: ['+49'] },
    claims: new Claims({ client: table, name: 'partner-orders' }, now),
    deadLetters: new DeadLetterQueue(sqs, options),
  });
  const letters = () =>
    sqs.inputs<{ MessageBody: string; MessageAttributes: Record<string, { StringValue: string }> }>(
      'SendMessageCommand',
    );
  return { intake, clock, sqs, letters, codes: () => letters().map((l) => l.MessageAttributes.ErrorCode?.StringValue) };
}

/** An order with a number of its own. */
const order = (changes: object = {}) => acmeOrder({ orderNumber: randomUUID(), ...changes });
const message = (body: unknown) => sqsRecord(typeof body === 'string' ? body : JSON.stringify(body));

describe('the intake', () => {
  test('makes an order for the checkout, of the partner as its customer', async () => {
    const { intake, sqs } = startIntake();
    const record = message(order());

    const [admitted] = await intake.admit([record]);

    expect(admitted).toMatchObject({
      messageId: record.messageId,
      order: {
        orderId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        customer: { id: 'partner:acme', name: 'Ada Example' },
        total: { amount: 778, currency: 'EUR' },
        process: 'checkout',
      },
    });
    expect(checkoutRequest.parse(admitted)).toEqual(admitted);
    expect(sqs.sent).toEqual([]);
  });

  test('admits the same order again as the same order: in one batch, at once, and later', async () => {
    const { intake, clock, letters } = startIntake();
    const again = order();

    const admitted = [
      ...(await intake.admit([message(again), message(again)])),
      ...(await Promise.all([intake.admit([message(again)]), intake.admit([message(again)])])).flat(),
    ];
    clock.now += 28 * DAY;
    admitted.push(...(await intake.admit([message(JSON.stringify(again, null, 1))])));

    expect(new Set(admitted.map(({ order: { orderId } }) => orderId)).size).toBe(1);
    expect(admitted).toHaveLength(5);
    expect(letters()).toEqual([]);
  });

  test('makes other orders of other numbers', async () => {
    const { intake } = startIntake();
    const [one, other] = await intake.admit([message(order()), message(order())]);
    expect(one?.order.orderId).not.toBe(other?.order.orderId);
  });

  test('lets a batch through without those that it refuses, which become letters with a reason', async () => {
    const { intake, letters, codes, sqs } = startIntake();
    const [good, broken, wrong] = [message(order()), message('{'), message(order({ currency: 'USD' }))];

    const admitted = await intake.admit([broken, good, wrong]);

    expect(admitted.map(({ messageId }) => messageId)).toEqual([good.messageId]);
    expect(codes()).toEqual(['MALFORMED_ORDER', 'INVALID_ORDER']);
    expect(letters()[1]).toMatchObject({
      QueueUrl: 'dlq',
      MessageBody: wrong.body,
      MessageAttributes: {
        ErrorMessage: { StringValue: 'The order is not valid: currency: expected EUR or CHF, as agreed' },
        FailureKind: { StringValue: 'permanent' },
        Consumer: { StringValue: 'partner-orders.acme' },
        Attempts: { StringValue: '1' },
      },
    });
    // Each is taken out of the queue after its letter is written.
    expect(sqs.sent.map(({ name }) => name)).toEqual([
      ...['SendMessageCommand', 'DeleteMessageCommand', 'SendMessageCommand', 'DeleteMessageCommand'],
    ]);
    expect(sqs.inputs('DeleteMessageCommand')[0]).toEqual({ QueueUrl: 'queue', ReceiptHandle: broken.receiptHandle });
  });

  test('refuses another order under a number that is taken, also when both come at once', async () => {
    const { intake, codes } = startIntake();
    const first = order();
    const other = { ...first, paymentToken: 'tok_other' };

    const admitted = await intake.admit([message(first), message(other)]);
    expect(admitted).toHaveLength(1);
    await intake.admit([message(first), message(other)]);

    expect(codes()).toEqual(['ORDER_NUMBER_REUSED', 'ORDER_NUMBER_REUSED']);
  });

  test('refuses an order that comes again when it may be forgotten that it was carried out', async () => {
    const { intake, clock, codes } = startIntake();
    const late = message(order());
    await intake.admit([late]);

    clock.now += 30 * DAY;

    expect(await intake.admit([late])).toEqual([]);
    expect(codes()).toEqual(['ORDER_REPEATED_LATE']);
  });

  test('takes any address that the partner gives, and no number that the shop does not write to', async () => {
    const { intake, letters } = startIntake();
    const elsewhere = order({ buyer: { name: 'Ada', email: 'anyone@example.org', phone: '+8825551234' } });

    expect(await intake.admit([message(elsewhere)])).toEqual([]);

    expect(letters()[0]?.MessageAttributes.ErrorMessage?.StringValue).toBe(
      'The order is not valid: buyer.phone: the shop sends no SMS to this country: leave it out',
    );
  });

  test('writes no letter of a batch that comes again because the table is busy', async () => {
    const busy = {
      send: async () => Promise.reject(Object.assign(new Error('busy'), { name: 'ThrottlingException' })),
    };
    const { intake, sqs } = startIntake({ table: busy as never });

    await expect(intake.admit([message('{'), message(order())])).rejects.toThrow('busy');

    expect(sqs.sent).toEqual([]);
  });

  test('gives no message up whose letter could not be written', async () => {
    const { intake, sqs } = startIntake({
      fail: (name) => {
        if (name === 'SendMessageCommand') throw new Error('no queue');
      },
    });

    await expect(intake.admit([message('{')])).rejects.toThrow('no queue');

    expect(sqs.inputs('DeleteMessageCommand')).toEqual([]);
  });
});
