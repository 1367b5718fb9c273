import { exercise } from './exercise.ts';
import type { Grant } from './grants.ts';
import type { RunningShop } from './running-shop.ts';

/** What became of the exercise without a grant. */
export interface Withheld {
  grant: Grant;
  /** The only one of its actions that was taken away. */
  action: string | undefined;
  /** What went wrong; undefined when nobody missed the grant. */
  missedBy: string | undefined;
  seconds: number;
}

/**
 * Takes a grant away, runs the exercise, and gives it back.
 * @param action the only one of its actions to be taken away; all of them without it
 */
export async function withhold(
  running: RunningShop,
  grant: Grant,
  { action, ...options }: { action?: string | undefined; failFast?: boolean } = {},
): Promise<Withheld> {
  const started = performance.now();
  const giveBack = running.runtime.identities.withhold(grant.functionName, grant.index, action);
  let missedBy: string | undefined;
  try {
    await exercise(running, options);
  } catch (error) {
    missedBy = (error as Error).message;
  } finally {
    giveBack();
  }
  return { grant, action, missedBy, seconds: (performance.now() - started) / 1000 };
}
