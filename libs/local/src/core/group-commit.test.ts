import { expect, test } from '@jest/globals';
import { GroupCommit } from './group-commit.ts';

/** Keeps numbers, as far as `write` can. */
function setUp(write: (numbers: readonly number[]) => void = () => undefined) {
  const kept: number[][] = [];
  let changes: number[] = [];
  const commits = new GroupCommit(() => {
    write(changes);
    kept.push(changes);
    changes = [];
  });
  const change = (number: number) => {
    changes.push(number);
    commits.schedule();
    return commits.pending;
  };
  return { commits, change, kept };
}

test('all changes of one turn of the event loop are kept by one commit', async () => {
  const { commits, change, kept } = setUp();
  const first = change(1);
  await Promise.resolve();
  expect(change(2)).toBe(first);
  expect(kept).toEqual([]);
  await first;
  expect(kept).toEqual([[1, 2]]);
  expect(commits.pending).toBeUndefined();
  await change(3);
  expect(kept).toEqual([[1, 2], [3]]);
});

test('a commit that fails rejects for each change of its turn, and the next one is made', async () => {
  const { change, kept } = setUp((numbers) => {
    if (numbers.length === 2) throw new Error('full');
  });
  const both = [change(1), change(2)];
  for (const each of both) await expect(each).rejects.toThrow('full');
  await change(3);
  expect(kept).toEqual([[1, 2, 3]]);
});

test('a flush makes the scheduled commit at once, and only once', async () => {
  const { commits, change, kept } = setUp();
  const pending = change(1);
  commits.flush();
  expect(kept).toEqual([[1]]);
  await pending;
  await new Promise(setImmediate);
  commits.flush();
  expect(kept).toEqual([[1]]);
});
