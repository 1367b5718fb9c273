import { describe, expect, test } from '@jest/globals';
import { ConcurrencyConflictError, retryOnConflict, StoreBusyError } from './index.ts';

/** Loses `losses` times and then wins. */
function setUp(losses: number, error: () => Error = () => new ConcurrencyConflictError('stale')) {
  let attempts = 0;
  const pauses: number[] = [];
  const attempt = async () => {
    attempts += 1;
    if (attempts <= losses) throw error();
    return `attempt ${attempts}`;
  };
  const sleep = async (ms: number) => {
    pauses.push(ms);
  };
  return { attempt, pauses, sleep, attempts: () => attempts };
}

describe('retryOnConflict', () => {
  test('gives what the first attempt gives that wins', async () => {
    const { attempt, sleep, pauses } = setUp(3);

    expect(await retryOnConflict(attempt, { sleep, random: () => 1 })).toBe('attempt 4');
    expect(pauses).toEqual([40, 80, 160]);
  });

  test('pauses with full jitter', async () => {
    const { attempt, sleep, pauses } = setUp(2);

    await retryOnConflict(attempt, { sleep, random: () => 0.5 });

    expect(pauses).toEqual([20, 40]);
  });

  test('gives up with the conflict after its last attempt', async () => {
    const { attempt, sleep, attempts, pauses } = setUp(99);

    await expect(retryOnConflict(attempt, { sleep, maxAttempts: 3 })).rejects.toThrow(ConcurrencyConflictError);
    expect(attempts()).toBe(3);
    expect(pauses).toHaveLength(2);
  });

  test.each([new StoreBusyError('throttled'), new Error('anything')])('throws %s at once', async (error) => {
    const { attempt, sleep, attempts } = setUp(1, () => error);

    await expect(retryOnConflict(attempt, { sleep })).rejects.toBe(error);
    expect(attempts()).toBe(1);
  });
});
