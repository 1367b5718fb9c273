import { describe, expect, test } from '@jest/globals';
import {
  backoffBound,
  beforeTimeLimit,
  equalJitter,
  fullJitter,
  retry,
  TimeUpError,
  timeLeft,
  withTimeLimit,
} from './index.ts';

const busy = new Error('busy');

/** Fails `failures` times and then succeeds; pauses pass on a clock of its own. */
function setUp(failures: number, error: Error = busy) {
  let attempts = 0;
  let now = 0;
  const pauses: number[] = [];
  const options = {
    isRetryable: (reason: unknown) => reason === busy,
    random: () => 1,
    sleep: async (ms: number) => {
      pauses.push(ms);
      now += ms;
    },
  };
  const attempt = async () => {
    attempts += 1;
    if (attempts <= failures) throw error;
    return `attempt ${attempts}`;
  };
  return { attempt, options, pauses, attempts: () => attempts, elapsed: () => now };
}

describe('retry', () => {
  test('returns what the first attempt returns that succeeds, after growing pauses', async () => {
    const { attempt, options, pauses } = setUp(7);

    expect(await retry(attempt, options)).toBe('attempt 8');
    expect(pauses).toEqual([40, 80, 160, 320, 640, 1000, 1000]);
  });

  test('pauses with full jitter', async () => {
    const { attempt, options, pauses } = setUp(3);

    await retry(attempt, { ...options, random: () => 0.25 });

    expect(pauses).toEqual([10, 20, 40]);
  });

  test('throws any other error at once', async () => {
    const other = new Error('broken');
    const { attempt, options, attempts } = setUp(1, other);

    await expect(retry(attempt, options)).rejects.toBe(other);
    expect(attempts()).toBe(1);
  });

  test('throws the last error when its attempts are used up', async () => {
    const { attempt, options, attempts } = setUp(99);

    await expect(retry(attempt, { ...options, maxAttempts: 3 })).rejects.toBe(busy);
    expect(attempts()).toBe(3);
  });

  test('takes five seconds at most where no limit is set', async () => {
    const { attempt, options, elapsed } = setUp(Number.POSITIVE_INFINITY);

    await expect(retry(attempt, options)).rejects.toBe(busy);
    expect(elapsed()).toBeGreaterThan(3_000);
    expect(elapsed()).toBeLessThanOrEqual(5_000);
  });

  test('goes on until the time of the function is up, and leaves time to report the error', async () => {
    const { attempt, options, elapsed } = setUp(Number.POSITIVE_INFINITY);

    const run = () => retry(attempt, options);
    await expect(withTimeLimit(() => 9_500 - elapsed(), run)).rejects.toBe(busy);

    expect(elapsed()).toBeGreaterThan(8_000);
    expect(elapsed()).toBeLessThanOrEqual(9_300);
  });

  test('does not pause when there is no time left', async () => {
    const { attempt, options, pauses } = setUp(1);

    await expect(
      withTimeLimit(
        () => 100,
        () => retry(attempt, options),
      ),
    ).rejects.toBe(busy);
    expect(pauses).toEqual([]);
  });
});

test('a time limit holds for what is called and awaited within it, and for nothing else', async () => {
  const within = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return timeLeft();
  };

  const both = await Promise.all([withTimeLimit(() => 1, within), withTimeLimit(() => 2, within), within()]);

  expect(both).toEqual([1, 2, undefined]);
});

describe('what has to end before the time limit', () => {
  const never = () => new Promise<never>(() => {});
  const within = <Result>(leftMs: number, run: () => Promise<Result>) =>
    withTimeLimit(
      () => leftMs,
      () => beforeTimeLimit(run),
    );

  test('returns or throws as it would alone', async () => {
    expect(await within(10_000, async () => 1)).toBe(1);
    expect(await beforeTimeLimit(async () => 1)).toBe(1);
    await expect(within(10_000, () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
  });

  test('is not waited for any longer', async () => {
    await expect(within(5, never)).rejects.toThrow(TimeUpError);
  });

  test('does not begin when no time is left', async () => {
    let begun = false;
    const run = async () => {
      begun = true;
    };
    await expect(within(0, run)).rejects.toThrow(TimeUpError);
    expect(begun).toBe(false);
  });
});

test('a pause is below a bound that doubles with each attempt, up to the longest one', () => {
  const backoff = { firstBound: 2, longestBound: 300 };
  const attempts = [1, 2, 3, 8, 9, 2_000];

  expect(attempts.map((each) => backoffBound(each, backoff))).toEqual([2, 4, 8, 256, 300, 300]);
  expect(attempts.map((each) => fullJitter(each, { random: () => 0.5, ...backoff }))).toEqual([1, 2, 4, 128, 150, 150]);
  expect(attempts.map((each) => equalJitter(each, { random: () => 0, ...backoff }))).toEqual([1, 2, 4, 128, 150, 150]);
  expect(attempts.map((each) => equalJitter(each, { random: () => 0.5, ...backoff }))).toEqual([
    1.5, 3, 6, 192, 225, 225,
  ]);
});
