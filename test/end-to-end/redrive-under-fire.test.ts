import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { redriveUnderFire } from './redrive-under-fire.ts';
import { type System, startSystem } from './system.ts';

/** `npm run bench:redrive` does the same with 5,000. */
const LETTERS = 1000;
const KILLS = 3;

let system: System;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

test(`${LETTERS} dead letters all come back and have their effect once, although the command is killed ${KILLS} times`, async () => {
  const effects = await redriveUnderFire(system, LETTERS, KILLS);

  expect(effects).toHaveLength(LETTERS);
  expect(effects.filter((count) => count !== 1)).toEqual([]);
});
