import TestSequencer from '@jest/test-sequencer';

/** Suites of a running system wait a lot, and are long although some are small files. */
const endToEnd = ['end-to-end', 'roles', 'hostile'].map((name) => `/test/${name}/`);

/**
 * Begins with the suites that take longest, so that no worker is left with one of them when the others are done. Jest knows
 * how long they took the last time; where there was none, as on a fresh clone, it would go by the size of the files.
 * https://jestjs.io/docs/configuration#testsequencer-string
 */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isKnown = sorted.some(({ duration }) => duration !== undefined);
    if (isKnown) return sorted;
    const isEndToEnd = ({ path }) => endToEnd.some((folder) => path.includes(folder));
    return [...sorted.filter(isEndToEnd), ...sorted.filter((test) => !isEndToEnd(test))];
  }
}
