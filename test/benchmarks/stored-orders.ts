import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subject } from './comparison.ts';
import { placeOrders } from './order-load.ts';
import { startVersion } from './version.ts';

export interface StoredOptions {
  few: number;
  many: number;
  /** Who place them, at once. */
  clients: number;
}

/** Orders between two lines of progress. */
const PROGRESS_EVERY = 1_000;

/**
 * Fills a data directory with few orders and then with many, and makes of each a local cloud that starts with a copy of it: what is
 * measured is the same work on little and on much data, after equally many orders in the process.
 *
 * @param stack removes the data directories
 * @throws Error when an order is refused
 * @example const subjects = await storedSubjects(root, { few: 1_000, many: 20_000, clients: 16 }, stack, log, signal);
 */
export async function storedSubjects(
  root: string,
  { few, many, clients }: StoredOptions,
  stack: AsyncDisposableStack,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<[Subject, Subject]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-stored-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [withFew, withMany] = [join(folder, 'few'), join(folder, 'many')] as const;
  await fill(withFew, few);
  cpSync(withFew, withMany, { recursive: true });
  await fill(withMany, many - few);
  return [subjectOf(withFew, few), subjectOf(withMany, many)];

  async function fill(dataDirectory: string, orders: number): Promise<void> {
    await using system = await startVersion({ checkout: root, args: ['--data-dir', dataDirectory] }, signal);
    for (let placed = 0; placed < orders; placed += PROGRESS_EVERY) {
      await placeOrders(system, { orders: Math.min(PROGRESS_EVERY, orders - placed), clients }, signal);
      log(`${Math.min(placed + PROGRESS_EVERY, orders)} of ${orders} orders are stored`);
    }
  }

  function subjectOf(dataDirectory: string, orders: number): Subject {
    return {
      name: `${orders} stored`,
      start: async (ending) => {
        const copy = mkdtempSync(join(folder, 'copy-'));
        cpSync(dataDirectory, copy, { recursive: true });
        return startVersion({ checkout: root, args: ['--data-dir', copy] }, ending);
      },
    };
  }
}
