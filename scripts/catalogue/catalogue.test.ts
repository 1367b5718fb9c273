import { describe, expect, test } from '@jest/globals';
import { type EmittableEvent, parseEnvelope } from '@millrace/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { catalogueProblems, findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';

const entries = await readCatalogue(findWorkspaceRoot(import.meta.dirname));

/** The paths of all texts, numbers and truth values in data: `total.amount`, `lines[].sku`. */
function* pathsOf(value: unknown, path = ''): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* pathsOf(item, `${path}[]`);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) yield* pathsOf(inner, path === '' ? name : `${path}.${name}`);
  } else yield path;
}

describe('the event catalogue', () => {
  test('every subscription names an event that its owner emits, and every contract is created and emitted', () => {
    expect(catalogueProblems(entries)).toEqual([]);
  });

  test('knows the choreography of an order', () => {
    const consumersOf = (detailType: string) =>
      entries.find((entry) => entry.detailType === detailType)?.consumers.map(({ service }) => service);
    // The orders' read models, and their time limits.
    expect(consumersOf('OrderPlaced.v1')).toEqual(['event-log', 'inventory', 'orders', 'orders', 'reservations']);
    expect(consumersOf('OrderTimeLimitReached.v1')).toEqual(['event-log', 'orders']);
    expect(consumersOf('StockReserved.v1')).toEqual(['event-log', 'orders', 'payments']);
    expect(consumersOf('PaymentProcessed.v1')).toEqual(['event-log', 'fulfillment', 'orders']);
    expect(consumersOf('ShipmentCreated.v1')).toEqual(['event-log', 'inventory', 'orders']);
    expect(consumersOf('PickUpReady.v1')).toEqual(['event-log', 'inventory', 'orders']);
    expect(consumersOf('SlotAssigned.v1')).toEqual(['event-log', 'fulfillment', 'orders', 'slot-display']);
  });

  test('has the consumers of variants apart from those of events', () => {
    const placed = entries.find((entry) => entry.detailType === 'OrderPlaced.v1');
    expect(placed?.analyticsConsumers.map(({ service }) => service)).toContain('live-figures');
  });

  test('knows what is personal', () => {
    const fieldsOf = (detailType: string) =>
      entries.find((entry) => entry.detailType === detailType)?.contract?.personalFields;
    const ofCustomer = ['customer.name', 'customer.email', 'customer.phone'];
    const ofAddress = ['line1', 'line2', 'city', 'postalCode', 'country'].map((field) => `shippingAddress.${field}`);
    for (const detailType of ['OrderPlaced.v1', 'OrderConfirmed.v1', 'OrderCancelled.v1', 'StockReserved.v1']) {
      expect(fieldsOf(detailType)).toEqual([...ofCustomer, ...ofAddress, 'paymentToken']);
    }
    expect(fieldsOf('PaymentProcessed.v1')).toEqual([...ofCustomer, ...ofAddress, 'paymentToken']);
    expect(fieldsOf('ShipmentCreated.v1')).toEqual(ofAddress);
    expect(fieldsOf('PaymentFailed.v1')).toEqual([]);
  });

  test.each(entries.map((entry) => [entry.detailType, entry.contract] as const))(
    'the text of the example of %s that looks personal is marked',
    (_, contract) => {
      const shown = JSON.stringify(contract?.redact(contract.example));
      expect(shown).not.toMatch(/Ada|@|\+49|Mill Lane|Berlin|10115|tok_/);
    },
  );

  test('knows what may leave for analytics', () => {
    const leaving = Object.fromEntries(
      entries.map(({ detailType, contract }) => [detailType, contract?.analytics?.fields]),
    );
    expect(leaving['OrderCancelled.v1']).toEqual([
      ...['orderId', 'total.amount', 'total.currency', 'process', 'slotId', 'reason'],
    ]);
    // A command, and what a schedule puts on the bus: only relays make variants.
    expect([leaving['StartCheckout.v1'], leaving['OrderTimeLimitReached.v1']]).toEqual([undefined, undefined]);
  });

  describe.each(
    entries.flatMap(({ contract }) => (contract?.analytics ? [[contract.detailType, contract] as const] : [])),
  )('no personal field of %s can reach the analytics bus:', (_, contract) => {
    const { fields = [], pseudonyms = [] } = contract.analytics ?? {};

    test('none is among the fields that leave, nor above or below one', () => {
      const plain = (path: string) => path.replaceAll('[]', '');
      const touches = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
      const leaking = [...fields, ...pseudonyms].filter((path) =>
        contract.personalFields.some((personal) => touches(plain(path), plain(personal))),
      );
      expect(leaking).toEqual([]);
    });

    test('its variant has the fields that are declared and no other, and nothing of a person', () => {
      const variant = sampleEvent(
        contract,
        {},
        { subject: 'ada@example.com', correlationId: 'ada@example.com' },
      ).analyticsVariant(() => 'pseudonym');
      const { data, metadata } = JSON.parse(variant?.detail ?? '');
      expect([...pathsOf(data)].filter((path) => ![...fields, ...pseudonyms].includes(path))).toEqual([]);
      expect(JSON.stringify({ data, metadata })).not.toMatch(/Ada|@|\+49|Mill Lane|Berlin|10115|tok_|customer-1/);
    });

    test('a consumer of the bus would not even read one', () => {
      const stuffed = structuredClone(contract.analytics?.example) as Record<string, unknown>;
      Object.assign(stuffed, contract.example);
      const variant = sampleEvent(contract).analyticsVariant(() => 'pseudonym');
      const envelope = JSON.parse(envelopeText(variant as EmittableEvent));
      envelope.detail.data = stuffed;
      const read = contract.analytics?.parse(parseEnvelope(JSON.stringify(envelope)));
      expect([...pathsOf(read?.data)].filter((path) => ![...fields, ...pseudonyms].includes(path))).toEqual([]);
    });
  });

  test.each(entries.map((entry) => [entry.detailType, entry.contract] as const))(
    'the example of %s satisfies its own contract, and all that upcast it',
    (detailType, contract) => {
      if (!contract) throw new Error('no contract');
      const envelope = parseEnvelope(envelopeText(sampleEvent(contract)));
      expect(contract.parse(envelope).data).toEqual(contract.example);
      for (const { contract: newer } of entries.filter((entry) => entry.contract?.accepts.includes(detailType))) {
        expect(newer?.parse(envelope).detailType).toBe(newer?.detailType);
      }
    },
  );
});
