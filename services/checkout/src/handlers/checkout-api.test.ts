import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import type { HttpApiEvent } from '@millrace/http';
import { exampleOrder } from '@millrace/orders/events';
import { PaymentFailed } from '@millrace/payments/events';
import {
  consumerVariables,
  envelopeText,
  httpRequest,
  insertRecord,
  lambdaContext,
  sampleEvent,
  sqsEvent,
  streamEvent,
} from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type {
  APIGatewayProxyStructuredResultV2,
  Context,
  DynamoDBStreamEvent,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { StartCheckout } from '../../events/index.ts';
import { Checkouts } from '../adapters/checkouts.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

const {
  customer: { id: customerId, ...customer },
  shippingAddress,
  lines,
  paymentToken,
} = exampleOrder;
const request = { customer, shippingAddress, currency: 'EUR', lines, paymentToken };
const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:checkout';

/** Step Functions, as far as the handlers call it: operations by name, answered by the test. Lambda is asked by paths, and takes all. */
let answers: Record<string, (input: Record<string, unknown>) => object>;
let asked: { operation: string; input: Record<string, unknown> }[];
let server: Server;
let dynamoDb: TestDynamoDb;
let handlers: {
  postCheckout: Endpoint;
  getCheckout: Endpoint;
  postApproval: Endpoint;
  onStartCheckout: Consumer;
  onPaymentFailed: Consumer;
  requestApproval: (event: unknown, context: Context) => Promise<unknown>;
  relay: (event: DynamoDBStreamEvent, context: Context) => Promise<unknown>;
};

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('checkout');
  await dynamoDb.createTable('checkout-idempotency', ['id']);
  server = createServer(async (incoming, response) => {
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? String(incoming.url);
    const input = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
    asked.push({ operation, input });
    const output = answers[operation]?.(input) ?? {};
    response.writeHead('__type' in output ? 400 : 200).end(JSON.stringify(output));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    MILLRACE_TABLE: 'checkout',
    MILLRACE_IDEMPOTENCY_TABLE: 'checkout-idempotency',
    MILLRACE_ORDERS_PER_HOUR: '30',
    MILLRACE_FAILED_PAYMENTS_PER_HOUR: '1',
    MILLRACE_VERIFIED_CONTACTS: 'optional',
    MILLRACE_SMS_PREFIXES: '+49',
    MILLRACE_APPROVAL_ABOVE: 'EUR=100000',
    MILLRACE_CHECKOUT_PROCESS: 'state-machine',
    MILLRACE_CHECKOUT_FUNCTION: 'arn:aws:lambda:us-east-1:000000000000:function:checkout:durable',
    MILLRACE_STATE_MACHINE: stateMachineArn,
    AWS_ENDPOINT_URL_SFN: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    MILLRACE_EVENT_BUS: 'millrace-test',
    MILLRACE_ANALYTICS_BUS: 'millrace-test-analytics',
    MILLRACE_RELAY_DLQ_URL: 'http://127.0.0.1:1/000000000000/dlq',
    ...consumerVariables('checkout.onStartCheckout'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  handlers = {
    postCheckout: (await import('./post-checkout.ts')).handler,
    getCheckout: (await import('./get-checkout.ts')).handler,
    postApproval: (await import('./post-approval.ts')).handler,
    onStartCheckout: (await import('./on-start-checkout.ts')).handler,
    onPaymentFailed: (await import('./on-payment-failed.ts')).handler,
    requestApproval: (await import('./request-approval.ts')).handler,
    relay: (await import('./relay.ts')).handler,
  };
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await dynamoDb.stop();
});
beforeEach(() => {
  answers = {};
  asked = [];
});

const failure = (name: string) => () => ({ __type: name, message: name });

async function call(handler: Endpoint, event: HttpApiEvent) {
  const { statusCode, headers, body = '' } = await handler(event, lambdaContext());
  return { statusCode, headers, body: JSON.parse(body) };
}

const post = (body: unknown = request, headers: Record<string, string> = {}, sub = customerId) =>
  call(handlers.postCheckout, httpRequest('POST /checkouts', { body, headers, claims: { sub } }));
const view = (checkoutId: string, sub = customerId) =>
  call(handlers.getCheckout, httpRequest('GET /checkouts/{checkoutId}', { path: { checkoutId }, claims: { sub } }));
const decide = (checkoutId: string, body: unknown, sub = 'staff') =>
  call(
    handlers.postApproval,
    httpRequest('POST /checkouts/{checkoutId}/approval', { path: { checkoutId }, body, claims: { sub } }),
  );

async function deliver(handler: Consumer, ...events: Parameters<typeof envelopeText>[0][]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

/** A checkout whose approval was asked for. */
async function awaitingApproval(): Promise<string> {
  const { checkoutId } = (await post(request, {}, `customer-${randomUUID()}`)).body;
  const order = { ...exampleOrder, orderId: checkoutId, process: 'checkout' };
  const cause = { correlationId: 'correlation-1' };
  const input = { idempotencyKey: `${checkoutId}:RequestApproval`, cause, order, taskToken: 'token-1', attempt: 0 };
  await handlers.requestApproval(input, lambdaContext());
  return checkoutId;
}

describe('POST /checkouts', () => {
  test('stores the command that starts the checkout, and says where to look', async () => {
    const { statusCode, headers, body } = await post();

    expect(statusCode).toBe(202);
    expect(headers).toMatchObject({ location: `/checkouts/${body.checkoutId}` });
    expect(body).toEqual({ checkoutId: expect.any(String), orderId: body.checkoutId, status: 'REQUESTED' });
    const { Items = [] } = await dynamoDb.client.send(
      new QueryCommand({
        TableName: 'checkout',
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: { ':pk': { S: `CHECKOUT#${body.checkoutId}` }, ':sk': { S: 'OUTBOX#' } },
      }),
    );
    answers.PutEvents = () => ({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
    const records = Items.map((item) => insertRecord(item as Parameters<typeof insertRecord>[0], '1'));
    await handlers.relay(streamEvent(...records), lambdaContext());
    const [{ DetailType, Detail } = { DetailType: '', Detail: '{}' }] = (asked[0]?.input.Entries ?? []) as {
      DetailType: string;
      Detail: string;
    }[];
    expect(DetailType).toBe('StartCheckout.v1');
    expect(JSON.parse(Detail).data.order).toMatchObject({
      ...{ orderId: body.orderId, process: 'checkout', total: { amount: 698, currency: 'EUR' } },
      customer: { id: customerId },
    });
  });

  test('gives the same request the same checkout', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    expect((await post(request, headers)).body).toEqual((await post(request, headers)).body);
  });

  test.each([
    ['a misspelt field', { ...request, curency: 'EUR' }, '/curency'],
    ['a process of the caller’s choice', { ...request, process: 'checkout' }, '/process'],
    ['no lines', { ...request, lines: [] }, '/lines'],
  ])('refuses %s and names it', async (_, body, field) => {
    const answer = await post(body);
    expect(answer.statusCode).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toContain(field);
  });

  test('refuses an order with a slot, and says where to place it', async () => {
    expect(await post({ ...request, slotId: randomUUID() })).toMatchObject({
      statusCode: 400,
      body: { errors: [{ field: '/slotId', detail: 'a checkout cannot be picked up: order with POST /orders' }] },
    });
  });

  test('refuses a number that the shop may not write to', async () => {
    const phone = '+12025550123';
    expect(await post({ ...request, customer: { ...customer, phone } })).toMatchObject({ statusCode: 403 });
  });

  test('refuses a customer whose payments failed, and counts each failure once', async () => {
    const sub = `customer-${randomUUID()}`;
    const { checkoutId } = (await post(request, {}, sub)).body;
    const failed = sampleEvent(PaymentFailed, { orderId: checkoutId, process: 'checkout' });
    expect(await deliver(handlers.onPaymentFailed, failed, failed)).toBe(0);
    expect(await post(request, {}, sub)).toMatchObject({ statusCode: 429, body: { code: 'QUOTA_EXCEEDED' } });
  });
});

describe('StartCheckout', () => {
  const order = (amount: number) => ({ ...StartCheckout.example.order, total: { amount, currency: 'EUR' } });
  const command = (amount: number) => sampleEvent(StartCheckout, { order: order(amount) });

  test.each([
    [100_000, false],
    [100_001, true],
  ])('of %d cents starts the execution with the name of the order; approval required: %s', async (amount, required) => {
    const event = command(amount);
    expect(await deliver(handlers.onStartCheckout, event)).toBe(0);

    const [{ operation, input } = { operation: '', input: {} }] = asked;
    expect(operation).toBe('StartExecution');
    expect(input).toMatchObject({ stateMachineArn, name: exampleOrder.orderId });
    const { id, correlationId } = (event.event as { metadata: { id: string; correlationId: string } }).metadata;
    expect(JSON.parse(String(input.input))).toEqual({
      ...{ order: order(amount), approvalRequired: required },
      cause: expect.objectContaining({ correlationId, causationId: id }),
    });
  });

  test('that comes twice has started it', async () => {
    answers.StartExecution = failure('ExecutionAlreadyExists');
    expect(await deliver(handlers.onStartCheckout, command(1))).toBe(0);
  });

  test('starts the process that the checkout was requested for, although the stage has chosen another one since', async () => {
    const orderId = randomUUID();
    const checkouts = new Checkouts({ client: documentClient(), name: 'checkout' });
    await checkouts.request({ ...order(1), orderId }, 'durable-function', { correlationId: 'correlation-1' });
    const event = sampleEvent(StartCheckout, { order: { ...order(1), orderId } });

    expect(await deliver(handlers.onStartCheckout, event)).toBe(0);

    expect(asked).toMatchObject([{ operation: expect.stringContaining('/functions/'), input: { order: { orderId } } }]);
  });

  test('fails when the execution cannot be started, so that it is tried again', async () => {
    answers.StartExecution = failure('ExecutionLimitExceeded');
    expect(await deliver(handlers.onStartCheckout, command(1))).toBe(1);
  });
});

describe('GET /checkouts/{checkoutId}', () => {
  test('finds a checkout of an earlier release, which had the state machine alone', async () => {
    const { checkoutId } = (await post(request, {}, customerId)).body;
    await dynamoDb.client.send(
      new UpdateItemCommand({
        TableName: 'checkout',
        Key: { pk: { S: `CHECKOUT#${checkoutId}` }, sk: { S: 'CHECKOUT' } },
        UpdateExpression: 'REMOVE #process',
        ExpressionAttributeNames: { '#process': 'process' },
      }),
    );
    answers.DescribeExecution = failure('ExecutionDoesNotExist');

    expect(await view(checkoutId)).toMatchObject({ statusCode: 200, body: { status: 'REQUESTED' } });
    expect(asked.map(({ operation }) => operation)).toEqual(['DescribeExecution']);
  });

  const second = (timestamp: number) => new Date(timestamp * 1000).toISOString();
  const entered = (name: string, timestamp: number) => ({ timestamp, stateEnteredEventDetails: { name } });
  const exited = (name: string, timestamp: number) => ({ timestamp, stateExitedEventDetails: { name } });

  test('tells that a checkout was asked for', async () => {
    answers.DescribeExecution = failure('ExecutionDoesNotExist');
    const { checkoutId } = (await post()).body;
    expect(await view(checkoutId)).toMatchObject({ statusCode: 200, body: { status: 'REQUESTED', history: [] } });
  });

  test('tells the state and the states before, over all pages', async () => {
    answers.DescribeExecution = () => ({ status: 'RUNNING' });
    answers.GetExecutionHistory = ({ nextToken }) =>
      nextToken === undefined
        ? { events: [{ timestamp: 1 }, entered('PlaceOrder', 1), exited('PlaceOrder', 2)], nextToken: 'more' }
        : { events: [entered('RequestApproval', 2)] };
    const { checkoutId } = (await post()).body;

    expect((await view(checkoutId)).body).toMatchObject({
      ...{ checkoutId, orderId: checkoutId, status: 'AWAITING_APPROVAL', state: 'RequestApproval' },
      history: [
        { state: 'PlaceOrder', enteredAt: second(1), leftAt: second(2) },
        { state: 'RequestApproval', enteredAt: second(2) },
      ],
    });
    expect(asked.at(-1)?.input).toMatchObject({ includeExecutionData: false });
    expect(asked.at(-1)?.input.executionArn).toBe(
      `arn:aws:states:us-east-1:000000000000:execution:checkout:${checkoutId}`,
    );
  });

  test.each([
    ['SUCCEEDED', { outcome: 'CONFIRMED', trackingNumber: 'MR1' }, { status: 'CONFIRMED' }],
    ['SUCCEEDED', { outcome: 'CANCELLED', reason: 'OUT_OF_STOCK' }, { status: 'CANCELLED', reason: 'OUT_OF_STOCK' }],
    ['FAILED', undefined, { status: 'STOPPED' }],
    ['TIMED_OUT', undefined, { status: 'STOPPED' }],
    ['PENDING_REDRIVE', undefined, { status: 'RUNNING' }],
  ])('of an execution that is %s tells the outcome', async (status, output, expected) => {
    answers.DescribeExecution = () => ({ status, ...(output && { output: JSON.stringify(output) }) });
    expect((await view((await post()).body.checkoutId)).body).toMatchObject(expected);
  });

  test('is 404 for another customer’s checkout, and for one that does not exist', async () => {
    const { checkoutId } = (await post()).body;
    expect(await view(checkoutId, 'eve')).toMatchObject({ statusCode: 404, body: { code: 'CHECKOUT_NOT_FOUND' } });
    expect(await view(randomUUID())).toMatchObject({ statusCode: 404 });
    expect(asked).toEqual([]);
  });
});

describe('POST /checkouts/{checkoutId}/approval', () => {
  test.each([
    [true, 'SendTaskSuccess', { taskToken: 'token-1', output: '{}' }],
    [false, 'SendTaskFailure', { taskToken: 'token-1', error: 'ApprovalRefused' }],
  ])('of %s tells the execution', async (approved, operation, input) => {
    const checkoutId = await awaitingApproval();
    const answer = await decide(checkoutId, { approved });
    expect(answer).toMatchObject({ statusCode: 202, headers: { location: `/checkouts/${checkoutId}` } });
    expect(asked).toEqual([{ operation, input: expect.objectContaining(input) }]);
  });

  test('comes again after the execution has gone on, or after a crash before it was told', async () => {
    const checkoutId = await awaitingApproval();
    answers.SendTaskSuccess = failure('InternalServerError');
    expect(await decide(checkoutId, { approved: true })).toMatchObject({ statusCode: 500 });
    answers.SendTaskSuccess = () => ({});
    expect(await decide(checkoutId, { approved: true })).toMatchObject({ statusCode: 202 });
    answers.SendTaskSuccess = failure('TaskTimedOut');
    expect(await decide(checkoutId, { approved: true })).toMatchObject({ statusCode: 202 });
  });

  test('cannot be changed', async () => {
    const checkoutId = await awaitingApproval();
    await decide(checkoutId, { approved: true });
    expect(await decide(checkoutId, { approved: false })).toMatchObject({
      ...{ statusCode: 409, body: { code: 'APPROVAL_DECIDED', detail: 'The order was approved before' } },
    });
    expect(asked.map(({ operation }) => operation)).toEqual(['SendTaskSuccess']);
  });

  test('is too late when the execution does not wait any more', async () => {
    const checkoutId = await awaitingApproval();
    answers.SendTaskSuccess = failure('TaskTimedOut');
    expect(await decide(checkoutId, { approved: true })).toMatchObject({
      ...{ statusCode: 409, body: { code: 'APPROVAL_TOO_LATE' } },
    });
  });

  test('is refused before it is asked for, from the customer, without an answer, and for no checkout', async () => {
    const { checkoutId } = (await post()).body;
    const code = async (answer: Promise<{ body: { code: string } }>) => (await answer).body.code;
    expect(await code(decide(checkoutId, { approved: true }))).toBe('APPROVAL_NOT_AWAITED');
    expect(await code(decide(checkoutId, { approved: true }, customerId))).toBe('OWN_CHECKOUT');
    expect(await decide(checkoutId, {})).toMatchObject({ statusCode: 400 });
    expect(await code(decide(randomUUID(), { approved: true }))).toBe('CHECKOUT_NOT_FOUND');
    expect(asked).toEqual([]);
  });
});
