import { createInterface } from 'node:readline/promises';
import { UsageError } from '@millrace/command-line';
import type { DeadLetter } from '@millrace/dead-letters';
import { drain } from './drain.ts';
import { ACTION_HELP, ACTIONS, type Command, FILTER_HELP, FILTERS, type Values } from './options.ts';
import { stop } from './stage.ts';
import { letterCount } from './texts.ts';

export const purge: Command = {
  usage: 'purge <queue>',
  summary: 'deletes letters for good',
  help: `  --yes                  do not ask\n${FILTER_HELP}\n${ACTION_HELP}`,
  options: [...FILTERS, ...ACTIONS, 'yes'],
  run: purgeAfterAsking,
};

async function purgeAfterAsking(values: Values, args: string[]): Promise<number> {
  if (values.yes || values['dry-run'])
    return drain('purge', values, args, ({ operations }, operation) => operations.purge(operation));
  if (!process.stdin.isTTY) throw new UsageError('purge deletes for good: say --yes when nobody is there to be asked');
  return drain('purge', values, args, async ({ operations }, operation) => {
    const { purge } = operations;
    // Exactly the letters that were counted: others may arrive while the question stands.
    const asked = new Set<string>();
    const select = (letter: DeadLetter): boolean => {
      const meant = operation.select(letter);
      if (meant) asked.add(letter.messageId);
      return meant;
    };
    const found = await purge({ ...operation, select, dryRun: true, rate: undefined, onProgress: undefined });
    if (found.done === 0 || found.interrupted) return { ...found, outcomes: [] };
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const question = `Delete ${letterCount(found.done)} of ${operation.queue.name} for good? Type yes: `;
      const answer = await terminal.question(question, { signal: stop.signal }).catch(() => undefined);
      if (answer === undefined) return { ...found, done: 0, outcomes: [], interrupted: true };
      if (answer.trim() === 'yes') {
        return await purge({ ...operation, select: ({ messageId }) => asked.has(messageId) });
      }
      return { ...found, done: 0, left: found.done, outcomes: [{ text: 'left: not confirmed', count: found.done }] };
    } finally {
      terminal.close();
    }
  });
}
