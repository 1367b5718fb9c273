import type { HistoryResult } from './history.ts';
import type { HistoryPlan } from './plan.ts';

/** Histories that are run at most to make one shorter. */
const MAX_RUNS = 100;

/**
 * Makes a failing history as short as it can: leaves out orders and faults as long as it still fails.
 * @param run runs a plan
 * @returns the shortest that fails
 */
export async function shrink(
  failed: HistoryResult,
  run: (plan: HistoryPlan) => Promise<HistoryResult>,
): Promise<HistoryResult> {
  let shortest = failed;
  let runs = 0;
  const fails = async (plan: HistoryPlan): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const result = await run(plan);
    if (result.violations.length === 0) return false;
    shortest = result;
    return true;
  };
  for (let before: HistoryPlan | undefined; before !== shortest.plan && runs < MAX_RUNS; ) {
    before = shortest.plan;
    await leaveOut(shortest.plan.orders, (orders) => fails({ ...shortest.plan, orders }));
    await leaveOut(shortest.plan.faults, (faults) => fails({ ...shortest.plan, faults }));
    for (const order of shortest.plan.orders) {
      const { cancelAfter: _, repeatAfter: __, ...simple } = order;
      if (order.cancelAfter === undefined && order.repeatAfter === undefined) continue;
      await fails({ ...shortest.plan, orders: shortest.plan.orders.map((each) => (each === order ? simple : each)) });
    }
  }
  return shortest;
}

/** Tries without parts of a list: first without halves of it, at last without single elements. */
async function leaveOut<Each>(all: readonly Each[], stillFails: (rest: Each[]) => Promise<boolean>): Promise<void> {
  let kept = [...all];
  for (
    let size = Math.ceil(kept.length / 2);
    size >= 1 && kept.length > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let start = 0; start < kept.length; ) {
      const rest = kept.filter((_, index) => index < start || index >= start + size);
      if (await stillFails(rest)) kept = rest;
      else start += size;
    }
  }
}
