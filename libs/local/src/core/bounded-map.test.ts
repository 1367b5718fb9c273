import { expect, test } from '@jest/globals';
import type { Caller } from '@millrace/iam-policy';
import { BoundedMap } from './bounded-map.ts';
import { Messages } from './messages.ts';
import { Refusals } from './refusals.ts';

test('a full map forgets the oldest', () => {
  const map = new BoundedMap<string, number>(2);
  for (const [index, key] of ['a', 'b', 'a', 'c'].entries()) map.set(key, index);

  expect(map.get('a')).toBeUndefined();
  expect([map.get('b'), map.get('c')]).toEqual([1, 3]);
  expect(map.values()).toEqual([1, 3]);
});

test('refusals are listed, the last 1,000 of them, however many resources a function tries', () => {
  const refusals = new Refusals(() => {});
  const caller = { functionName: 'millrace-shop-dev-relay' } as Caller;
  for (let count = 0; count < 5_000; count += 1) {
    refusals.add(caller, { action: 's3:GetObject', resource: `arn:aws:s3:::b/${count}` }, 'no', 'not allowed');
  }

  expect(refusals.list()).toHaveLength(1_000);
  expect(refusals.list().at(-1)?.resource).toBe('arn:aws:s3:::b/4999');
});

test('captured messages are kept up to their size: a few large ones leave no room for older ones', () => {
  const messages = new Messages();
  const mail = (to: string, text: string) => messages.capture({ kind: 'email', to: [to], text });
  mail('old@example.com', 'hello');
  for (let count = 0; count < 100; count += 1) mail('ada@example.com', 'x'.repeat(1_000_000));
  mail('new@example.com', 'hello');

  expect(messages.list({ to: 'old@example.com' })).toEqual([]);
  expect(messages.list({ to: 'new@example.com' })).toHaveLength(1);
  expect(messages.list({ to: 'ada@example.com' })).toHaveLength(16);
});
