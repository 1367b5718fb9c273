import { describe, expect, test } from '@jest/globals';
import { PermanentError } from '@millrace/errors';
import { specify } from './index.ts';

type Event = { type: 'Opened' } | { type: 'Paid'; amount: number };
type Command = { type: 'Open' } | { type: 'Pay'; amount: number };

const { given } = specify<{ open: boolean; paid: number }, Command, Event>({
  initialState: { open: false, paid: 0 },
  decide(command, { open }) {
    if (command.type === 'Open') return open ? [] : [{ type: 'Opened' }];
    if (!open) throw new PermanentError('NOT_OPEN', 'Open it first');
    return [{ type: 'Paid', amount: command.amount }];
  },
  evolve: (state, event) =>
    event.type === 'Opened' ? { ...state, open: true } : { ...state, paid: state.paid + event.amount },
});

describe('a specification that holds', () => {
  test('passes', () => {
    given().when({ type: 'Open' }).thenEvents({ type: 'Opened' });
    given({ type: 'Opened' }).when({ type: 'Open' }).thenEvents();
    given().when({ type: 'Pay', amount: 1 }).thenRefused('NOT_OPEN');
    given({ type: 'Opened' }, { type: 'Paid', amount: 1 }, { type: 'Paid', amount: 2 }).thenState(({ paid }) =>
      expect(paid).toBe(3),
    );
  });
});

describe('a specification that does not hold', () => {
  const opened = given({ type: 'Opened' });

  test.each([
    ['other events', () => opened.when({ type: 'Pay', amount: 1 }).thenEvents({ type: 'Paid', amount: 2 })],
    ['missing events', () => opened.when({ type: 'Pay', amount: 1 }).thenEvents()],
    ['events where none happen', () => opened.when({ type: 'Open' }).thenEvents({ type: 'Opened' })],
    ['events instead of a refusal', () => opened.when({ type: 'Open' }).thenRefused('NOT_OPEN')],
    ['another refusal', () => given().when({ type: 'Pay', amount: 1 }).thenRefused('CLOSED')],
    ['a refusal instead of events', () => given().when({ type: 'Pay', amount: 1 }).thenEvents()],
  ])('fails: %s', (_, specification) => {
    expect(specification).toThrow();
  });
});
