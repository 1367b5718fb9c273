import { access } from './access.ts';
import { basics } from './basics.ts';
import type { Break, Breaks } from './break.ts';
import { durability } from './durability.ts';
import { exposure } from './exposure.ts';
import { lake } from './lake.ts';
import { pipes } from './pipes.ts';
import { schedules } from './schedules.ts';
import { workflows } from './workflows.ts';

const all = [basics, access, exposure, durability, schedules, workflows, pipes, lake];

/** By the names of the rules: each has to be here. */
export const breaks: Breaks = Object.fromEntries(
  [...new Set(all.flatMap((each) => Object.keys(each)))].map((rule): [string, Break[]] => [
    rule,
    all.flatMap((each) => each[rule] ?? []),
  ]),
);
