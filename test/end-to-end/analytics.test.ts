import { randomUUID } from 'node:crypto';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { derivedId } from '@millrace/events';
import { StockReleased } from '@millrace/inventory/events';
import { eventually, sampleEvent } from '@millrace/testing';
import { Aws, analyticsBusName, type Tap } from './aws.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

const unique = () => randomUUID().slice(0, 8);
const person = {
  name: `Zerlina Quasthoff ${unique()}`,
  email: `zerlina.${unique()}@private.example`,
  phone: `+4915${String(Math.floor(Math.random() * 1e9)).padStart(9, '0')}`,
};
const address = {
  line1: `Geheimgasse ${unique()}`,
  line2: `c/o Quasthoff ${unique()}`,
  city: `Heimlichstadt ${unique()}`,
  postalCode: `Z-${unique()}`,
  country: 'DE',
};

let system: System;
let shop: Shop;
let aws: Aws;
let domain: Tap;
let analytics: Tap;

beforeAll(async () => {
  system = await startSystem({ mayBeRefused: ['millrace-re-emitter-dev-reemit events:PutEvents'] });
  shop = new Shop(system);
  aws = new Aws(system);
  domain = await aws.tap();
  analytics = await aws.tap(undefined, analyticsBusName);
});
afterAll(async () => {
  await domain?.close();
  await analytics?.close();
  await system?.stop();
});

test('every event of an order that may leave is on the analytics bus as its variant, without a word of the customer', async () => {
  const sku = await shop.stocked(1, 1);
  const place = (paymentToken: string) =>
    shop.place(orderOf(sku, 1, { customer: person, shippingAddress: address, paymentToken }));
  const confirmed = await place('tok_approved');
  await shop.orderWith(confirmed, 'OrderConfirmed');
  const outOfStock = await place('tok_declined');
  await shop.orderWith(outOfStock, 'OrderCancelled');

  const leaving = [
    ...(await domain.waitFor(
      confirmed,
      ...['OrderPlaced.v1', 'StockReserved.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1', 'OrderConfirmed.v1'],
    )),
    ...(await domain.waitFor(outOfStock, 'OrderPlaced.v1', 'StockReservationFailed.v1', 'OrderCancelled.v1')),
    ...(await domain.waitFor(sku, 'StockRanLow.v1')),
  ].filter(({ detailType }) => detailType !== 'OrderTimeLimitReached.v1');
  const variants = await eventually(async () => {
    const seen = (await Promise.all([confirmed, outOfStock, sku].map((value) => analytics.about(value)))).flat();
    const causes = new Set(seen.map(({ event }) => event.metadata.causationId));
    const missing = leaving.filter(({ event }) => !causes.has(event.metadata.id));
    if (missing.length > 0) throw new Error(`no variant of ${missing.map(({ detailType }) => detailType).join(', ')}`);
    return seen;
  });

  const originals = new Map(leaving.map((each) => [each.event.metadata.id, each]));
  for (const { detailType, event } of variants) {
    const original = originals.get(event.metadata.causationId ?? '');
    expect(original).toMatchObject({ detailType });
    expect(event.metadata).toMatchObject({
      id: derivedId(['analytics-variant', original?.event.metadata.id]),
      category: 'transformed',
      correlationId: original?.event.metadata.correlationId,
    });
  }
  const text = variants.map(({ detail }) => detail).join('\n');
  const secrets = [...Object.values(person), ...Object.values(address), 'tok_approved', 'tok_declined'];
  expect(secrets.filter((secret) => secret !== 'DE' && text.includes(secret))).toEqual([]);
  expect(text).not.toMatch(/Zerlina|Quasthoff|Geheimgasse|Heimlichstadt|paymentToken|trackingNumber/);
  expect(text).not.toContain(shop.customerId);
  const placed = variants.filter(({ detailType }) => detailType === 'OrderPlaced.v1').map(({ event }) => event.data);
  const customer = { id: expect.stringMatching(/^[0-9a-f]{32}$/) };
  expect(placed[0]).toMatchObject({ customer, lines: [{ sku, quantity: 1 }], total: { currency: 'EUR' } });
  // The same customer has the same pseudonym, whichever container of the relay made it.
  expect(new Set(placed.map((data) => JSON.stringify((data as { customer: object }).customer))).size).toBe(1);
});

test('an event that is emitted twice has one variant, by its id', async () => {
  const orderId = randomUUID();
  const event = sampleEvent(StockReleased, { orderId }, { id: randomUUID(), subject: orderId });
  const Put = () => ({
    PutRequest: {
      Item: {
        ...{ pk: `ANALYTICS-TEST#${randomUUID()}`, sk: `OUTBOX#${randomUUID()}`, outbox: event.entry },
        ttl: Math.floor(Date.now() / 1_000) + 30 * 86_400,
      },
    },
  });
  await aws.dynamodb.send(new BatchWriteCommand({ RequestItems: { 'millrace-inventory-dev': [Put(), Put()] } }));

  const twice = await eventually(async () => {
    const seen = await analytics.about(orderId);
    if (seen.length < 2) throw new Error(`${seen.length} variants`);
    return seen;
  });

  const id = derivedId(['analytics-variant', event.event.metadata.id]);
  expect(new Set(twice.map((variant) => variant.event.metadata.id))).toEqual(new Set([id]));
});

test('only a relay may put variants: an administrator is refused, and so is the re-emitter', async () => {
  const refused = [{ ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: expect.any(String) }];
  expect(await aws.putAs('an-administrator', 'millrace.orders', analyticsBusName)).toEqual(refused);
  expect(await aws.putAs('an-administrator', 'millrace.event-log', analyticsBusName)).toEqual(refused);
  expect(await aws.putAs('millrace-re-emitter-dev-reemit', 'millrace.orders', analyticsBusName)).toEqual(refused);
});
