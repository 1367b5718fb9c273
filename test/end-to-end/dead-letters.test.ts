import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DeadLetter, eventDigest } from '@millrace/dead-letters';
import type { DeadLetterCriteria } from '@millrace/dead-letters/operations';
import { EmittableEvent } from '@millrace/events';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';
import { Aws, type Tap, type TappedEvent } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let tap: Tap;
let folder: string;
/** Two orders whose payment provider is down, for a while: their attempts go on while the first tests run. */
let unpaid: { sku: string; orders: string[] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-letters-'));
  system = await startSystem({
    // See `who may put whose events`.
    mayBeRefused: ['orders-dev-relay', 'probe-dev-forge', 're-emitter-dev-reemit'].map(
      (name) => `millrace-${name} events:PutEvents`,
    ),
  });
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
  tap = await aws.tap();
  const sku = await shop.stocked(10);
  const outageOrder = () => shop.place(orderOf(sku, 1, { paymentToken: 'tok_outage' }));
  unpaid = { sku, orders: [await outageOrder(), await outageOrder()] };
  for (const orderId of unpaid.orders) await tap.waitFor(orderId, 'StockReserved.v1');
});

afterAll(async () => {
  await tap?.close();
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inventoryLetters = 'millrace-inventory-dev-on-order-placed-dlq';
const paymentLetters = 'millrace-payments-dev-on-stock-reserved-dlq';
const shipmentRuleLetters = 'millrace-fulfillment-dev-on-payment-processed-rule-dlq';
const probeLetters = 'millrace-probe-dev-on-probe-applied-dlq';
const parking = 'millrace-re-emitter-dev-parking';

/** Waits for the letters of some events, and returns them in the order of the ids. */
async function lettersOf(queue: string, ...eventIds: string[]): Promise<DeadLetter[]> {
  // A look hides letters from others for a moment: it begins once something is there.
  await aws.depthOfAtLeast(queue, eventIds.length);
  return eventually(
    async () => {
      const letters = await operator.inspect(queue);
      return eventIds.map((id) => {
        const letter = letters.find(({ event }) => event?.id === id);
        if (!letter) throw new Error(`No letter of ${id} in ${queue}: ${JSON.stringify(letters.map((l) => l.event))}`);
        return letter;
      });
    },
    { intervalMs: 100 },
  );
}

const succeeds = async (...args: string[]) => {
  const result = await operator.redrive(...args);
  if (result.exitCode !== 0)
    throw new Error(`${args.join(' ')} ended with ${result.exitCode}: ${result.stdout}${result.stderr}`);
  return result;
};

/** Puts the one letter back that is meant. A message that came to its consumer twice may have left two. */
const putsBack = async (way: 'redrive' | 'reemit', queue: string, criteria?: DeadLetterCriteria) => {
  const done = way === 'redrive' ? /^redriven to / : /^reemitted$/;
  expect(await operator.putBack(way, queue, criteria)).toEqual([[expect.stringMatching(done), expect.any(Number)]]);
};

/** The letters that are in a queue although all were put back. */
const left = (way: 'redrive' | 'reemit', queue: string) => operator.leftIn(queue, () => operator.putBack(way, queue));

/** Places an order whose first event is kept from inventory, and returns that event. */
async function orderWithoutStock(): Promise<{ orderId: string; placed: TappedEvent }> {
  const resume = await aws.pause('inventory', 'onOrderPlaced');
  const orderId = await shop.place(orderOf(await shop.stocked(5)));
  const queueUrl = await aws.queueUrl('inventory', 'on-order-placed');
  const [placed] = await tap.waitFor(orderId, 'OrderPlaced.v1');
  // Not the number: a message of an earlier order may come again.
  await eventually(async () => {
    const bodies = (await aws.takeAll(queueUrl)).map(({ Body = '' }) => Body);
    expect(bodies).toContainEqual(expect.stringContaining(orderId));
  });
  await resume();
  if (!placed) throw new Error('The order was not announced');
  return { orderId, placed };
}

/** Lets somebody mend the one letter of an export by hand, imports it, and gives back the new event's id. */
async function mend(queue: string, messageId: string, edit: (line: Record<string, unknown>) => void): Promise<void> {
  const file = join(folder, `${randomUUID()}.ndjson`);
  await succeeds('export', queue, file, '--id', messageId);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '');
  edit(line);
  writeFileSync(file, `${JSON.stringify(line)}\n`);
  await succeeds('import', file);
}

const probe = (group: string) => {
  const probeId = randomUUID();
  return { probeId, event: sampleEvent(ProbeApplied, { probeId, group }) };
};
const idOf = ({ event }: EmittableEvent<{ metadata: { id: string } }>) => event.metadata.id;
const effects = async (probeId: string) => {
  const Key = { pk: `probe#${probeId}` };
  const { Item } = await aws.dynamodb.send(
    new GetCommand({ TableName: 'millrace-probe-dev', Key, ConsistentRead: true }),
  );
  return Number(Item?.effects ?? 0);
};
const outage = (group: string, kind: 'refuse' | 'fail') =>
  aws.dynamodb.send(new PutCommand({ TableName: 'millrace-probe-dev', Item: { pk: `outage#${group}`, kind } }));
const repair = (group: string) =>
  aws.dynamodb.send(new DeleteCommand({ TableName: 'millrace-probe-dev', Key: { pk: `outage#${group}` } }));

describe('poison', () => {
  test('stands in the dead-letter queue after one attempt; mended by hand, it does what it should have done', async () => {
    const { orderId, placed } = await orderWithoutStock();
    const poison = envelopeText(placed).slice(0, -200);
    const QueueUrl = await aws.queueUrl('inventory', 'on-order-placed');
    await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: poison }));

    await aws.depthOfAtLeast(inventoryLetters, 1);
    const letter = await eventually(async () => {
      const found = (await operator.inspect(inventoryLetters)).find(({ body }) => body === poison);
      if (!found) throw new Error('No letter yet');
      return found;
    });
    expect(letter.attributes).toEqual({
      ErrorCode: 'MALFORMED_EVENT',
      ErrorMessage: 'Not an event: the body is not JSON',
      FailureKind: 'permanent',
      Consumer: 'inventory.onOrderPlaced',
      FunctionName: 'millrace-inventory-dev-onOrderPlaced',
      Attempts: '1',
      FirstFailedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      LastFailedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      EventDigest: eventDigest(poison),
    });

    await mend(inventoryLetters, letter.messageId, (line) => {
      delete line.body;
      line.event = JSON.parse(envelopeText(placed));
    });
    await succeeds('redrive', inventoryLetters);

    await shop.orderWith(orderId, 'OrderConfirmed');
    const parked = (await operator.inspect(parking)).find(({ body }) => body === poison);
    expect(parked?.reason).toMatchObject({ code: 'EVENT_REPLACED', kind: 'parked' });
  });
});

describe('a schema violation', () => {
  test('names the field; mended by hand, the order goes on', async () => {
    const { orderId, placed } = await orderWithoutStock();
    const broken = new EmittableEvent({
      ...placed.entry,
      detail: placed.detail.replace('"quantity":1', '"quantity":"one"'),
    });
    await aws.put(broken);

    const [letter] = await lettersOf(inventoryLetters, placed.event.metadata.id);
    expect(letter).toMatchObject({
      origin: 'consumer',
      reason: {
        code: 'SCHEMA_VIOLATION',
        kind: 'permanent',
        attempts: 1,
        consumer: 'inventory.onOrderPlaced',
        message: expect.stringContaining('data.lines.0.quantity'),
      },
    });

    await mend(inventoryLetters, letter?.messageId ?? '', (line) => {
      const { detail } = line.event as { detail: { data: { lines: { quantity: unknown }[] } } };
      for (const orderLine of detail.data.lines) orderLine.quantity = 1;
    });
    const letters = await operator.inspect(inventoryLetters);
    // Not the letter of another test's poison, which is no event.
    const mended = letters.find(({ event }) => event !== undefined && event.id !== placed.event.metadata.id);
    expect(JSON.parse(mended?.body ?? '{}').detail.metadata).toMatchObject({
      id: expect.not.stringMatching(placed.event.metadata.id),
      causationId: placed.event.metadata.id,
      correlationId: placed.event.metadata.correlationId,
    });
    await putsBack('redrive', inventoryLetters);

    await shop.orderWith(orderId, 'OrderConfirmed');
  });
});

describe('a rule whose target queue was deleted', () => {
  test("keeps the events in its own dead-letter queue, with EventBridge's reason, until the queue is there again", async () => {
    const QueueUrl = await aws.queueUrl('fulfillment', 'on-payment-processed');
    const names: QueueAttributeName[] = [
      'VisibilityTimeout',
      'MessageRetentionPeriod',
      'RedrivePolicy',
      'Policy',
      'QueueArn',
    ];
    const { Attributes: { QueueArn = '', ...Attributes } = {} } = await aws.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names }),
    );
    await aws.sqs.send(new DeleteQueueCommand({ QueueUrl }));
    const sku = await shop.stocked(10);
    const orders = [await shop.place(orderOf(sku)), await shop.place(orderOf(sku))];
    const paid = await Promise.all(
      orders.map(async (orderId) =>
        (await tap.waitFor(orderId, 'PaymentProcessed.v1')).find(
          ({ detailType }) => detailType === 'PaymentProcessed.v1',
        ),
      ),
    );
    const ids = paid.map((event) => event?.event.metadata.id ?? '');

    const letters = await lettersOf(shipmentRuleLetters, ...ids);
    for (const { attributes, origin } of letters) {
      expect(origin).toBe('rule');
      expect(attributes).toEqual({
        RULE_ARN: expect.stringMatching(/:rule\/millrace-dev\/millrace-fulfillment-dev-on-payment-processed$/),
        TARGET_ARN: QueueArn,
        ERROR_CODE: 'NO_RESOURCE',
        ERROR_MESSAGE: expect.any(String),
        RETRY_ATTEMPTS: '0',
      });
    }

    const QueueName = 'millrace-fulfillment-dev-on-payment-processed';
    // A name is free again 60 seconds after its queue was deleted.
    await eventually(() => aws.sqs.send(new CreateQueueCommand({ QueueName, Attributes })), {
      intervalMs: 1_000,
    });
    await putsBack('redrive', shipmentRuleLetters, { ids: [ids[0] ?? ''] });
    await putsBack('reemit', shipmentRuleLetters, { ids: [ids[1] ?? ''] });

    for (const orderId of orders) await shop.orderWith(orderId, 'OrderConfirmed');
    expect(await left('redrive', shipmentRuleLetters)).toEqual([]);
  });
});

describe('re-emitting', () => {
  test('puts back the very same event: source, detail-type, time, and every byte of its detail', async () => {
    const group = randomUUID();
    await outage(group, 'refuse');
    const { event, probeId } = probe(group);
    const odd = new EmittableEvent({
      ...event.entry,
      detail: event.detail.replace('"data":{', '"data" : {  "z":1.0, "big":12345678901234567890,"e":"\\u00e9",'),
      time: '2026-01-02T03:04:05Z',
    });
    const raw = await aws.tap('ProbeApplied.v1');
    const heard: string[] = [];
    await aws.put(odd);
    await lettersOf(probeLetters, idOf(event));
    await repair(group);
    await succeeds('reemit', probeLetters, '--id', idOf(event));

    await eventually(async () => {
      heard.push(...(await raw.nextTexts(0)));
      expect(heard.length).toBeGreaterThanOrEqual(2);
    });
    // A message that came to its consumer twice left two letters: then both are put back.
    const [first, ...again] = heard.map((body) => ({
      ...JSON.parse(body),
      detail: body.slice(body.indexOf('"detail":')),
    }));
    for (const event of again) expect(event).toEqual({ ...first, id: expect.not.stringMatching(first.id) });
    expect(first.detail).toContain('"data" : {  "z":1.0, "big":12345678901234567890,"e":"\\u00e9",');
    expect(first.time).toBe('2026-01-02T03:04:05Z');
    await eventually(async () => expect(await effects(probeId)).toBe(1));
    await raw.close();
  });

  test('parks what dies again and again instead of re-emitting it a third time', async () => {
    const group = randomUUID();
    await outage(group, 'refuse');
    const { event, probeId } = probe(group);
    await aws.put(event);
    await lettersOf(probeLetters, idOf(event));
    const reemit = () => operator.redrive('reemit', probeLetters, '--id', idOf(event));
    const isParked = ({ stdout }: { stdout: string }) => /\b\d+ +parked: REEMITTED_TOO_OFTEN/.test(stdout);
    expect(isParked(await reemit())).toBe(false);
    let reemissions = 1;
    // A message that comes to its consumer twice dies twice: then both letters count.
    for (;;) {
      await lettersOf(probeLetters, idOf(event));
      const result = await reemit();
      expect(result.exitCode).toBe(isParked(result) ? 1 : 0);
      if (isParked(result)) break;
      reemissions += 1;
    }
    expect(reemissions).toBeLessThanOrEqual(2);
    const [parked] = await operator.inspect(parking, { ids: [idOf(event)] });
    expect(parked).toMatchObject({
      reason: { code: 'REEMITTED_TOO_OFTEN', kind: 'parked' },
      attributes: { ParkedFrom: probeLetters, CauseCode: 'PROBE_REFUSED' },
    });

    // A person has decided: repaired, back to where it died, and from there to its consumer.
    await repair(group);
    await putsBack('redrive', parking, { ids: [idOf(event)] });
    await putsBack('redrive', probeLetters, { ids: [idOf(event)] });
    await eventually(async () => expect(await effects(probeId)).toBe(1));
  });

  test.each<[what: string, code: string, body: (event: string) => string]>([
    ['edited', 'EVENT_EDITED', (event) => event.replace('"group":"', '"group":"another ')],
    [
      'oversized',
      'EVENT_TOO_LARGE',
      (event) => event.replace('"detail":{', `"detail":{"padding":"${'x'.repeat(1_035_000)}",`),
    ],
    ['unparseable', 'MALFORMED_EVENT', () => '<order>1</order>'],
  ])('parks an %s letter with its reason', async (_, code, bodyOf) => {
    const event = envelopeText(probe(randomUUID()).event);
    const body = bodyOf(event);
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
    await aws.sqs.send(
      new SendMessageCommand({
        QueueUrl: await aws.queueUrl('probe', 'on-probe-applied-dlq'),
        MessageBody: body,
        MessageAttributes: {
          ErrorCode: attribute('PROBE_REFUSED'),
          EventDigest: attribute(eventDigest(code === 'EVENT_EDITED' ? event : body)),
        },
      }),
    );

    const { exitCode, stdout } = await operator.redrive('reemit', probeLetters);

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`\\b1 +parked: ${code}`));
    expect(await left('reemit', probeLetters)).toEqual([]);
    // Twice when its queue delivered it again after it was parked.
    const parked = (await operator.inspect(parking)).filter((letter) => letter.body === body);
    expect(parked).not.toEqual([]);
    for (const letter of parked) {
      expect(letter).toMatchObject({ reason: { code }, attributes: { ParkedFrom: probeLetters } });
    }
  });
});

describe('a provider that is down for longer than all retries', () => {
  test('leaves the charge as a dead letter; put back, the order is paid once and confirmed', async () => {
    const { sku, orders } = unpaid;
    const reserved = await Promise.all(
      orders.map(async (orderId) =>
        (await tap.waitFor(orderId, 'StockReserved.v1')).find(({ detailType }) => detailType === 'StockReserved.v1'),
      ),
    );
    const ids = reserved.map((event) => event?.event.metadata.id ?? '');

    const letters = await lettersOf(paymentLetters, ...ids);
    letters.forEach(({ reason }, index) => {
      expect(reason).toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        kind: 'exhausted',
        attempts: 5,
        consumer: 'payments.onStockReserved',
        correlationId: reserved[index]?.event.metadata.correlationId,
      });
    });

    await putsBack('redrive', paymentLetters, { correlationIds: [letters[0]?.reason.correlationId ?? ''] });
    await putsBack('reemit', paymentLetters, { ids: [ids[1] ?? ''] });

    for (const orderId of orders) await shop.orderWith(orderId, 'OrderConfirmed');
    await aws.quiet();
    for (const orderId of orders) {
      const payments = (await tap.about(orderId)).filter(({ detailType }) => detailType === 'PaymentProcessed.v1');
      expect(payments).toHaveLength(1);
    }
    expect(await shop.stock(sku)).toEqual({ available: 8, reserved: 0, shipped: 2 });
  });
});

// These wait until nothing is in a queue any more: not while the attempts at the payments go on.
describe('a permanent business error', () => {
  test('is not tried twice; once its cause is gone, redrive and re-emission both have their effect', async () => {
    const group = randomUUID();
    await outage(group, 'refuse');
    const [first, second] = [probe(group), probe(group)];
    await aws.put(first.event, second.event);

    const letters = await lettersOf(probeLetters, idOf(first.event), idOf(second.event));
    for (const { reason } of letters)
      expect(reason).toMatchObject({ code: 'PROBE_REFUSED', kind: 'permanent', attempts: 1 });

    await repair(group);
    await putsBack('redrive', probeLetters, { ids: [idOf(first.event)] });
    await putsBack('reemit', probeLetters, { ids: [idOf(second.event)] });

    await eventually(async () => {
      expect([await effects(first.probeId), await effects(second.probeId)]).toEqual([1, 1]);
    });
    await aws.quiet();
    expect(await left('redrive', probeLetters)).toEqual([]);
    await aws.quiet();
    expect([await effects(first.probeId), await effects(second.probeId)]).toEqual([1, 1]);
  });
});

describe('re-emitting an event that three other consumers have handled', () => {
  test('changes nothing for them', async () => {
    const resume = await aws.pause('fulfillment', 'onOrderCancelled');
    const sku = await shop.stocked(5);
    const order = orderOf(sku, 2, { paymentToken: 'tok_declined' });
    const orderId = await shop.place(order);
    const events = await tap.waitFor(orderId, 'OrderCancelled.v1', 'StockReleased.v1');
    const cancelled = events.find(({ detailType }) => detailType === 'OrderCancelled.v1');
    const queueUrl = await aws.queueUrl('fulfillment', 'on-order-cancelled');
    // What SQS does with a message whose function dies at every attempt: moved, and no reason given.
    const QueueUrl = await aws.queueUrl('fulfillment', 'on-order-cancelled-dlq');
    await eventually(async () => {
      const messages = await aws.takeAll(queueUrl);
      for (const { Body } of messages) await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Body }));
      expect(messages.some(({ Body }) => Body?.includes(orderId))).toBe(true);
    });
    await resume();
    await aws.quiet();
    const recall = async () => {
      const Key = { pk: `SHIPMENT#${orderId}`, sk: 'SHIPMENT' };
      const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-fulfillment-dev', Key }));
      return Item?.status;
    };
    const state = async () => ({
      order: await shop.order(orderId),
      stock: await shop.stock(sku),
      messages: await shop.messagesTo(order.customer.email),
      payment: (
        await aws.dynamodb.send(
          new GetCommand({ TableName: 'millrace-payments-dev', Key: { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' } }),
        )
      ).Item,
      events: (await tap.about(orderId)).map(({ event }) => event.metadata.id).sort(),
    });
    const before = await state();
    expect(before.messages).toHaveLength(1);
    expect(await recall()).toBeUndefined();

    await putsBack('reemit', 'fulfillment.onOrderCancelled', { ids: [cancelled?.event.metadata.id ?? ''] });
    await eventually(async () => expect(await recall()).toBe('CANCELLED'));
    await aws.quiet();

    const after = await state();
    // Once more for each letter: a message that came to its consumer twice left two.
    expect(after.events.filter((id) => id === cancelled?.event.metadata.id).length).toBeGreaterThanOrEqual(2);
    expect({ ...after, events: [...new Set(after.events)] }).toEqual(before);
  });
});

describe('who may put whose events', () => {
  const refusals = expect.arrayContaining([expect.objectContaining({ ErrorCode: 'NotAuthorizedForSourceException' })]);
  const forge = async (source: string): Promise<unknown> => {
    const Payload = JSON.stringify({ source });
    const answer = await aws.lambda.send(new InvokeCommand({ FunctionName: 'millrace-probe-dev-forge', Payload }));
    return JSON.parse(answer.Payload?.transformToString() ?? '');
  };

  test('a function of orders that puts an event of payments is refused', async () => {
    expect(await aws.putAs('millrace-orders-dev-relay', 'millrace.payments')).toEqual(refusals);
    expect(await aws.putAs('millrace-orders-dev-relay', 'millrace.orders')).toEqual([
      { ErrorCode: 'NotAuthorizedForDetailTypeException', ErrorMessage: expect.any(String) },
    ]);
  });

  test('a function whose role allows everything is refused by the bus, and so is an administrator', async () => {
    expect(await forge('millrace.payments')).toEqual(refusals);
    expect(await forge('millrace.forged')).toEqual([{ EventId: expect.any(String) }]);
    expect(await aws.putAs('an-administrator', 'millrace.payments')).toEqual(refusals);
  });

  test('the re-emitter is not', async () => {
    expect(await aws.putAs('millrace-re-emitter-dev-reemit', 'millrace.payments')).toEqual([
      { EventId: expect.any(String) },
    ]);
    expect(await aws.putAs('millrace-re-emitter-dev-reemit', 'somebody.else')).toEqual(refusals);
  });
});

describe('the alarms', () => {
  test('know of what is parked', async () => {
    await eventually(async () => {
      const response = await fetch(`${system.awsUrl}/_local/alarms`);
      const { alarms } = (await response.json()) as { alarms: { name: string; state: string }[] };
      expect(alarms).toContainEqual(
        expect.objectContaining({ name: 'millrace-re-emitter-dev-parking-depth', state: 'ALARM' }),
      );
    });
  });
});
