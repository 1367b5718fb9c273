/** Makes the median absolute deviation comparable with a standard deviation, for values of a normal distribution. */
const SIGMA = 1.4826;
/** Beyond so many of them a value is unusual. */
const WIDTH = 5;
/** A band is never narrower: where nothing happens, one order is no news. */
const LEAST = 3;
/** Fewer values tell nothing of what is usual. */
const ENOUGH = 10;

/** What is usual, and whether a value is. */
export interface Band {
  median: number;
  low: number;
  high: number;
}

/**
 * What is usual by earlier values: their median, and around it five times their median absolute deviation (MAD). Both stay where
 * they are while fewer than half of the values are out of place; mean and standard deviation would be moved by the very minute that
 * has to be found, and by the last one that was. https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm
 *
 * @returns undefined when there are too few values
 * @example bandOf([4, 5, 5, 6, 4, 5, 6, 5, 4, 5]); // { median: 5, low: 0, high: 10 } or narrower
 */
export function bandOf(earlier: readonly number[]): Band | undefined {
  if (earlier.length < ENOUGH) return undefined;
  const median = medianOf(earlier);
  const spread = medianOf(earlier.map((value) => Math.abs(value - median)));
  const width = Math.max(LEAST, WIDTH * SIGMA * spread);
  return { median, low: Math.max(0, median - width), high: median + width };
}

/** True if a value is outside of what is usual. */
export function isUnusual(value: number, { low, high }: Band): boolean {
  return value < low || value > high;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = 0, lower = 0] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}
