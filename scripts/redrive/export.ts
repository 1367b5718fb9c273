import { type Command, FILTER_HELP, FILTERS, readCriteria, readLimit, type Values } from './options.ts';
import { connect, stop } from './stage.ts';
import { printInspection } from './texts.ts';

export const exportCommand: Command = {
  usage: 'export <queue> <file.ndjson>',
  summary: 'writes letters to a file, to be edited; they stay where they are',
  help: `${FILTER_HELP}

The file holds the events as they are, personal data included; only you can read it (mode 0600). Delete it afterwards.`,
  options: FILTERS,
  run: exportToFile,
};

async function exportToFile(values: Values, [queueName = '', path = '']: string[]): Promise<number> {
  const criteria = readCriteria(values);
  const limit = readLimit(values);
  const { operations, sqs, queues, startedAt } = await connect(values);
  const queue = queues.find(queueName);
  const select = operations.deadLetterFilter(criteria, startedAt);
  const summary = await operations.exportDeadLetters(sqs, queue, path, {
    select,
    startedAt,
    limit,
    signal: stop.signal,
  });
  printInspection(summary, operations.isFiltering(criteria), queue.name);
  console.error(
    `Written to ${path}, which may hold personal data and only you can read. Edit \`event\`, then: npm run redrive -- import ${path}`,
  );
  return summary.unseen > 0 ? 1 : 0;
}
