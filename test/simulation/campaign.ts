import { createHash } from 'node:crypto';
import { type HistoryResult, Simulator } from './history.ts';
import { type Occasion, planHistory } from './plan.ts';
import type { Sabotage } from './sabotage.ts';
import { shrink } from './shrink.ts';

export interface CampaignOptions {
  /** How many at most. */
  histories: number;
  /** Of the first; each further one has the next. */
  seed: number;
  /** Begins no further history after so much CPU time. */
  cpuSeconds?: number | undefined;
  /** Orders in a history at most. */
  orders?: number | undefined;
  /** Occasions at which something may go wrong; all unless given. */
  kinds?: readonly Occasion[] | undefined;
  /** Every history is an outage of the payment provider under load, so many minutes long. */
  outageMinutes?: number | undefined;
  sabotage?: Sabotage | undefined;
  /** Histories that fail before it stops. */
  maxFailures?: number;
  /** Whether a failing history is made as short as it can be. */
  shrinks?: boolean;
  onProgress?: (done: number) => void;
}

export interface CampaignResult {
  histories: number;
  /** Each as short as it could be made. */
  failures: { seed: number; shortest: HistoryResult }[];
  cpuSeconds: number;
  /** Events of all histories. */
  steps: number;
  orders: number;
  faults: number;
  /** Of all traces: two runs with the same options have the same. */
  digest: string;
}

/** Runs history after history. */
export async function runCampaign(
  {
    histories,
    seed,
    cpuSeconds = Number.POSITIVE_INFINITY,
    orders,
    kinds,
    outageMinutes,
    sabotage = {},
    maxFailures = 1,
    // The load is what an outage is about.
    shrinks = outageMinutes === undefined,
    onProgress,
  }: CampaignOptions,
  simulator?: Simulator,
): Promise<CampaignResult> {
  const running = simulator ?? (await Simulator.start());
  const began = process.cpuUsage();
  const used = (): number => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000_000;
  };
  const digest = createHash('sha256');
  const result: CampaignResult = {
    histories: 0,
    failures: [],
    cpuSeconds: 0,
    steps: 0,
    orders: 0,
    faults: 0,
    digest: '',
  };
  while (result.histories < histories && used() < cpuSeconds && result.failures.length < maxFailures) {
    const plan = planHistory(seed + result.histories, { orders, kinds, outageMinutes });
    const history = await running.run(plan, sabotage);
    result.histories += 1;
    result.steps += history.steps;
    result.orders += plan.orders.length;
    result.faults += plan.faults.length;
    digest.update(history.digest());
    if (history.violations.length > 0) {
      const shortest = shrinks ? await shrink(history, (shorter) => running.run(shorter, sabotage)) : history;
      result.failures.push({ seed: plan.seed, shortest });
    }
    onProgress?.(result.histories);
  }
  return { ...result, cpuSeconds: used(), digest: digest.digest('hex').slice(0, 16) };
}

/**
 * A failing history as a person reads it: what was to happen, what went wrong, and how it came to that.
 * @param options of the command line beside the seed, to run it again
 */
export function describeFailure({ seed, shortest }: CampaignResult['failures'][number], options = ''): string {
  const { plan, violations, trace } = shortest;
  const orders = plan.orders.map(({ number, at, customer, lines, card, cancelAfter, repeatAfter, slot }) => {
    const what = lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ');
    const then = [
      slot &&
        `picked up in ${slot.slotId}, which the customer ${slot.reserves ? 'has asked for' : 'has not asked for'}`,
      slot?.checkInAfter !== undefined && `check-in ${slot.checkInAfter} ms after the reservation`,
      slot?.giveBackAfter !== undefined && `the slot given back ${slot.giveBackAfter} ms after the reservation`,
      repeatAfter !== undefined && `the same request again ${repeatAfter} ms later`,
      cancelAfter !== undefined && `cancelled ${cancelAfter} ms after the answer`,
    ].filter(Boolean);
    return `  order ${number} of ${customer} at ${at} ms: ${what}, card ${card}${then.map((text) => `, ${text}`).join('')}`;
  });
  const faults = plan.faults.map(({ on, nth, what }) => `  ${on} ${nth}: ${what}`);
  return [
    `seed ${seed} fails:`,
    ...violations.map((violation) => `  ${violation}`),
    'The shortest history that fails:',
    ...Object.entries(plan.stock).map(([sku, { available }]) => `  ${available} ${sku} in stock`),
    ...orders,
    ...(faults.length > 0 ? ['What goes wrong:', ...faults] : ['Nothing goes wrong from outside.']),
    'What happened (!! marks what goes wrong):',
    ...trace(),
    `Again: npm run test:simulation -- --histories 1 --seed ${seed}${options}`,
  ].join('\n');
}
