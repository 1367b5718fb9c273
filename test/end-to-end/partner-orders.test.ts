import { randomUUID } from 'node:crypto';
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { SendMessageBatchCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import { checkoutIdOf, partnerOrderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let queueUrl: string;

beforeAll(async () => {
  system = await startSystem();
  // The partner itself: its orders are its own.
  shop = new Shop(system, 'partner:acme');
  aws = new Aws(system);
  operator = new Operator(system);
  queueUrl = await aws.queueUrl('partner-orders', 'acme');
});

afterAll(() => system?.stop());

const letters = 'millrace-partner-orders-dev-acme-dlq';

/** Sends messages in one call, so that they may come in one batch. */
async function send(...bodies: unknown[]): Promise<void> {
  await aws.sendAll(
    queueUrl,
    bodies.map((body) => (typeof body === 'string' ? body : JSON.stringify(body))),
  );
}

/** The reason of the letter that holds a text. */
async function reasonOf(text: string): Promise<{ code: string; message: string }> {
  return eventually(async () => {
    const letter = (await operator.inspect(letters)).find(({ body }) => body.includes(text));
    if (!letter) throw new Error(`No letter has ${text}`);
    const { code, message } = letter.reason;
    return { code, message };
  });
}

/** Keeps the checkout from taking orders until the returned function is called. */
async function stopTarget(): Promise<() => Promise<void>> {
  const FunctionName = 'millrace-checkout-dev-requestCheckouts';
  await aws.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await setVisibility(1);
  return async () => {
    await aws.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    await setVisibility(120);
  };
}

const setVisibility = (seconds: number) =>
  aws.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { VisibilityTimeout: String(seconds) } }),
  );

describe("a partner's order", () => {
  test('is checked out as an order of the partner, and its buyer is told', async () => {
    const sku = await shop.stocked(10);
    const order = partnerOrderOf(sku);
    await send(order);

    await shop.checkoutThatIs(checkoutIdOf(order), 'CONFIRMED');

    expect(await shop.order(checkoutIdOf(order))).toMatchObject({
      status: 'CONFIRMED',
      lines: [{ sku, quantity: 2, unitPrice: 349 }],
      total: { amount: 698, currency: 'EUR' },
    });
    await eventually(async () => expect(await shop.messagesTo(order.buyer.email)).toHaveLength(1));
  });

  test('is checked out once, however often it is sent', async () => {
    const sku = await shop.stocked(10);
    const order = partnerOrderOf(sku);
    await send(order, order, JSON.stringify(order, null, 2));
    await shop.checkoutThatIs(checkoutIdOf(order), 'CONFIRMED');
    await send(order);
    // What was sent last is done with when a later order is.
    const later = partnerOrderOf(sku);
    await send(later);
    await shop.checkoutThatIs(checkoutIdOf(later), 'CONFIRMED');
    await aws.quiet();

    await eventually(async () => expect(await shop.stock(sku)).toEqual({ available: 6, reserved: 0, shipped: 4 }));
    expect(await shop.messagesTo(order.buyer.email)).toHaveLength(1);
  });

  test('that is not valid becomes a dead letter that says why, and holds up no other of its batch', async () => {
    const sku = await shop.stocked(10);
    const good = partnerOrderOf(sku);
    const items = Array.from({ length: 41 }, (_, index) => ({ article: `${sku}-${index}`, pieces: 1, price: '1' }));
    const bad = {
      unknown: partnerOrderOf(sku, { coupon: 'HALF' }),
      currency: partnerOrderOf(sku, { currency: 'USD' }),
      many: partnerOrderOf(sku, { items }),
      broken: `{"orderNumber": "${randomUUID()}"`,
    };
    await send(bad.unknown, good, bad.currency, bad.many, bad.broken);

    await shop.checkoutThatIs(checkoutIdOf(good), 'CONFIRMED');
    expect(await reasonOf(bad.unknown.orderNumber)).toEqual({
      code: 'INVALID_ORDER',
      message: 'The order is not valid: order: unknown field',
    });
    expect(await reasonOf(bad.currency.orderNumber)).toEqual({
      code: 'INVALID_ORDER',
      message: 'The order is not valid: currency: expected EUR or CHF, as agreed',
    });
    expect(await reasonOf(bad.many.orderNumber)).toEqual({
      code: 'INVALID_ORDER',
      message: 'The order is not valid: items: expected at most 40 lines',
    });
    expect(await reasonOf(bad.broken)).toMatchObject({ code: 'MALFORMED_ORDER' });
    for (const refused of [bad.unknown, bad.currency, bad.many]) {
      expect((await shop.request('GET', `/checkouts/${checkoutIdOf(refused)}`)).status).toBe(404);
    }
  });

  test('under a number that is taken becomes a dead letter, and the first order stays as it is', async () => {
    const sku = await shop.stocked(10);
    const first = partnerOrderOf(sku);
    await send(first);
    await shop.checkoutThatIs(checkoutIdOf(first), 'CONFIRMED');
    const second = { ...first, items: [{ article: sku, pieces: 5, price: '0.01' }] };
    await send(second);

    await eventually(async () => {
      const found = (await operator.inspect(letters)).find(({ body }) => body === JSON.stringify(second));
      expect(found?.reason.code).toBe('ORDER_NUMBER_REUSED');
    });
    expect((await shop.order(checkoutIdOf(first))).total.amount).toBe(698);
  });

  test('that is only a test of the connection is dropped', async () => {
    const sku = await shop.stocked(10);
    const [probe, real] = [partnerOrderOf(sku), partnerOrderOf(sku)];
    const purpose = (StringValue: string) => ({ purpose: { DataType: 'String', StringValue } });
    const Entries = [
      { Id: 'test', MessageBody: JSON.stringify(probe), MessageAttributes: purpose('test') },
      { Id: 'real', MessageBody: JSON.stringify(real), MessageAttributes: purpose('order') },
    ];
    await aws.sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));

    await shop.checkoutThatIs(checkoutIdOf(real), 'CONFIRMED');
    await aws.quiet();

    expect((await shop.request('GET', `/checkouts/${checkoutIdOf(probe)}`)).status).toBe(404);
    expect((await operator.inspect(letters)).filter(({ body }) => body.includes(probe.orderNumber))).toEqual([]);
  });

  test('that was admitted, and could not be handed on, is handed on when it comes again', async () => {
    const sku = await shop.stocked(10);
    const order = partnerOrderOf(sku);
    const resume = await stopTarget();
    try {
      await send(order);
      await eventually(async () => {
        const Key = { pk: 'PARTNER#acme', sk: `ORDER#${order.orderNumber}` };
        const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-partner-orders-dev', Key }));
        expect(Item).toMatchObject(Key);
      });
    } finally {
      await resume();
    }

    // It may just have been given up: that is what the next test is about.
    await eventually(async () => {
      if ((await operator.inspect(letters)).some(({ body }) => body.includes(order.orderNumber))) {
        await operator.putBack('redrive', letters, { reasons: ['NO_ANSWER'] });
      }
      const { body } = await shop.request('GET', `/checkouts/${checkoutIdOf(order)}`);
      expect(body.status).toBe('CONFIRMED');
    });
    await eventually(async () => expect(await shop.stock(sku)).toEqual({ available: 8, reserved: 0, shipped: 2 }));
  });

  test('that could not be handed on five times is given up by SQS, and a redrive checks it out', async () => {
    const sku = await shop.stocked(10);
    const order = partnerOrderOf(sku);
    const resume = await stopTarget();
    try {
      await send(order);
      expect(await reasonOf(order.orderNumber)).toMatchObject({ code: 'NO_ANSWER' });
    } finally {
      await resume();
    }

    const done = await operator.putBack('redrive', 'partner-orders.acme', { reasons: ['NO_ANSWER'] });

    expect(done).toEqual([['redriven to millrace-partner-orders-dev-acme', expect.any(Number)]]);
    await shop.checkoutThatIs(checkoutIdOf(order), 'CONFIRMED');
    await eventually(async () => expect(await shop.stock(sku)).toEqual({ available: 8, reserved: 0, shipped: 2 }));
    expect(await shop.messagesTo(order.buyer.email)).toHaveLength(1);
  });
});
