import { describe, expect, test } from '@jest/globals';
import { parseEnvelope } from '@millrace/events';
import { catalogueProblems, findWorkspaceRoot, readCatalogue } from '@millrace/events/catalogue';
import { envelopeText } from '@millrace/testing';

const entries = await readCatalogue(findWorkspaceRoot(import.meta.dirname));

describe('the event catalogue', () => {
  test('every subscription names an event that its owner emits, and every contract is created and emitted', () => {
    expect(catalogueProblems(entries)).toEqual([]);
  });

  test('knows the choreography of an order', () => {
    const consumersOf = (detailType: string) =>
      entries.find((entry) => entry.detailType === detailType)?.consumers.map(({ service }) => service);
    expect(consumersOf('OrderPlaced.v1')).toEqual(['inventory']);
    expect(consumersOf('StockReserved.v1')).toEqual(['orders', 'payments']);
    expect(consumersOf('PaymentProcessed.v1')).toEqual(['fulfillment', 'orders']);
    expect(consumersOf('ShipmentCreated.v1')).toEqual(['orders']);
  });

  test.each(entries.map((entry) => [entry.detailType, entry.contract] as const))(
    'the example of %s satisfies its own contract',
    (_, contract) => {
      if (!contract) throw new Error('no contract');
      const event = contract.create(contract.example, {
        id: 'event-1',
        time: new Date('2026-01-01T00:00:00Z'),
        subject: 'subject-1',
        correlationId: 'correlation-1',
      });
      expect(contract.parse(parseEnvelope(envelopeText(event))).data).toEqual(contract.example);
    },
  );
});
