import { expect, test } from '@jest/globals';
import { suiteOrder } from './suite-order.ts';

const system = (name: string, duration?: number) => ({
  path: `/test/end-to-end/${name}`,
  ...(duration && { duration }),
});
const other = (name: string, duration?: number) => ({ path: `/libs/${name}`, ...(duration && { duration }) });
const names = (suites: readonly { path: string }[]) => suites.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));

test('one suite of a running system at a time, with others beside it until there are none left', () => {
  const suites = [system('A', 30), system('B', 20), system('C', 10), other('a', 25), other('b', 10), other('c', 5)];

  expect(names(suiteOrder(suites, 2))).toEqual(['A', 'a', 'b', 'B', 'c', 'C']);
});

test('half of several workers run systems', () => {
  const suites = [system('A', 10), system('B', 10), system('C', 10), other('a', 10), other('b', 10)];

  expect(names(suiteOrder(suites, 4))).toEqual(['A', 'B', 'a', 'b', 'C']);
});

test('one worker runs every suite once', () => {
  const suites = [other('a'), system('A'), other('b'), system('B')];

  expect(names(suiteOrder(suites, 1)).sort()).toEqual(['A', 'B', 'a', 'b']);
});

test('what has not been run yet is taken to be as long as is usual for its kind', () => {
  const suites = [system('A'), system('B'), ...Array.from({ length: 20 }, (_, index) => other(`u${index}`))];

  expect(names(suiteOrder(suites, 2)).indexOf('B')).toBe(15);
});
