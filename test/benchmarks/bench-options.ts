import { readArguments, readNumber, UsageError } from '@millrace/command-line';
import type { LoadOptions } from './order-load.ts';

export const HELP = `Measures the local cloud: orders/s, time from placed to confirmed, CPU, memory, requests and invocations an order.

Usage: npm run bench -- [options]

  --orders <n>       orders placed under load (2000; with --compare, --record and --stored 400)
  --clients <n>      customers at once (16); each waits for its order before it places the next
  --warm-up <n>      orders placed first and not counted (800; 300): every function compiles its own code
  --lone <n>         orders placed one at a time before the load, for the latency of a lone order (40; 20)
  --ref <ref>        measure this version instead of this tree: a branch, a tag or a commit
  --compare <ref>    measure this version as well, by turns, and print the ratios to it
  --record           compare with the last version in docs/performance.md, and add a row there
  --stored <n>       measure with 1,000 and with <n> orders stored before, by turns, and print the ratios
  --rounds <n>       how often each of two is started and measured (3)
  --help             show this

Another version is checked out into a temporary git worktree, started as its npm start does, and measured by this
tree's code. Figures of one call compare; those of different calls do so only on a quiet machine.

Exit codes: 0 done, 1 failed, 2 misused, 130 interrupted.`;

/** Orders that are little data, for `--stored`. */
export const FEW_STORED = 1_000;

/**
 * Reads the command line.
 * @param args instead of those of this process
 * @throws UsageError that names the option and what it must be
 */
export function readOptions(args?: string[]) {
  const { values } = readArguments({
    ...(args && { args }),
    options: {
      orders: { type: 'string' },
      clients: { type: 'string' },
      'warm-up': { type: 'string' },
      lone: { type: 'string' },
      ref: { type: 'string' },
      compare: { type: 'string' },
      record: { type: 'boolean', default: false },
      stored: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { ref, compare, record, help } = values;
  const stored = readNumber('stored', values.stored, { minimum: FEW_STORED + 1, whole: true });
  if (record && compare !== undefined) {
    throw new UsageError('--record compares with the last version in docs/performance.md: leave --compare out');
  }
  if (stored !== undefined && (record || compare !== undefined || ref !== undefined)) {
    throw new UsageError('--stored measures this tree twice: leave --ref, --compare and --record out');
  }
  const count = { minimum: 1, whole: true };
  const isOfTwo = record || compare !== undefined || stored !== undefined;
  const load: LoadOptions = {
    orders: readNumber('orders', values.orders, { minimum: 4, whole: true }) ?? (isOfTwo ? 400 : 2000),
    clients: readNumber('clients', values.clients, count) ?? 16,
    warmUp: readNumber('warm-up', values['warm-up'], count) ?? (isOfTwo ? 300 : 800),
    lone: readNumber('lone', values.lone, count) ?? (isOfTwo ? 20 : 40),
  };
  return { help, ref, compare, record, stored, load, rounds: readNumber('rounds', values.rounds, count) ?? 3 };
}
