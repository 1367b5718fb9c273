import { describe, expect, test } from '@jest/globals';
import { cursorOf } from '@millrace/http';
import { eventsQuery } from './events-query.ts';

const range = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

/** The parameters that are wrong. */
const wrong = (query: Record<string, string>) =>
  eventsQuery
    .safeParse(query)
    .error?.issues.map((issue) => (issue.code === 'unrecognized_keys' ? issue.keys.join() : issue.path.join('.')));

describe('the query of GET /events', () => {
  test('is a range of 31 days at most, with a type and a cursor', () => {
    const place = '2026-01-31T23:59:59.999Z#event-1';

    expect(eventsQuery.parse({ ...range, type: 'OrderPlaced.v1', cursor: cursorOf(place) })).toEqual({
      from: new Date(range.from),
      to: new Date(range.to),
      type: 'OrderPlaced.v1',
      cursor: place,
    });
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['no range', {}, ['from', 'to']],
    ['a range without an end', { from: range.from }, ['to']],
    ['a day', { ...range, from: '2026-01-01' }, ['from']],
    ['a time of nowhere', { ...range, from: '2026-01-01T00:00:00' }, ['from']],
    ['a day that is not', { ...range, from: '2026-02-30T00:00:00Z' }, ['from']],
    ['a reversed range', { from: range.to, to: range.from }, ['to']],
    ['an empty range', { from: range.from, to: range.from }, ['to']],
    ['a longer range', { ...range, to: '2026-02-01T00:00:00.001Z' }, ['to']],
    ['a type without a version', { ...range, type: 'OrderPlaced' }, ['type']],
    ['a malformed cursor', { ...range, cursor: 'x' }, ['cursor']],
    ['a cursor without an end', { ...range, cursor: 'x'.repeat(2000) }, ['cursor']],
    ['an empty cursor', { ...range, cursor: '' }, ['cursor']],
    [
      'a cursor with something behind it',
      { ...range, cursor: `${cursorOf('2026-01-02T00:00:00.000Z#1')}=` },
      ['cursor'],
    ],
    ['a cursor of a day that does not exist', { ...range, cursor: cursorOf('2026-01-32T00:00:00.000Z#1') }, ['cursor']],
    ['a cursor of another range', { ...range, cursor: cursorOf('2026-02-01T00:00:00.000Z#event-1') }, ['cursor']],
    ['an unknown parameter', { ...range, form: range.from }, ['form']],
  ])('refuses %s by the name of the parameter', (_, query, parameters) => {
    expect(wrong(query)).toEqual(parameters);
  });
});
