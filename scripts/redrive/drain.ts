import { Progress, printable } from '@millrace/command-line';
import type { DrainSummary } from '@millrace/dead-letters/operations';
import { readCriteria, readPace, type Values } from './options.ts';
import { type Context, connect, type Operations, stop } from './stage.ts';
import { counted, letterCount, unseenText } from './texts.ts';

export type Operation = Parameters<Operations['purge']>[0];

/** Runs an operation with filters, shows how far it is, and says what it came to. */
export async function drain(
  name: string,
  values: Values,
  [queueName = '']: string[],
  run: (context: Context, operation: Operation) => Promise<DrainSummary>,
): Promise<number> {
  const criteria = readCriteria(values);
  const options = readPace(values);
  const context = await connect(values);
  const { operations, sqs, queues, startedAt } = context;
  const queue = queues.find(queueName);
  const progress = new Progress(process.stderr, name);
  const begun = performance.now();
  const summary = await run(context, {
    ...options,
    sqs,
    queues,
    queue,
    select: operations.deadLetterFilter(criteria, startedAt),
    startedAt,
    dryRun: values['dry-run'] ?? false,
    signal: stop.signal,
    onProgress: ({ handled, total, waiting }) => {
      const perSecond = Math.round((handled * 1_000) / (performance.now() - begun));
      const numbers = `${handled.toLocaleString('en')} of ${total.toLocaleString('en')}, ${perSecond}/s`;
      progress.update(handled / total, waiting ? `${numbers}, waiting for letters that are in flight` : numbers);
    },
  });
  progress.end();
  printSummary(summary, queue.name);
  if (summary.interrupted) return 130;
  return operations.isComplete(summary) ? 0 : 1;
}

function printSummary(summary: DrainSummary, queue: string): void {
  const { done, left, failed, skipped, arrived, unseen, interrupted, problem, duration, waited, outcomes } = summary;
  for (const { text, count } of outcomes) console.log(`${count.toLocaleString('en').padStart(9)}  ${printable(text)}`);
  const handled = done + left + failed;
  const speed = handled === 0 ? '' : ` in ${duration.toFixed(1)} s, ${Math.round(handled / duration)}/s`;
  const waiting = waited === 0 ? '' : `, and ${waited.toFixed(1)} s of waiting`;
  console.error(`${letterCount(handled)} of ${queue}${speed}${waiting}`);
  if (skipped > 0) console.error(`${counted(skipped, 'other was', 'others were')} looked at, and left there`);
  if (arrived > 0) console.error(`${arrived.toLocaleString('en')} came in the meantime, and stay`);
  if (unseen > 0) console.error(`${unseenText(unseen)}. Run it again`);
  if (problem !== undefined)
    console.error(`Stopped: ${printable(problem)}. Whatever was not handled is still in the queue`);
  if (interrupted) console.error('Interrupted: whatever was not handled is still in the queue');
}
