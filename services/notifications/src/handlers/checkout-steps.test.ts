import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CheckoutOrder, exampleOrder } from '@millrace/orders/events';
import { callStep, type StepHandler } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';

/** The subjects of mails that SES was given, and the error codes it answers the next calls with. */
const ses = { subjects: [] as string[], failures: [] as string[] };

const aws: Server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const code = ses.failures.shift();
  if (code) {
    response.writeHead(400, { 'x-amzn-errortype': code, 'content-type': 'application/json' });
    response.end('{"message":"about ada@example.com"}');
    return;
  }
  ses.subjects.push(JSON.parse(Buffer.concat(chunks).toString()).Content.Simple.Subject.Data);
  response.end('{"MessageId":"1"}');
});

let dynamoDb: TestDynamoDb;
let sendConfirmation: StepHandler;
let notifyCancellation: StepHandler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('sent-log');
  await dynamoDb.createTable('idempotency', ['id']);
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SESV2: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
    AWS_MAX_ATTEMPTS: '1',
    MILLRACE_TABLE: 'sent-log',
    MILLRACE_IDEMPOTENCY_TABLE: 'idempotency',
    MILLRACE_CIRCUIT_MINIMUM_CALLS: '1000',
    MILLRACE_CIRCUIT_OPEN_SECONDS: '60',
    MILLRACE_MAIL_FROM: 'shop@example.com',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  sendConfirmation = (await import('./send-confirmation-for-checkout.ts')).handler;
  notifyCancellation = (await import('./notify-cancellation-for-checkout.ts')).handler;
});
beforeEach(() => {
  Object.assign(ses, { subjects: [], failures: [] });
});
afterAll(async () => {
  aws.closeAllConnections();
  await new Promise((resolve) => aws.close(resolve));
  await dynamoDb.stop();
});

/** An order whose customer has no phone number. */
function newOrder(): CheckoutOrder {
  const { phone: _, ...customer } = exampleOrder.customer;
  return { ...exampleOrder, customer, process: 'checkout', orderId: randomUUID() };
}

const confirm = (order: CheckoutOrder) =>
  callStep(sendConfirmation, 'SendConfirmation', order, { trackingNumber: 'MR1' });

describe('a checkout', () => {
  test('tells of its confirmation once, however often it asks', async () => {
    const order = newOrder();

    await confirm(order);
    await confirm(order);

    expect(ses.subjects).toEqual([expect.stringContaining(order.orderId)]);
  });

  test.each(['OUT_OF_STOCK', 'PAYMENT_FAILED', 'NOT_APPROVED', 'TECHNICAL_FAILURE'])(
    'tells of its cancellation: %s',
    async (reason) => {
      const order = newOrder();

      await callStep(notifyCancellation, 'NotifyOrderCancelled', order, { cancellation: { reason, detail: 'Sorry' } });

      expect(ses.subjects).toEqual([`Your order ${order.orderId} is cancelled`]);
    },
  );

  test('is told to try again when SES is busy, and sends the mail then', async () => {
    const order = newOrder();
    ses.failures.push('TooManyRequestsException');

    await expect(confirm(order)).rejects.toMatchObject({ name: 'StepUnavailable' });
    await confirm(order);

    expect(ses.subjects).toHaveLength(1);
  });

  test('is told that an address is refused, without the address', async () => {
    ses.failures.push('MessageRejected');

    await expect(confirm(newOrder())).rejects.toMatchObject({
      name: 'MessageRefusedError',
      message: expect.not.stringContaining('ada@example.com'),
    });
  });
});
