import { describe, expect, test } from '@jest/globals';
import { parseEnvelope } from '@millrace/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { catalogueProblems, findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';

const entries = await readCatalogue(findWorkspaceRoot(import.meta.dirname));

describe('the event catalogue', () => {
  test('every subscription names an event that its owner emits, and every contract is created and emitted', () => {
    expect(catalogueProblems(entries)).toEqual([]);
  });

  test('knows the choreography of an order', () => {
    const consumersOf = (detailType: string) =>
      entries.find((entry) => entry.detailType === detailType)?.consumers.map(({ service }) => service);
    // The orders' read models, and their time limits.
    expect(consumersOf('OrderPlaced.v1')).toEqual(['event-log', 'inventory', 'orders', 'orders']);
    expect(consumersOf('OrderTimeLimitReached.v1')).toEqual(['event-log', 'orders']);
    expect(consumersOf('StockReserved.v1')).toEqual(['event-log', 'orders', 'payments']);
    expect(consumersOf('PaymentProcessed.v1')).toEqual(['event-log', 'fulfillment', 'orders']);
    expect(consumersOf('ShipmentCreated.v1')).toEqual(['event-log', 'inventory', 'orders']);
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
