import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { View } from '@millrace/interactions/views';
import { describeSession, extendSession, MAX_VIEWS } from './session.ts';
import { countByMinute, figuresOfViews } from './view-counts.ts';

const sessionId = randomUUID();
const viewAt = (viewedAt: string, changes: Partial<View> = {}): View => ({
  ...{ id: randomUUID(), sessionId, page: 'home' as const, viewedAt, position: 0 },
  ...changes,
});

describe('a session', () => {
  const first = viewAt('2026-01-15T09:30:00.000Z');
  const second = viewAt('2026-01-15T09:30:00.000Z', { position: 1, page: 'product', sku: 'FLOUR-1KG' });
  const third = viewAt('2026-01-15T09:31:30.000Z', { page: 'cart' });

  test('has its views in the order in which they were seen, however they come', () => {
    const { session } = extendSession(extendSession(undefined, [third]).session, [second, first]);

    expect(describeSession(session)).toEqual({
      ...{ startedAt: first.viewedAt, endedAt: third.viewedAt, durationMs: 90_000 },
      path: [
        { page: 'home', viewedAt: first.viewedAt },
        { page: 'product', sku: 'FLOUR-1KG', viewedAt: second.viewedAt },
        { page: 'cart', viewedAt: third.viewedAt },
      ],
    });
  });

  test('has each view once', () => {
    const { session } = extendSession(undefined, [first, first]);

    const again = extendSession(session, [second, first, second]);

    expect(again.added.map(({ id }) => id)).toEqual([second.id]);
    expect(again.session.views).toHaveLength(2);
  });

  test('of a script ends at a limit, and still knows its views', () => {
    const many = Array.from({ length: MAX_VIEWS + 3 }, () => viewAt('2026-01-15T09:30:00.000Z'));

    const { session, added, refused } = extendSession(undefined, many);

    expect([added.length, refused]).toEqual([MAX_VIEWS, 3]);
    expect(extendSession(session, many)).toMatchObject({ added: [], refused: 3 });
  });
});

describe('views are counted', () => {
  const late = viewAt('2026-01-15T09:29:59.999Z', { page: 'product', sku: 'A' });
  const here = viewAt('2026-01-15T09:30:00.000Z');
  const again = viewAt('2026-01-15T09:31:00.000Z', { page: 'product', sku: 'A' });

  test('in their own minutes, and a session in the one in which it begins', () => {
    const counts = countByMinute([extendSession(undefined, [here, late]), extendSession({ views: [late] }, [here])]);

    expect(Object.fromEntries(counts)).toEqual({
      '2026-01-15T09:29': { views: 1, productViews: 1, sessions: 1, viewers: 1 },
      '2026-01-15T09:30': { views: 2, productViews: 0, sessions: 0, viewers: 0 },
    });
  });

  test('and a session enters the funnel once, with the first product that is known of it', () => {
    const first = extendSession(undefined, [here]);
    const second = extendSession(first.session, [again, late]);
    const third = extendSession(second.session, [{ ...again, id: randomUUID() }]);

    expect([first, second, third].map(({ isNew, isFirstProduct }) => [isNew, isFirstProduct])).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
    expect(countByMinute([second]).get('2026-01-15T09:29')).toMatchObject({ sessions: 0, viewers: 1 });
  });

  test('and are figures of two dimensions', () => {
    expect(figuresOfViews({ views: 3, productViews: 2, sessions: 1, viewers: 1 })).toEqual({
      views: { views: 3, productViews: 2, sessions: 1 },
      funnel: { viewed: 1 },
    });
  });
});
