import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type CampaignOptions, type CampaignResult, runCampaign } from './campaign.ts';
import { expireLocksAt } from './expire-locks.ts';

/** So long may files be. The journals of the databases begin anew now and then, and soon reach it. */
const FILE_BYTES = { least: 4 * 1024, most: 512 * 1024 };
/** Requests that are refused before there is room again, and how long it takes after the last of them, in ms. */
const REFUSED = { least: 4, most: 12 };
const MS_BEFORE_ROOM = 400;
/** At most so many orders are accepted before each full disk, and when there is room again. */
const ORDERS = 3;
/** Their timeout is ten seconds. */
const FUNCTIONS_END_WITHIN_MS = 11_000;
/** Of four full disks, two get room while the local cloud runs; the others at the next start after a SIGKILL. */
const ROOM_WHILE_RUNNING = 0.5;

/**
 * Fills the disk of the local cloud while customers place orders, and makes room again: now and then under the running process, now and
 * then before the next start after a SIGKILL. Every order that was accepted must end, nothing may have happened twice, and the stock must be
 * what it was.
 *
 * A disk of its own needs privileges. Instead the kernel lets the process write no file beyond an offset: a write behind it fails, one that
 * reaches it is cut short. That is more than a full disk refuses, which takes what overwrites a block.
 * https://man7.org/linux/man-pages/man2/setrlimit.2.html
 *
 * @throws Error where there is no `prlimit`, which is a part of util-linux
 * @example const { violations } = await runFullDisks({ times: 1, seed: 1 });
 */
export function runFullDisks(options: CampaignOptions): Promise<CampaignResult> {
  return runCampaign(options, async (campaign) => {
    const { random } = campaign;
    await campaign.untilAccepted(random.between(1, ORDERS));
    const before = campaign.orders.length;
    const bytes = random.between(FILE_BYTES.least, FILE_BYTES.most);
    await limitFiles(campaign.pid, String(bytes));
    await campaign.untilRefused(random.between(REFUSED.least, REFUSED.most));
    await delay(random.between(0, MS_BEFORE_ROOM - 1));
    const accepted = campaign.orders.length - before;
    const isRunning = campaign.isRunning;
    const goesOn = random.chance(ROOM_WHILE_RUNNING) && isRunning;
    if (goesOn) {
      await limitFiles(campaign.pid, 'unlimited');
      await campaign.untilAccepted(random.between(1, ORDERS));
      // A function that could not write its last change has kept its lock, for minutes.
      await campaign.withoutOrders(() => expireLocksAt(campaign.awsUrl, FUNCTIONS_END_WITHIN_MS));
    } else {
      await campaign.kill();
      await campaign.start();
    }
    const how = goesOn ? 'room while it runs' : isRunning ? 'killed' : 'ended by itself';
    return `files end at ${bytes} bytes, ${accepted} orders accepted, ${how}`;
  });
}

/** Only the soft limit, which a process may raise again. */
async function limitFiles(pid: number, bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('There is no prlimit: the disk can be filled on Linux, with util-linux', { cause: error });
  });
}
