import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requestToken } from '@millrace/local/request-token';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { orderOf, Shop, scopesOf } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let aws: Aws;
beforeAll(async () => {
  system = await startSystem();
  aws = new Aws(system);
});
afterAll(() => system?.stop());

const HOUR = 3600;
/** The counters of a customer's orders: the hour may end while a test runs. */
function countersOf({ customerId }: Shop) {
  const hour = Math.floor(Date.now() / 1000 / HOUR) * HOUR;
  return [hour, hour + HOUR].map((start) => ({
    TableName: 'millrace-orders-dev-idempotency',
    Key: { id: `quota#orders#${start}#${customerId}` },
  }));
}

describe('a customer who has used up the hour', () => {
  test('is answered 429 with the time until the next one, and others are not', async () => {
    const shop = new Shop(system);
    const order = orderOf(await shop.stocked(5));
    await shop.place(order);
    for (const counter of countersOf(shop)) {
      await aws.dynamodb.send(
        new UpdateCommand({
          ...counter,
          UpdateExpression: 'ADD used :many',
          ExpressionAttributeValues: { ':many': 1e9 },
        }),
      );
    }

    const { status, headers, body } = await shop.request('POST', '/orders', order);

    expect([status, headers.get('content-type'), body.code]).toEqual([
      429,
      'application/problem+json',
      'QUOTA_EXCEEDED',
    ]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await new Shop(system).request('POST', '/orders', order)).status).toBe(202);
  });

  test('has used it up sooner when payments fail', async () => {
    const shop = new Shop(system);
    const order = orderOf(await shop.stocked(5), 1, { paymentToken: 'tok_declined' });
    const orderId = await shop.place(order);
    await shop.orderWith(orderId, 'OrderCancelled');

    const failures = await Promise.all(
      countersOf(shop).map(async (counter) => {
        const { Attributes } = await aws.dynamodb.send(
          // What all failures of an hour come to, without placing so many orders.
          new UpdateCommand({
            ...counter,
            UpdateExpression: 'ADD failures :others',
            ExpressionAttributeValues: { ':others': new Set(Array.from({ length: 2000 }, (_, index) => `o-${index}`)) },
            ReturnValues: 'ALL_OLD',
          }),
        );
        return [...(Attributes?.failures ?? [])];
      }),
    );

    expect(failures.flat()).toEqual([orderId]);
    expect(await shop.request('POST', '/orders', order)).toMatchObject({
      status: 429,
      body: { code: 'QUOTA_EXCEEDED' },
    });
  });
});

describe('a token that names an address', () => {
  test('binds mail and SMS to it', async () => {
    const shop = new Shop(system);
    const order = orderOf(await shop.stocked(5));
    const { email } = order.customer;
    const phone = `+49151${String(Date.now()).slice(-8)}`;
    const contact = { email, phone };
    const token = await requestToken(system.issuerUrl, {
      ...{ subject: shop.customerId, scope: scopesOf.customer },
      ...contact,
    });
    const place = (customer: object) =>
      shop.request(
        'POST',
        '/orders',
        { ...order, customer: { name: 'Ada Example', ...customer } },
        {
          authorization: `Bearer ${token}`,
        },
      );

    const elsewhere = await place({ email: 'eve@example.com', phone: '+4915187654321' });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([403, 'CONTACT_NOT_ALLOWED']);
    expect(elsewhere.body.errors.map(({ field }) => field)).toEqual(['/customer/email', '/customer/phone']);

    expect((await place(contact)).status).toBe(202);
    await eventually(async () => expect(await shop.messagesTo(email)).toHaveLength(1));
    expect(await shop.messagesTo('eve@example.com')).toEqual([]);
  });
});
