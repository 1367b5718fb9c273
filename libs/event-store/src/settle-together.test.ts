import { describe, expect, test } from '@jest/globals';
import { StoreBusyError, settleTogether } from './index.ts';

/** Settles numbers; a number in `bad` makes its transaction fail. */
function setUp(bad: number[] = [], error = new Error('bad')) {
  const settled: number[] = [];
  const tried: number[][] = [];
  const run = async (numbers: readonly number[]) => {
    tried.push([...numbers]);
    if (numbers.some((number) => bad.includes(number))) throw error;
    settled.push(...numbers);
  };
  return { run, settled, tried, error };
}

describe('settleTogether', () => {
  test('settles everything at once', async () => {
    const { run, tried } = setUp();

    expect(await settleTogether([1, 2, 3], run)).toEqual([undefined, undefined, undefined]);
    expect(tried).toEqual([[1, 2, 3]]);
  });

  test('has nothing to do for nothing', async () => {
    const { run, tried } = setUp();

    expect(await settleTogether([], run)).toEqual([]);
    expect(tried).toEqual([]);
  });

  test('takes out what cannot be settled, and settles the others in their order', async () => {
    const { run, settled, error } = setUp([3]);

    expect(await settleTogether([1, 2, 3, 4, 5], run)).toEqual([undefined, undefined, error, undefined, undefined]);
    expect(settled).toEqual([1, 2, 4, 5]);
  });

  test('does not divide anything when the store is busy: that would only make it busier', async () => {
    const { run, tried, error } = setUp([3], new StoreBusyError('ThrottlingError'));

    expect(await settleTogether([1, 2, 3], run)).toEqual([error, error, error]);
    expect(tried).toHaveLength(1);
  });

  test('makes an error of anything else that is thrown', async () => {
    const run = async () => {
      throw 'oops';
    };

    expect(await settleTogether([1], run)).toEqual([expect.any(Error)]);
  });
});
