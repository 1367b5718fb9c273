import { readFileSync } from 'node:fs';
import { printable } from '@millrace/command-line';
import type { ImportedEvent, ImportProblem } from '@millrace/dead-letters/operations';
import type { Command, Values } from './options.ts';
import { connect, loadAllContracts, stop } from './stage.ts';
import { counted } from './texts.ts';

export const importCommand: Command = {
  usage: 'import <file.ndjson>',
  summary: 'makes new events of those that were edited, and parks the old ones',
  help: '  --dry-run              only check the file',
  options: ['dry-run'],
  run: importFile,
};

async function importFile(values: Values, [path = '']: string[]): Promise<number> {
  const text = readFileSync(path, 'utf8');
  const dryRun = values['dry-run'] ?? false;
  const { operations, sqs, queues, startedAt } = await connect(values);
  const contracts = await loadAllContracts();
  const options = { startedAt, dryRun, signal: stop.signal };
  const { imported, unchanged, alreadyImported, problems, gone, failed } = await operations.importDeadLetters(
    sqs,
    queues,
    text,
    contracts,
    options,
  );
  const say = ({ line, path: where, message }: ImportProblem): void => {
    console.error(printable(`${path}:${line}: ${[where, message].filter(Boolean).join(': ')}`));
  };
  problems.forEach(say);
  gone.forEach(say);
  failed.forEach(say);
  if (problems.length > 0) console.error('Nothing was imported');
  for (const { line, oldId, newId, queue } of imported) {
    console.log(`line ${line}: ${newId} ${dryRun ? 'would replace' : 'replaces'} ${oldId} in ${queue}`);
  }
  if (unchanged > 0) console.error(`${counted(unchanged, 'unedited line', 'unedited lines')}: their letters stay`);
  if (alreadyImported > 0) console.error(`${counted(alreadyImported, 'line', 'lines')} imported before`);
  if (!dryRun) printNextSteps(imported);
  if (stop.signal.aborted) return 130;
  return problems.length + gone.length + failed.length > 0 ? 1 : 0;
}

function printNextSteps(imported: readonly ImportedEvent[]): void {
  for (const [queue, events] of Map.groupBy(imported, ({ queue }) => queue)) {
    const ids = events.map(({ newId }) => `--id ${newId}`).join(' ');
    console.error(`
When only this consumer is to see the new events, because the others have handled the old ones:
  npm run redrive -- redrive ${queue} ${ids}
When every consumer is to see them:
  npm run redrive -- reemit ${queue} ${ids}`);
  }
}
