import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient, ScanCommand } from '@millrace/aws';
import { CheckoutApprovalRequested } from '@millrace/checkout/events';
import type { EmittableEvent } from '@millrace/events';
import { StockRanLow } from '@millrace/inventory/events';
import { exampleOrder, OrderCancelled, OrderConfirmed } from '@millrace/orders/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

interface SentMail {
  FromEmailAddress: string;
  Destination: { ToAddresses: string[] };
  Content: { Simple: { Subject: { Data: string } } };
}

/** What SES, SNS and SQS were asked to do, and the error codes they answer the next calls with. */
const asked = { mails: [] as SentMail[], sms: [] as URLSearchParams[], deadLetters: [] as string[], retries: 0 };
const failures = { ses: [] as string[], sns: [] as string[] };

/** Stands in for SES (REST), SNS (query protocol) and SQS (JSON), so that the real clients are tested. */
function startAws(): Server {
  return createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const operation = request.headers['x-amz-target'];
    if (operation === 'AmazonSQS.SendMessage') {
      asked.deadLetters.push(body);
      const MD5OfMessageBody = createHash('md5').update(JSON.parse(body).MessageBody).digest('hex');
      response.end(JSON.stringify({ MessageId: '1', MD5OfMessageBody }));
    } else if (operation === 'AmazonSQS.ChangeMessageVisibility') {
      asked.retries += 1;
      response.end('{}');
    } else if (request.url === '/v2/email/outbound-emails') {
      const code = failures.ses.shift();
      if (code) {
        response.writeHead(400, { 'x-amzn-errortype': code, 'content-type': 'application/json' });
        response.end('{"message":"about ada@example.com"}');
        return;
      }
      asked.mails.push(JSON.parse(body));
      response.end('{"MessageId":"1"}');
    } else {
      const code = failures.sns.shift();
      if (code) {
        response.writeHead(400, { 'content-type': 'text/xml' });
        response.end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>about +4915112345678</Message></Error></ErrorResponse>`,
        );
        return;
      }
      asked.sms.push(new URLSearchParams(body));
      response.end('<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>');
    }
  });
}

let aws: Server;
let dynamoDb: TestDynamoDb;
let onOrderOutcome: Handler;
let onStockRanLow: Handler;
let onCheckoutApprovalRequested: Handler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('sent-log');
  await dynamoDb.createTable('idempotency', ['id']);
  aws = startAws();
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SESV2: endpoint,
    AWS_ENDPOINT_URL_SNS: endpoint,
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_MAX_ATTEMPTS: '1',
    MILLRACE_TABLE: 'sent-log',
    MILLRACE_CIRCUIT_MINIMUM_CALLS: '20',
    MILLRACE_CIRCUIT_OPEN_SECONDS: '30',
    MILLRACE_IDEMPOTENCY_TABLE: 'idempotency',
    MILLRACE_MAIL_FROM: 'shop@millrace.example',
    MILLRACE_OPERATIONS_EMAIL: 'operations@millrace.example',
    MILLRACE_APPROVERS_EMAIL: 'approvals@millrace.example',
    ...consumerVariables('notifications.test', endpoint),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onOrderOutcome = (await import('./on-order-outcome.ts')).handler;
  onStockRanLow = (await import('./on-stock-ran-low.ts')).handler;
  onCheckoutApprovalRequested = (await import('./on-checkout-approval-requested.ts')).handler;
});
afterAll(async () => {
  await new Promise((resolve) => aws.close(resolve));
  await dynamoDb.stop();
});
beforeEach(() => {
  Object.assign(asked, { mails: [], sms: [], deadLetters: [], retries: 0 });
  Object.assign(failures, { ses: [], sns: [] });
});

/** Delivers an event and returns how many records failed. */
async function deliver(handler: Handler, event: EmittableEvent): Promise<number> {
  return (await handler(sqsEvent(envelopeText(event)), lambdaContext())).batchItemFailures.length;
}

async function sentLog(event: EmittableEvent) {
  const { id } = (event.event as { metadata: { id: string } }).metadata;
  const { Items = [] } = await documentClient().send(
    new ScanCommand({
      TableName: 'sent-log',
      FilterExpression: 'eventId = :id',
      ExpressionAttributeValues: { ':id': id },
    }),
  );
  return Items.sort((a, b) => String(a.sk).localeCompare(String(b.sk)));
}

const { phone: _phone, ...customerWithoutPhone } = exampleOrder.customer;

describe('onOrderOutcome', () => {
  test('tells the customer of a confirmed order by mail and SMS', async () => {
    expect(await deliver(onOrderOutcome, sampleEvent(OrderConfirmed))).toBe(0);

    expect(asked.mails).toMatchObject([
      {
        FromEmailAddress: 'shop@millrace.example',
        Destination: { ToAddresses: ['ada@example.com'] },
        Content: { Simple: { Subject: { Data: `Your order ${exampleOrder.orderId} is confirmed` } } },
      },
    ]);
    expect(asked.sms.map((sms) => [sms.get('PhoneNumber'), sms.get('Message')])).toEqual([
      ['+4915112345678', `Your order ${exampleOrder.orderId} is confirmed. Tracking number: MR0B9F6C1E5A43`],
    ]);
  });

  test('sends no SMS to a customer without a phone', async () => {
    await deliver(onOrderOutcome, sampleEvent(OrderCancelled, { customer: customerWithoutPhone }));

    expect(asked.mails).toHaveLength(1);
    expect(asked.sms).toHaveLength(0);
  });

  test('a second delivery sends nothing', async () => {
    const event = sampleEvent(OrderCancelled);

    await deliver(onOrderOutcome, event);
    expect(await deliver(onOrderOutcome, event)).toBe(0);

    expect(asked.mails).toHaveLength(1);
    expect(asked.sms).toHaveLength(1);
  });

  test.each([
    ['SES', { ses: ['TooManyRequestsException'], sns: [] }],
    ['SNS', { ses: [], sns: ['Throttled'] }],
  ])('when %s is busy the event is retried, and what was sent is not sent again', async (_service, busy) => {
    Object.assign(failures, busy);
    const event = sampleEvent(OrderConfirmed);

    expect(await deliver(onOrderOutcome, event)).toBe(1);
    expect(asked.retries).toBe(1);
    expect(asked.mails.length + asked.sms.length).toBe(1);
    expect(await deliver(onOrderOutcome, event)).toBe(0);

    expect(asked.mails).toHaveLength(1);
    expect(asked.sms).toHaveLength(1);
    expect(await sentLog(event)).toHaveLength(2);
  });

  test.each([
    ['a mail that SES refuses', { ses: ['MessageRejected'], sns: [] }, 'SES: MessageRejected'],
    ['a number that SNS refuses', { ses: [], sns: ['InvalidParameter'] }, 'SNS: InvalidParameterException'],
  ])('%s goes to the dead-letter queue without quoting the address', async (_what, refused, reason) => {
    Object.assign(failures, refused);

    expect(await deliver(onOrderOutcome, sampleEvent(OrderConfirmed))).toBe(0);

    expect(asked.mails.length + asked.sms.length).toBe(1);
    expect(asked.deadLetters).toHaveLength(1);
    const { MessageAttributes } = JSON.parse(asked.deadLetters[0] ?? '{}');
    expect(MessageAttributes.ErrorCode.StringValue).toBe('MESSAGE_REFUSED');
    expect(MessageAttributes.ErrorMessage.StringValue).toContain(reason);
    expect(JSON.stringify(MessageAttributes)).not.toMatch(/ada@example.com|\+4915112345678/);
  });

  test('a refused mail waits in the queue for the SMS that can still be sent', async () => {
    Object.assign(failures, { ses: ['MessageRejected', 'MessageRejected'], sns: ['Throttled'] });
    const event = sampleEvent(OrderConfirmed);

    expect(await deliver(onOrderOutcome, event)).toBe(1);
    expect(asked.deadLetters).toHaveLength(0);
    expect(await deliver(onOrderOutcome, event)).toBe(0);

    expect(asked.sms).toHaveLength(1);
    expect(asked.deadLetters).toHaveLength(1);
  });

  test('the sent log keeps what was sent for 90 days, and nothing personal', async () => {
    const event = sampleEvent(OrderConfirmed);

    await deliver(onOrderOutcome, event);

    const { id } = event.event.metadata;
    const items = await sentLog(event);
    expect(items).toMatchObject([
      { pk: `MESSAGE#${id}`, channel: 'email', template: 'order-confirmed', recipient: 'customer-1', eventId: id },
      { pk: `MESSAGE#${id}`, channel: 'sms', template: 'order-confirmed', recipient: 'customer-1', eventId: id },
    ]);
    for (const { sentAt, ttl } of items) {
      expect(ttl - Math.floor(Date.parse(sentAt) / 1000)).toBe(90 * 24 * 60 * 60);
    }
    expect(JSON.stringify(items)).not.toMatch(/ada|\+49|Mill Lane/i);
  });
});

describe('onStockRanLow', () => {
  test('tells operations once', async () => {
    const event = sampleEvent(StockRanLow);

    await deliver(onStockRanLow, event);
    expect(await deliver(onStockRanLow, event)).toBe(0);

    expect(asked.mails).toMatchObject([
      {
        Destination: { ToAddresses: ['operations@millrace.example'] },
        Content: { Simple: { Subject: { Data: 'Stock of FLOUR-1KG ran low: 4 left' } } },
      },
    ]);
    expect(asked.sms).toHaveLength(0);
  });
});

describe('onCheckoutApprovalRequested', () => {
  test('tells the approvers once', async () => {
    const event = sampleEvent(CheckoutApprovalRequested);

    await deliver(onCheckoutApprovalRequested, event);
    expect(await deliver(onCheckoutApprovalRequested, event)).toBe(0);

    expect(asked.mails).toMatchObject([
      {
        Destination: { ToAddresses: ['approvals@millrace.example'] },
        Content: { Simple: { Subject: { Data: 'A checkout of €1,500.00 waits for your approval' } } },
      },
    ]);
    expect(asked.sms).toHaveLength(0);
  });
});

test('the fixtures send what they should', async () => {
  const fixture = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'));

  expect(await onOrderOutcome(fixture('on-order-outcome'), lambdaContext())).toEqual({ batchItemFailures: [] });
  expect(await onStockRanLow(fixture('on-stock-ran-low'), lambdaContext())).toEqual({ batchItemFailures: [] });
  const asks = fixture('on-checkout-approval-requested');
  expect(await onCheckoutApprovalRequested(asks, lambdaContext())).toEqual({ batchItemFailures: [] });

  expect(asked.deadLetters).toEqual([]);
  expect([asked.mails.length, asked.sms.length]).toEqual([3, 1]);
});
