import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { cursorOf, cursorParameter, limitParameter } from './index.ts';

describe('the cursor of a list', () => {
  test.each([
    '2026-01-31T12:00:00.000Z#1',
    `2026-01-31T23:59:59.999Z#${randomUUID()}`,
    '2024-02-29T00:00:00.000Z#ä#b',
    `2026-01-31T12:00:00.000Z#${'x'.repeat(1_024 - 25)}`,
  ])('comes back as its place: %s', (place) => {
    expect(cursorParameter().parse(cursorOf(place))).toBe(place);
  });

  const place = '2026-01-31T12:00:00.000Z#1';
  test.each([
    ['nothing', ''],
    ['what is not base64', '💥'],
    ['something behind it', `${cursorOf(place)}=`],
    ['bytes that are not a text', Buffer.from([...Buffer.from(place), 0xff]).toString('base64url')],
    ['no id', cursorOf('2026-01-31T12:00:00.000Z#')],
    ['no time', cursorOf('#1')],
    ['a day', cursorOf('2026-01-31#1')],
    ['a time without milliseconds', cursorOf('2026-01-31T12:00:00Z#1')],
    ['a day that does not exist', cursorOf('2026-01-32T12:00:00.000Z#1')],
    ['a day of another month', cursorOf('2026-02-30T12:00:00.000Z#1')],
    ['an hour that does not exist', cursorOf('2026-01-31T24:00:00.000Z#1')],
    ['more than a sort key may have', cursorOf(`2026-01-31T12:00:00.000Z#${'x'.repeat(1_024 - 24)}`)],
  ])('is refused with %s', (_, cursor) => {
    expect(cursorParameter().safeParse(cursor).error?.issues).toHaveLength(1);
  });

  test('has an id of the kind that the route has', () => {
    const parameter = cursorParameter(z.uuid());
    expect(parameter.safeParse(cursorOf(`2026-01-31T12:00:00.000Z#${randomUUID()}`)).success).toBe(true);
    expect(parameter.safeParse(cursorOf(place)).success).toBe(false);
  });
});

describe('the limit of a page', () => {
  test.each([
    [undefined, 20],
    ['1', 1],
    ['99', 99],
    ['100', 100],
  ])('%j is %i', (limit, expected) => expect(limitParameter(20).parse(limit)).toBe(expected));

  test.each(['', '0', '01', '101', '-1', '1.5', '1e1', ' 1'])('%j is refused', (limit) => {
    expect(limitParameter(20).safeParse(limit).success).toBe(false);
  });
});
