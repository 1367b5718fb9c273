import { jsonText, printable } from '@millrace/command-line';
import type { DeadLetter } from '@millrace/dead-letters';
import type { ShownDeadLetter, StoppedState } from '@millrace/dead-letters/operations';
import { findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';
import { type Command, FILTER_HELP, FILTERS, readCriteria, readLimit, type Values } from './options.ts';
import { connect, loadAllContracts, stop } from './stage.ts';
import { age, counted, printInspection } from './texts.ts';

export const inspect: Command = {
  usage: 'inspect <queue>',
  summary: 'the letters of a queue',
  help: `${FILTER_HELP}
  --json                 one JSON object a line
  --reveal               the whole body and all attributes; they may hold personal data

Without --reveal an event is shown without the fields that its contract marks as personal, and of a body that satisfies
no contract nothing but its size. Of an execution that has stopped, Step Functions or Lambda is asked at which state, and by which error.`,
  options: [...FILTERS, 'json', 'reveal'],
  run,
};

async function run(values: Values, [queueName = '']: string[]): Promise<number> {
  const criteria = readCriteria(values);
  const limit = readLimit(values);
  const { operations, sqs, queues, lambda, endpoint, startedAt } = await connect(values);
  const queue = queues.find(queueName);
  const select = operations.deadLetterFilter(criteria, startedAt);
  const reveal = values.reveal ?? false;
  const catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  const contracts = reveal ? new Map() : await loadAllContracts();
  const consumerOf = (rule: string): string | undefined => {
    const consumer = operations.consumerOfRule(rule, queues.stage, catalogue);
    return consumer && `${consumer.service}.${consumer.function}`;
  };
  const letters: DeadLetter[] = [];
  const look = { select, startedAt, limit, signal: stop.signal };
  const summary = await operations.inspect(sqs, queue, look, (letter) => {
    letters.push(letter);
  });
  letters.sort((a, b) => a.sentAt.getTime() - b.sentAt.getTime());
  const executions = { states: operations.operatorStepFunctions(endpoint), lambda };
  for (const letter of letters) {
    const shown = operations.shownDeadLetter(letter, contracts, consumerOf);
    const stopped = await operations.stoppedState(letter, executions);
    if (values.json) {
      const told = { ...(reveal ? revealedLetter(letter) : shown), ...(stopped && { stopped }) };
      console.log(jsonText({ queue: queue.name, ...told }));
    } else {
      const content = reveal ? letter.body : stopped ? sentenceOf(stopped) : contentOf(shown);
      console.log(`${describeLetter(shown, content, startedAt)}\n`);
    }
  }
  printInspection(summary, operations.isFiltering(criteria), queue.name);
  return stop.signal.aborted ? 130 : 0;
}

/** A letter as a paragraph: why it is dead and what it is about first, then the ids to go on with. */
function describeLetter(
  { messageId, origin, event, reason, sentAt, detail }: ShownDeadLetter,
  content: string,
  now: Date,
): string {
  const { code, attempts, consumer, correlationId, message } = reason;
  const { subject } = (detail?.metadata ?? {}) as { subject?: string };
  const tries = attempts === undefined ? '' : `, ${counted(attempts, 'attempt', 'attempts')}`;
  const lines: [string, string | undefined][] = [
    ['about', subject],
    ['event', event?.id],
    ['consumer', consumer],
    ['message', messageId],
    ['correlation', correlationId],
  ];
  return [
    printable(
      `${code}  ${event?.detailType ?? (origin === 'execution' ? 'an execution' : 'not an event')}  ${age(sentAt, now)} old${tries}`,
    ),
    ...lines.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(13)}${printable(text)}`])),
    ...(message ? [`  ${printable(message)}`] : []),
    `  ${printable(content)}`,
  ].join('\n');
}

/** The event's data, as far as they may be shown. */
function contentOf({ detail, bytes }: ShownDeadLetter): string {
  return detail
    ? JSON.stringify(detail.data)
    : `${counted(bytes, 'byte', 'bytes')} that satisfy no contract (--reveal shows them)`;
}

function sentenceOf(stopped: StoppedState | { problem: string }): string {
  if ('problem' in stopped) return `it is not known at which state it stopped: ${stopped.problem}`;
  return `it stopped at ${stopped.state}${stopped.error === undefined ? '' : ` with ${stopped.error}`}`;
}

/** Everything of a letter but its receipt handle, which is of no use any more. */
function revealedLetter({ receiptHandle: _, ...letter }: DeadLetter): object {
  return letter;
}
