import { beforeEach, describe, expect, test } from '@jest/globals';
import { Ledger } from './ledger.ts';
import type { Fate } from './queue-inputs.ts';

let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger(['shop']);
});

const input = { seed: 1, place: 2 };
const receive = (body: string, fate?: Fate) => ledger.receive('shop', body, { kind: 'made up', fate, input });
const violations = (metrics: { handled?: number; duplicate?: number; ofReplays?: number } = {}) =>
  ledger
    .violations(new Map([['shop', { handled: 0, duplicate: 0, ofReplays: 0, ...metrics }]]))
    .map((violation) => [violation.what, violation.input]);

describe('an account', () => {
  test('is balanced when every message was handled, known, of a replay or is dead', () => {
    for (const body of ['a', 'b', 'b', 'c', 'd']) receive(body);
    ledger.bury('shop', 'd');

    expect(violations({ handled: 2, duplicate: 1, ofReplays: 1 })).toEqual([]);
  });

  test('is not when a message is in nobody’s books, or in two', () => {
    receive('a');

    expect(violations()).toEqual([
      ['shop: 1 messages, but 0 handled + 0 duplicates + 0 of replays + 0 dead = 0', undefined],
    ]);
    expect(violations({ handled: 1, duplicate: 1 })).toHaveLength(1);
  });

  test('names a broken message that did not die, even when the sum is right', () => {
    receive('broken', 'dead');

    expect(violations({ handled: 1 })).toEqual([
      ['shop: 1 of 1 messages are no dead letters, and have to be (made up)', input],
    ]);
  });

  test('names a sound message that did', () => {
    receive('sound', 'taken');
    ledger.bury('shop', 'sound');

    expect(violations()).toEqual([['shop: a sound event is dead (made up)', input]]);
  });

  test('knows a letter that is another than the message, or one too many', () => {
    receive('a');
    receive('b');
    ledger.bury('shop', 'a, edited', 2);
    ledger.bury('shop', 'b');
    expect(violations()).toEqual([['shop: 1 dead letters with a body that nobody sent', undefined]]);

    ledger.bury('shop', 'b');
    expect(violations()).toContainEqual(['shop: 2 letters of 1 messages (made up)', input]);
  });

  test('allows for a second letter of a message that came twice, because its function was stopped, and for no third', () => {
    receive('broken', 'dead');
    receive('sound', 'taken');
    ledger.bury('shop', 'broken', 1);
    ledger.bury('shop', 'broken', 2);
    expect(ledger.sums('shop')).toEqual({ received: 2, dead: 1 });
    expect(violations({ handled: 1 })).toEqual([]);

    ledger.bury('shop', 'broken', 1);
    expect(violations({ handled: 1 })).toContainEqual(['shop: 2 letters of 1 messages (made up)', input]);
  });

  test('counts a message that died at a later attempt like any other', () => {
    receive('broken', 'dead');
    ledger.bury('shop', 'broken', 5);

    expect(violations()).toEqual([]);
  });
});
