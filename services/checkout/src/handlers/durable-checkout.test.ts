import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { HttpApiEvent } from '@millrace/http';
import { type DurableInProcess, startDurableInProcess } from '@millrace/local/durable-in-process';
import { exampleOrder } from '@millrace/orders/events';
import { nextExecution } from '@millrace/steps';
import { logger } from '@millrace/telemetry';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { StartCheckout } from '../../events/index.ts';
import { sagaSteps } from '../domain/saga.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

const {
  customer: { id: sub, ...customer },
  shippingAddress,
  lines,
  paymentToken,
} = exampleOrder;

let dynamoDb: TestDynamoDb;
let durable: DurableInProcess;
let postCheckout: Endpoint;
let getCheckout: Endpoint;
let postApproval: Endpoint;
let onStartCheckout: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;
let requestApproval: (event: unknown, context: Context) => Promise<unknown>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('checkout');
  await dynamoDb.createTable('checkout-idempotency', ['id']);
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:checkout:durable';
  Object.assign(process.env, {
    MILLRACE_STAGE: 'dev',
    MILLRACE_TABLE: 'checkout',
    MILLRACE_IDEMPOTENCY_TABLE: 'checkout-idempotency',
    MILLRACE_ORDERS_PER_HOUR: '30',
    MILLRACE_FAILED_PAYMENTS_PER_HOUR: '1',
    MILLRACE_VERIFIED_CONTACTS: 'optional',
    MILLRACE_SMS_PREFIXES: '+49',
    MILLRACE_APPROVAL_ABOVE: 'EUR=1',
    MILLRACE_CHECKOUT_PROCESS: 'durable-function',
    MILLRACE_CHECKOUT_FUNCTION: arn,
    MILLRACE_STATE_MACHINE: 'arn:aws:states:us-east-1:000000000000:stateMachine:checkout',
    // Step Functions is not to be asked.
    AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:1',
    ...consumerVariables('checkout.onStartCheckout'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const { checkout } = await import('./durable-checkout.ts');
  ({ handler: postCheckout } = await import('./post-checkout.ts'));
  ({ handler: getCheckout } = await import('./get-checkout.ts'));
  ({ handler: postApproval } = await import('./post-approval.ts'));
  ({ handler: onStartCheckout } = await import('./on-start-checkout.ts'));
  ({ handler: requestApproval } = await import('./request-approval.ts'));
  const answer = () => ({ paymentId: 'payment-1', shipmentId: 'shipment-1', trackingNumber: 'MR1' });
  const functions = Object.values(sagaSteps).map(({ contract }) => [
    `millrace-${contract.name.replace('.', '-dev-')}`,
    contract.name === 'checkout.requestApproval' ? (event: unknown) => requestApproval(event, lambdaContext()) : answer,
  ]);
  durable = await startDurableInProcess({ checkout }, Object.fromEntries(functions));
  process.env.AWS_ENDPOINT_URL_LAMBDA = (await durable.serve()).endpoint;
});
afterAll(async () => {
  await durable[Symbol.asyncDispose]();
  await dynamoDb.stop();
});

async function call(handler: Endpoint, event: HttpApiEvent) {
  const { statusCode, body = '' } = await handler(event, lambdaContext());
  return { statusCode, body: JSON.parse(body) };
}

/** Requests a checkout and starts it. @returns its id */
async function start(): Promise<string> {
  const request = { customer, shippingAddress, currency: 'EUR', lines, paymentToken };
  const { body } = await call(postCheckout, httpRequest('POST /checkouts', { body: request, claims: { sub } }));
  const order = { ...StartCheckout.example.order, orderId: String(body.checkoutId) };
  const event = sqsEvent(envelopeText(sampleEvent(StartCheckout, { order })));
  // At least once.
  for (let time = 0; time < 2; time += 1) {
    expect(await onStartCheckout(event, lambdaContext())).toEqual({ batchItemFailures: [] });
  }
  await durable.settle();
  return order.orderId;
}

const view = async (checkoutId: string) =>
  (await call(getCheckout, httpRequest('GET /checkouts/{checkoutId}', { path: { checkoutId }, claims: { sub } }))).body;
const decide = (checkoutId: string, approved: boolean) =>
  call(
    postApproval,
    httpRequest('POST /checkouts/{checkoutId}/approval', {
      ...{ path: { checkoutId }, body: { approved }, claims: { sub: 'staff' } },
    }),
  );

describe('a checkout of a stage with the durable function', () => {
  test.each([
    [true, { status: 'CONFIRMED', state: 'SendConfirmation' }],
    [false, { status: 'CANCELLED', state: 'NotifyOrderCancelled', reason: 'NOT_APPROVED' }],
  ])('waits for its approval, and goes on when that is %s', async (approved, expected) => {
    const checkoutId = await start();
    expect(await view(checkoutId)).toMatchObject({ status: 'AWAITING_APPROVAL', state: 'RequestApproval' });
    const logged = jest.spyOn(logger, 'info');

    expect(await decide(checkoutId, approved)).toMatchObject({ statusCode: 202 });
    await durable.settle();

    const ends = logged.mock.calls.filter(([message]) => message === 'Checkout ended');
    expect(ends).toEqual([['Checkout ended', { checkout_id: checkoutId, outcome: expected.status }]]);
    logged.mockRestore();

    expect(await view(checkoutId)).toMatchObject(expected);
    expect(await decide(checkoutId, approved)).toMatchObject({ statusCode: 202 });
  });

  test('that an operator has stopped begins again, finds what is done, and asks for its approval anew', async () => {
    const checkoutId = await start();
    const { DurableExecutions } = await durable.invoke('ListDurableExecutionsByFunction', {
      ...{ FunctionName: 'checkout', DurableExecutionName: checkoutId },
    });
    const [{ DurableExecutionArn } = { DurableExecutionArn: '' }] = DurableExecutions as {
      DurableExecutionArn: string;
    }[];
    await durable.invoke('StopDurableExecution', { DurableExecutionArn });
    expect(await view(checkoutId)).toMatchObject({ status: 'STOPPED' });
    expect(await decide(checkoutId, false)).toMatchObject({ statusCode: 409, body: { code: 'APPROVAL_TOO_LATE' } });

    const { InputPayload } = await durable.invoke('GetDurableExecution', { DurableExecutionArn });
    const next = nextExecution({ name: checkoutId, input: JSON.parse(String(InputPayload)) });
    durable.start('checkout', next.input, next.name);
    await durable.settle();

    expect(await view(checkoutId)).toMatchObject({ status: 'AWAITING_APPROVAL' });
    expect(await decide(checkoutId, true)).toMatchObject({ statusCode: 202 });
    await durable.settle();
    expect(await view(checkoutId)).toMatchObject({ status: 'CONFIRMED' });
  });

  test('is cancelled when nobody answers in time', async () => {
    const checkoutId = await start();

    await durable.clock.advance(86_400_000);
    await durable.settle();

    expect(await view(checkoutId)).toMatchObject({ status: 'CANCELLED', reason: 'NOT_APPROVED' });
    expect(await decide(checkoutId, true)).toMatchObject({ statusCode: 409, body: { code: 'APPROVAL_TOO_LATE' } });
  });
});
