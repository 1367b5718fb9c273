import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shownDeadLetter } from '@millrace/dead-letters/operations';
import type { EventContract } from '@millrace/events';
import { envelopeText, eventually, insertRecord, sampleEvent, streamEvent } from '@millrace/testing';
import { findWorkspaceRoot, loadContracts, readCatalogue, serviceDirectories } from '@millrace/workspace/catalogue';
import { Aws, type Tap } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

const unique = () => randomUUID().slice(0, 8);
const digits = () => String(Math.floor(Math.random() * 1e9)).padStart(9, '0');

/** What must not be seen anywhere. Each has a part of its own, however it is written. */
const person = {
  name: `Zerlina Quasthoff ${unique()}`,
  email: `zerlina.${unique()}@private.example`,
  phone: `+4915${digits()}`,
  line1: `Geheimgasse ${unique()}`,
  line2: `c/o Quasthoff ${unique()}`,
  city: `Heimlichstadt ${unique()}`,
  postalCode: `Z-${unique()}`,
  paymentToken: `tok_geheim_${unique()}`,
};
const { name, email, phone, line1, line2, city, postalCode } = person;
const secrets = Object.values(person).map((text) => /[\da-f]{8,}/.exec(text)?.[0] ?? text);
/** The sandbox's tokens stand for others: they are no less personal than these. */
const sandboxTokens = ['tok_approved', 'tok_declined', 'tok_temporarily_unavailable', 'tok_outage'];
const hidden = [...secrets, 'Zerlina', 'Quasthoff', 'Geheimgasse', 'Heimlichstadt', ...sandboxTokens];

/** What of a text must not be there. */
const found = (text: string) => hidden.filter((secret) => text.includes(secret));

const privateOrder = (sku: string, quantity = 1, paymentToken = 'tok_approved') =>
  orderOf(sku, quantity, {
    customer: { name, email, phone },
    shippingAddress: { line1, line2, city, postalCode, country: 'DE' },
    paymentToken,
  });

const root = findWorkspaceRoot(import.meta.dirname);
const contracts = await loadContracts(serviceDirectories(root));
const catalogue = await readCatalogue(root);
/** Every consumer with each contract that it handles. */
const consumers = catalogue.flatMap(({ contract, consumers: references }) =>
  references.map(({ service, function: functionName }) => ({ contract, service, functionName })),
);
/** The services that emit events. */
const relayed = new Set(catalogue.flatMap(({ producers }) => producers.map(({ service }) => service)));
const queueOf = (functionName: string) => functionName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

interface Envelope {
  [member: string]: unknown;
  detail: { metadata: Record<string, unknown>; data: Record<string, unknown> };
}

/** Messages with somebody's data where they do not belong, and how many of them can only become dead letters. */
function misplaced(contract: EventContract): { bodies: string[]; dead: number } {
  const change = (edit: (envelope: Envelope) => void) => {
    const envelope: Envelope = JSON.parse(envelopeText(sampleEvent(contract)));
    edit(envelope);
    return JSON.stringify(envelope);
  };
  const everywhere = { ...person, nested: { [name]: email, [email]: [phone] } };
  const dead = [
    JSON.stringify(person).slice(0, -1),
    `${name}, ${email}`,
    JSON.stringify(person),
    change(({ detail }) => {
      for (const field of Object.keys(detail.data)) detail.data[field] = everywhere;
    }),
    change(({ detail }) => {
      for (const field of Object.keys(detail.data)) detail.data[field] = person.paymentToken;
    }),
    change(({ detail }) => {
      detail.data = everywhere;
    }),
    change(({ detail }) => {
      Object.assign(detail.metadata, { timestamp: name, type: phone, [email]: name });
    }),
    change(({ detail }) => {
      detail.metadata.tags = { [name]: 17, [person.paymentToken]: {} };
    }),
    change(({ detail }) => {
      detail.metadata.service = name;
    }),
    change((envelope) => {
      envelope['detail-type'] = name;
      envelope.source = email;
    }),
  ];
  // These satisfy the contract: what becomes of them is the handler's affair.
  const sound = [
    change(({ detail }) => {
      Object.assign(detail.metadata, { subject: name, correlationId: email, causationId: phone, owner: name });
      Object.assign(detail.metadata, { id: `${name} ${unique()}`, traceparent: line1, customer: person });
      detail.data.note = everywhere;
    }),
    change((envelope) => {
      envelope['replay-name'] = name;
    }),
  ];
  return { bodies: [...dead, ...sound], dead: dead.length };
}

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let tap: Tap;
let folder: string;
/** An order whose payment provider is down for a while: its attempts go on while the first tests run. */
let unpaid: string;
/** All that the operator's commands have printed. */
let printed = '';

/** What the runtime has printed since the suite began. */
const output = () => system.output?.() ?? '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-privacy-'));
  system = await startSystem({
    // See `stored events cannot be emitted`.
    mayBeRefused: [...relayed].map((service) => `millrace-${service}-dev-relay events:PutEvents`),
  });
  if (!system.output) throw new Error('This suite reads what the runtime prints: it has to start one itself');
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
  tap = await aws.tap();
  unpaid = await shop.place(privateOrder(await shop.stocked(5), 1, 'tok_outage'));
});

afterAll(async () => {
  await tap?.close();
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function redrive(...args: string[]): Promise<string> {
  const { stdout, stderr } = await operator.redrive(...args);
  printed += stdout + stderr;
  return stdout;
}

const deadLetters = async (service: string, functionName: string) =>
  aws.depth(await aws.queueUrl(service, `${queueOf(functionName)}-dlq`));

describe('with a customer whom everybody would recognise', () => {
  test('an order goes well, and every event about it comes twice', async () => {
    const orderId = await shop.place(privateOrder(await shop.stocked(5)), { 'idempotency-key': person.paymentToken });
    await shop.orderWith(orderId, 'OrderConfirmed');
    await eventually(async () => expect((await shop.messagesTo(email)).length).toBeGreaterThan(0));
    await eventually(async () => expect((await shop.messagesTo(phone)).length).toBeGreaterThan(0));

    const events = await tap.waitFor(orderId, 'OrderPlaced.v1', 'PaymentProcessed.v1', 'OrderConfirmed.v1');
    for (const { contract, service, functionName } of consumers) {
      const texts = events.filter(({ detailType }) => detailType === contract?.detailType).map(envelopeText);
      if (texts.length > 0) await aws.sendAll(await aws.queueUrl(service, queueOf(functionName)), texts);
    }
    await eventually(() => expect(output()).toContain('PROVIDER_UNAVAILABLE'));
  });

  test('orders are declined, out of stock, cancelled, and paid at the third attempt', async () => {
    const sku = await shop.stocked(100);
    const declined = await shop.place(privateOrder(sku, 1, person.paymentToken));
    const refused = await shop.place(privateOrder(sku, 1, 'tok_declined'));
    const late = await shop.place(privateOrder(sku, 1, 'tok_temporarily_unavailable'));
    const scarce = await shop.place(privateOrder(await shop.stocked(1), 2));
    for (const orderId of [declined, refused, scarce]) await shop.orderWith(orderId, 'OrderCancelled');
    await shop.orderWith(late, 'OrderConfirmed');

    const resume = await aws.pause('fulfillment', 'onPaymentProcessed');
    const cancelled = await shop.place(privateOrder(sku));
    await shop.orderWith(cancelled, 'PaymentProcessed');
    expect((await shop.request('POST', `/orders/${cancelled}/cancellation`)).status).toBe(202);
    await resume();
    await tap.waitFor(cancelled, 'PaymentRefunded.v1');
  });

  test('requests are refused', async () => {
    const order = privateOrder('SKU-1');
    const headers = { 'x-correlation-id': email, 'idempotency-key': `"${name}"`, cookie: `name=${name}` };
    const refusals = [
      ['POST', '/orders', { ...order, [name]: email }],
      ['POST', '/orders', { ...order, lines: person, customer: Object.values(person) }],
      ['POST', '/orders', { ...order, customer: { name, email: name, phone: name, [email]: phone } }],
      ['POST', '/orders', JSON.stringify(person).slice(0, -1)],
      ['POST', '/orders', name],
      ['POST', `/orders?name=${encodeURIComponent(name)}`, person],
      ['GET', `/orders/${encodeURIComponent(name)}`, undefined],
      ['POST', `/orders/${encodeURIComponent(email)}/cancellation`, person],
      ['POST', `/orders/${randomUUID()}/cancellation`, { reason: name }],
      ['GET', `/stock/${encodeURIComponent(name)}`, undefined],
      ['GET', `/events/${encodeURIComponent(email)}`, undefined],
      ['GET', `/events?from=${encodeURIComponent(name)}&${encodeURIComponent(email)}=1`, undefined],
      ['GET', `/lineage/${encodeURIComponent(name)}`, undefined],
      ['PUT', '/stock/SKU-1', { [name]: email, available: phone }],
      ['POST', '/stock/SKU-1/count', { [name]: email, counted: phone }],
    ] as const;
    for (const [method, path, body] of refusals) {
      expect((await shop.request(method, path, body, headers)).status).toBeGreaterThanOrEqual(400);
      expect((await shop.request(method, path, body)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await shop.request('GET', '/stock/SKU-1', undefined, { authorization: `Bearer ${name}` })).status).toBe(
      401,
    );
    const again = { 'idempotency-key': `${person.paymentToken}-again` };
    const sku = await shop.stocked(10);
    await shop.place(privateOrder(sku), again);
    expect((await shop.request('POST', '/orders', privateOrder(sku, 2), again)).status).toBe(422);
  });

  test('messages hold data where they do not belong', async () => {
    const expected = new Map<string, number>();
    for (const { contract, service, functionName } of consumers) {
      if (!contract) throw new Error('A consumer without a contract');
      const { bodies, dead } = misplaced(contract);
      const consumer = `${service}.${functionName}`;
      expected.set(consumer, (expected.get(consumer) ?? (await deadLetters(service, functionName))) + dead);
      await aws.sendAll(await aws.queueUrl(service, queueOf(functionName)), bodies);
    }
    await eventually(
      async () => {
        for (const [consumer, count] of expected) {
          const [service = '', functionName = ''] = consumer.split('.');
          const depth = await deadLetters(service, functionName);
          if (depth < count) throw new Error(`${consumer} has ${depth} dead letters of ${count}`);
        }
      },
      { intervalMs: 200 },
    );
  });

  test('a provider is down for longer than all attempts, and the order is put back', async () => {
    const outage = ['--reason', 'PROVIDER_UNAVAILABLE'];
    await eventually(
      async () => {
        const letters = await operator.inspect('payments.onStockReserved', { reasons: ['PROVIDER_UNAVAILABLE'] });
        expect(letters.some(({ body }) => body.includes(unpaid))).toBe(true);
      },
      { intervalMs: 500 },
    );

    const lineage = await operator.lineage(unpaid);
    printed += lineage.stdout + lineage.stderr;
    expect(lineage.stdout).toContain('PROVIDER_UNAVAILABLE');
    const shown = await redrive('inspect', 'payments.onStockReserved', ...outage);
    expect(shown).toContain(unpaid);
    await redrive('inspect', 'payments.onStockReserved', ...outage, '--json');
    await redrive('redrive', 'payments.onStockReserved', ...outage);
    await shop.orderWith(unpaid, 'OrderConfirmed');
  });

  test('dead letters are listed, inspected, re-emitted, parked and exported', async () => {
    expect(await redrive('list')).toContain('ENVELOPE_MISMATCH');
    await redrive('list', '--json', '--all');
    const names = new Set(consumers.map(({ service, functionName }) => `${service}.${functionName}`));
    for (const consumer of names) {
      // What `inspect --json` prints, without a process for each queue.
      const shown = (await operator.inspect(consumer)).map((letter) =>
        JSON.stringify(shownDeadLetter(letter, contracts)),
      );
      expect(shown.join()).toContain('SCHEMA_VIOLATION');
      printed += shown.map((line) => `${line}\n`).join('');
    }
    expect(await redrive('inspect', 'orders.onOrderProgress')).toContain('SCHEMA_VIOLATION');
    expect(await redrive('inspect', 'orders.onOrderProgress', '--json')).toContain('MALFORMED_EVENT');
    // What is not shown is there.
    expect(found((await operator.redrive('inspect', 'inventory.onOrderPlaced', '--reveal')).stdout)).toEqual(
      expect.arrayContaining(secrets),
    );

    const file = join(folder, 'letters.ndjson');
    await redrive('export', 'inventory.onOrderPlaced', file);
    expect(found(readFileSync(file, 'utf8'))).toEqual(expect.arrayContaining(secrets));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await redrive('import', file);
    await redrive('reemit', 'inventory.onOrderPlaced', '--dry-run');
    expect(await redrive('reemit', 'inventory.onOrderPlaced')).toMatch(/parked.*ENVELOPE_MISMATCH/);
    await redrive('park', 'orders.onOrderProgress', '--limit', '5');
    await redrive('purge', 'orders.onOrderProgress', '--limit', '1', '--dry-run');
    expect(await redrive('inspect', 'parking')).toContain('MALFORMED_EVENT');
    await redrive('inspect', 'parking', '--json');
    await redrive('redrive', 'parking', '--limit', '3');
  });

  test('stored events cannot be emitted', async () => {
    const { entry } = sampleEvent(catalogue[0]?.contract as EventContract);
    const outbox = {
      ...entry,
      source: 'millrace.stranger',
      detail: JSON.stringify({ metadata: person, data: person }),
    };
    const text = (value: string) => ({ S: value });
    const fields = Object.entries(outbox).map(([field, value]) => [field, text(String(value))] as const);
    for (const service of relayed) {
      const pk = `STRANGER#${randomUUID()}`;
      const item = { pk: text(pk), sk: text(`OUTBOX#${pk}`), outbox: { M: Object.fromEntries(fields) } };
      // Handed to the relay as its table's stream would: from there, it would come again for a day.
      await aws.lambda.send(
        new InvokeCommand({
          FunctionName: `millrace-${service}-dev-relay`,
          Payload: JSON.stringify(streamEvent(insertRecord(item, '1'))),
        }),
      );
    }
    for (const service of relayed) {
      await eventually(() =>
        expect(output()).toMatch(new RegExp(`millrace-${service}-dev-relay WARN Events were not emitted`)),
      );
    }
  });

  test('and nothing of it is in any line that a function has logged or a command has printed', async () => {
    const functions = [
      ...new Set(consumers.map(({ service, functionName }) => `${service}-dev-${functionName}`)),
      ...['postOrder', 'getOrder', 'postCancellation', 'relay'].map((functionName) => `orders-dev-${functionName}`),
      ...['putStock', 'postStockCount', 'getStock', 'relay'].map((functionName) => `inventory-dev-${functionName}`),
      ...['getEvent', 'getEvents', 'getLineage'].map((functionName) => `event-log-dev-${functionName}`),
      ...['payments-dev-relay', 'fulfillment-dev-relay', 're-emitter-dev-reemit'],
    ];
    const lines = output().split('\n');
    for (const functionName of functions) {
      expect(lines.filter((line) => line.startsWith(`  millrace-${functionName} `))).not.toEqual([]);
    }
    for (const said of [
      'Request refused',
      'Event goes to the dead-letter queue',
      'Event failed and will be retried',
      'Events were not emitted',
      'Dead event parked',
      'Dead event re-emitted',
    ]) {
      expect(output()).toContain(said);
    }
    for (const code of ['SCHEMA_VIOLATION', 'MALFORMED_EVENT', 'UNEXPECTED_EVENT', 'ENVELOPE_MISMATCH']) {
      expect(output()).toContain(`error_code=${code}`);
      expect(printed).toContain(code);
    }

    expect(lines.filter((line) => found(line).length > 0)).toEqual([]);
    expect(printed.split('\n').filter((line) => found(line).length > 0)).toEqual([]);
  });
});
