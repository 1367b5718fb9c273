import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { view } from '../../views/index.ts';
import { viewsOf, viewsRequest } from './views-request.ts';

const sessionId = randomUUID();
const home = { id: randomUUID(), page: 'home' as const };
const product = { id: randomUUID(), page: 'product' as const, sku: 'FLOUR-1KG' };

test.each(['2026-01-15T09:30:00Z', '2026-01-15T09:30Z', '2026-01-15T09:30:00.000+01:00', '2026-02-30T09:30:00.000Z'])(
  'a view of the time %s is refused: times of views sort as texts',
  (viewedAt) => {
    const known = { ...home, sessionId, viewedAt: '2026-01-15T09:30:00.000Z', position: 0 };
    expect(view.safeParse(known).success).toBe(true);
    expect(view.safeParse({ ...known, viewedAt }).success).toBe(false);
  },
);

describe('a request', () => {
  test('becomes views at the times at which they were seen, in their order', () => {
    const request = viewsRequest.parse({ sessionId, views: [{ ...home, queueTimeMs: 90_000 }, product] });

    const views = viewsOf(request, new Date('2026-01-15T09:30:00Z'));

    expect(views).toEqual([
      { ...home, sessionId, viewedAt: '2026-01-15T09:28:30.000Z', position: 0 },
      { ...product, sessionId, viewedAt: '2026-01-15T09:30:00.000Z', position: 1 },
    ]);
    for (const each of views) expect(view.parse(each)).toEqual(each);
  });

  const withView = (changes: object) => ({ sessionId, views: [home, { ...product, ...changes }] });
  test.each([
    ['no session', { views: [home] }, 'sessionId'],
    ['a session that names somebody', { sessionId: 'ada@example.com', views: [home] }, 'sessionId'],
    ['no views', { sessionId, views: [] }, 'views'],
    [
      'too many views',
      { sessionId, views: Array.from({ length: 51 }, () => ({ ...home, id: randomUUID() })) },
      'views',
    ],
    ['a view twice', { sessionId, views: [home, home] }, 'views.1.id'],
    ['an id that is not one', withView({ id: '1' }), 'views.1.id'],
    ['a path for a page', withView({ page: '/orders/ada-lovelace' }), 'views.1.page'],
    ['a product without a SKU', withView({ sku: undefined }), 'views.1.sku'],
    ['an address for a SKU', withView({ sku: 'ada@example.com' }), 'views.1.sku'],
    ['a wait below zero', withView({ queueTimeMs: -1 }), 'views.1.queueTimeMs'],
    ['a wait of a day', withView({ queueTimeMs: 86_400_000 }), 'views.1.queueTimeMs'],
    ['a name beside it', withView({ customer: 'Ada' }), 'views.1'],
    ['a field that is not known', { sessionId, views: [home], email: 'ada@example.com' }, ''],
  ])('with %s is refused', (_, body, field) => {
    const { error } = viewsRequest.safeParse(body);

    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([field]);
  });
});
