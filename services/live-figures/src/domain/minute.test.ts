import { expect, test } from '@jest/globals';
import { parseEnvelope } from '@millrace/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { measuredContracts, projections } from './figures/index.ts';
import { countEvents } from './minute.ts';

test('every event that a dimension measures is consumed, and no other', () => {
  const measured = new Set(projections.flatMap(({ contracts }) => contracts.map(({ detailType }) => detailType)));

  expect([...measured].sort()).toEqual(measuredContracts.map(({ detailType }) => detailType).sort());
});

test('an event counts once, also when it comes twice in a batch', () => {
  const placed = OrderPlaced.analytics.parse(
    parseEnvelope(envelopeText(sampleEvent(OrderPlaced).analyticsVariant(() => 'ada') as never)),
  );
  const confirmed = OrderConfirmed.analytics.parse(
    parseEnvelope(envelopeText(sampleEvent(OrderConfirmed).analyticsVariant() as never)),
  );

  const first = countEvents(undefined, [placed, placed]);
  const second = countEvents(first.state, [confirmed, placed]);

  expect([...second.known]).toEqual([placed]);
  expect(second.state.figures).toEqual({
    orders: { placed: 1, confirmed: 1 },
    funnel: { placed: 1, confirmed: 1 },
    skus: { 'FLOUR-1KG': 2 },
  });
});
