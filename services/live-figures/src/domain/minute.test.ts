import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { type Event, parseEnvelope } from '@millrace/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { measuredContracts, projections } from './figures/index.ts';
import { countEvents, isFull } from './minute.ts';

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

  const empty = { closed: new Set<string>(), closedPages: 0 };
  const first = countEvents(empty, [placed, placed]);
  const second = countEvents({ ...empty, open: first.page }, [confirmed, placed]);

  expect([...second.known]).toEqual([placed]);
  expect(second.number).toBe(0);
  expect(second.page.figures).toEqual({
    orders: { placed: 1, confirmed: 1 },
    funnel: { placed: 1, confirmed: 1 },
    skus: { 'FLOUR-1KG': 2 },
  });
});

test('a page that is full is left as it is, and its marks are remembered', () => {
  const events = Array.from({ length: 200 }, () => {
    const variant = sampleEvent(OrderPlaced, {}, { id: randomUUID() }).analyticsVariant(() => 'ada');
    return OrderPlaced.analytics.parse(parseEnvelope(envelopeText(variant as never)));
  });
  const full = countEvents({ closed: new Set(), closedPages: 3 }, events);
  expect(full.number).toBe(3);
  expect(isFull(full.page)).toBe(true);

  const [again, fresh] = [events[7] as Event, events[8] as Event];
  const next = countEvents({ closed: new Set(), closedPages: 3, open: full.page }, [again]);
  expect([next.number, [...next.known]]).toEqual([4, [again]]);
  expect(next.page).toEqual({ figures: {}, seen: [] });
  // In a page before that.
  const later = countEvents({ closed: new Set(full.page.seen), closedPages: 4 }, [fresh]);
  expect([later.number, [...later.known]]).toEqual([4, [fresh]]);
});
