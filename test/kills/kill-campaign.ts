import { setTimeout as delay } from 'node:timers/promises';
import { startScript } from '../run-script.ts';
import { type Campaign, type CampaignOptions, type CampaignResult, runCampaign } from './campaign.ts';
import { expireLocks } from './expire-locks.ts';

/** At most so many orders are accepted before a kill, and so long it takes after the last of them, in ms. */
const ORDERS_BEFORE_KILL = 8;
const MS_BEFORE_KILL = 400;
/** Of four kills, one comes while the runtime starts. */
const KILLED_WHILE_STARTING = 0.25;
const START_MS = 3_000;

/**
 * Kills the local cloud at random moments, with SIGKILL, while customers place orders, and starts it again on the same data
 * directory. Then every order that was accepted must end, nothing may have happened twice, and the stock must be what it was.
 *
 * @example const { violations } = await runKills({ times: 3, seed: 1 });
 */
export function runKills(options: CampaignOptions): Promise<CampaignResult> {
  return runCampaign(options, async (campaign) => {
    const ms = await killAtRandom(campaign);
    await startAgain(campaign);
    return `killed ${ms} ms after an order`;
  });
}

/** Kills the runtime at a moment by chance. @returns the milliseconds after an order */
async function killAtRandom(campaign: Campaign): Promise<number> {
  const ms = campaign.random.between(0, MS_BEFORE_KILL - 1);
  await campaign.untilAccepted(campaign.random.between(1, ORDERS_BEFORE_KILL));
  await delay(ms);
  await campaign.kill();
  return ms;
}

/** Starts the runtime, now and then after one that is killed while it starts. */
async function startAgain(campaign: Campaign): Promise<void> {
  while (campaign.random.chance(KILLED_WHILE_STARTING)) {
    const { child, ended } = startScript('start', ['--cold', '--api-port', '0', '--aws-port', '0', ...campaign.args]);
    await delay(campaign.random.next() * START_MS);
    child.kill('SIGKILL');
    await ended;
    await expireLocks(campaign.dataDirectory);
  }
  await campaign.start();
}
