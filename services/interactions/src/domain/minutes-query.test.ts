import { expect, test } from '@jest/globals';
import { minutesQuery } from './minutes-query.ts';

test('a range of minutes', () => {
  const from = '2026-01-15T23:00Z';
  expect(minutesQuery.parse({ from, to: '2026-01-16T23:00Z' })).toEqual({
    from: '2026-01-15T23:00',
    to: '2026-01-16T23:00',
  });
});

test.each([
  [{}, ['from', 'to']],
  [{ from: '2026-01-15', to: '2026-01-15T01:00Z' }, ['from']],
  [{ from: '2026-13-45T00:00Z', to: '2026-01-15T01:00Z' }, ['from']],
  [{ from: '2026-01-15T00:00Z', to: '2026-01-15T00:00Z' }, ['to']],
  [{ from: '2026-01-15T00:00Z', to: '2026-01-16T00:01Z' }, ['to']],
])('%j is refused', (query, fields) => {
  expect(minutesQuery.safeParse(query).error?.issues.map(({ path }) => path[0])).toEqual(fields);
});
