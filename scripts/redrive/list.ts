import { type Column, formatTable, jsonText, readNumber } from '@millrace/command-line';
import type { Command, Values } from './options.ts';
import { connect, stop } from './stage.ts';
import { age, letterCount } from './texts.ts';

export const list: Command = {
  usage: 'list',
  summary: 'every dead-letter queue of the stage: how many letters, how old, why',
  help: `  --all                  the empty ones, too
  --sample <n>           letters of each queue looked at for age and reasons (100; 0 receives none)
  --json                 as a JSON array
  --exit-code            exit with 1 when there is any letter`,
  options: ['all', 'sample', 'json', 'exit-code'],
  run,
};

async function run(values: Values): Promise<number> {
  const sample = readNumber('sample', values.sample, { minimum: 0, whole: true }) ?? 100;
  const { operations, sqs, queues, startedAt } = await connect(values);
  const overviews = await operations.listQueues(sqs, queues, { sample, startedAt, signal: stop.signal });
  const dead = overviews.reduce((sum, { depth }) => sum + depth, 0);
  const shown = values.all ? overviews : overviews.filter(({ depth }) => depth > 0);
  if (values.json) {
    console.log(jsonText(shown, 2));
  } else {
    if (shown.length > 0) {
      const columns: Column[] = [
        { title: 'QUEUE' },
        { title: 'LETTERS', align: 'right' },
        { title: 'IN FLIGHT', align: 'right' },
        { title: 'OLDEST', align: 'right' },
        { title: 'REASONS' },
      ];
      const rows = shown.map(({ queue, depth, inFlight, oldestSentAt, reasons, sampled }) => [
        queue,
        depth.toLocaleString('en'),
        inFlight === 0 ? '' : inFlight.toLocaleString('en'),
        oldestSentAt === undefined ? '' : age(new Date(oldestSentAt), startedAt),
        `${reasons.map(({ code, count }) => `${code} ×${count}`).join(', ')}${sampled < depth && sampled > 0 ? ` (of ${sampled} looked at)` : ''}`,
      ]);
      console.log(formatTable(columns, rows));
    }
    const full = overviews.filter(({ depth }) => depth > 0).length;
    console.error(`${letterCount(dead)} in ${full} of ${overviews.length} dead-letter queues`);
  }
  if (stop.signal.aborted) return 130;
  return values['exit-code'] && dead > 0 ? 1 : 0;
}
