import { describe, expect, test } from '@jest/globals';
import { DuplicateEventError, MillraceError, PermanentError, TransientError } from './index.ts';

describe('an error', () => {
  test('says by its class whether to retry, and keeps code, message and cause', () => {
    class CardDeclinedError extends PermanentError {}
    const cause = new Error('from the provider');
    const error = new CardDeclinedError('CARD_DECLINED', 'The card was declined', { cause });

    expect(error).toBeInstanceOf(MillraceError);
    expect(error).not.toBeInstanceOf(TransientError);
    expect(error).toMatchObject({
      name: 'CardDeclinedError',
      code: 'CARD_DECLINED',
      message: 'The card was declined',
      cause,
    });
  });

  test('of a duplicate names consumer and event', () => {
    const error = new DuplicateEventError('payments.onStockReserved', 'event-1');

    expect(error).toMatchObject({
      code: 'DUPLICATE_EVENT',
      message: expect.stringMatching(/onStockReserved.*event-1/),
    });
    expect(error).not.toBeInstanceOf(PermanentError);
    expect(error).not.toBeInstanceOf(TransientError);
  });
});
