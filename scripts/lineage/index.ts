import {
  interruptible,
  jsonText,
  readArguments,
  readEndpoint,
  readStage,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import type { Lineage } from '@millrace/lineage';
import { identifierPattern } from '@millrace/lineage/log-identifier';
import type { FollowedLineage, Whereabouts } from '@millrace/lineage/operations';
import { findWorkspaceRoot, readCatalogue, serviceDirectories } from '@millrace/workspace/catalogue';

const HELP = `What an API call led to, event by event, and where it stopped and why.

Usage: npm run lineage -- <id> [options]

The id is an event's, or that of what events are about (an order), or a correlation id (the answer's X-Correlation-Id).

  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --json                 as JSON, with what became of every event at every consumer
  --help                 show this

Each event is followed by the milliseconds since the event that caused it. Below the last events you see what became of them:

  ✓ <consumer>: handled      proved by the mark that the consumer left with its effect, or by an event that it emitted
  ✗ <consumer>: dead         in this dead-letter queue, for this reason
  ? <consumer>: maybe        its queue is not empty, and cannot be looked into without taking the messages
  ? <consumer>: no trace     none of these: it is on its way, or its rule was disabled, or its letter was purged

Consumers whose filter leaves an event out are not listed. Executions of a checkout that have stopped are listed below the tree.

It reads the tables of services/event-log and of the consumers' services, and looks at dead letters as npm run redrive --
inspect does: they stay. It cannot see what a consumer has stored and its relay has not emitted yet.

Exit codes: 0 each of its events was handled by all their consumers; 1 otherwise, or nothing was found, or it failed;
2 misused; 130 interrupted.`;

/** Runs the command. The tree goes to standard output, everything else to standard error. */
export const runLineage = () =>
  runCommand('lineage', async () => {
    const { values, positionals } = readArguments({
      options: {
        stage: { type: 'string', default: 'dev' },
        endpoint: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [id, ...others] = positionals;
    if (id === undefined || others.length > 0) throw new UsageError('lineage wants one <id>');
    if (!identifierPattern.test(id)) {
      throw new UsageError('<id> must be 1–128 letters, digits, dots, colons, dashes and underscores');
    }
    const stage = readStage(values.stage);
    const endpoint = readEndpoint(values.endpoint);
    const stop = interruptible(() => console.error('\nStopping: what was looked at is given back …'));

    // Loaded when it is clear what is wanted: help and misuse would otherwise wait for the AWS SDK.
    const { openStage } = await import('@millrace/dead-letters/operations');
    const { askEventLog, drawLineage, findLineage, followLineage, openMarks } = await import(
      '@millrace/lineage/operations'
    );
    const { loadProjections } = await import('@millrace/projections/load-projections');
    const { sqs, now, queues } = await openStage(stage, endpoint, console.error);
    const lineage = await askEventLog(stage, endpoint, (log) => findLineage(log, id));
    if (!lineage) {
      console.error(
        `The log of stage ${stage} has no event with the id, subject or correlation ${id}, or no longer. ` +
          'What could not be emitted or logged stands in a dead-letter queue: npm run redrive -- list',
      );
      return 1;
    }
    const root = findWorkspaceRoot(import.meta.dirname);
    const catalogue = await readCatalogue(root);
    const marks = openMarks(stage, endpoint, await loadProjections(serviceDirectories(root)));
    const readEvent = (event: string) => askEventLog(stage, endpoint, (log) => log.find(event));
    const look = { marks, readEvent, startedAt: now(), signal: stop.signal };
    const followed = await followLineage(sqs, queues, lineage, catalogue, look);
    if (stop.signal.aborted) return 130;

    const { whereabouts, ...rest } = followed;
    if (values.json) {
      console.log(jsonText({ stage, ...lineage, consumers: Object.fromEntries(whereabouts), ...rest }, 2));
    } else {
      console.log(drawLineage(lineage, followed));
    }
    if (lineage.truncated) console.error(`Only the first ${lineage.count} events are shown`);
    for (const { queue, deadLetters } of rest.unseen) {
      console.error(
        `${deadLetters} letter(s) of ${queue} could not be looked at: somebody holds them, try again in a minute`,
      );
    }
    for (const { queue, deadLetters } of rest.silentRelays) {
      console.error(
        `${deadLetters} letter(s) in ${queue} do not say which events were not emitted: npm run redrive -- inspect ${queue}`,
      );
    }
    return printVerdict(lineage, followed);
  });

/** @returns the exit code: 0 only when each event was handled, and nothing may be missing */
function printVerdict(
  { count, truncated }: Lineage,
  { whereabouts, strays, unseen, silentRelays, stoppedExecutions }: FollowedLineage,
): number {
  const all = [...whereabouts.values()].flat();
  const at = (...states: Whereabouts['state'][]) => [
    ...new Set(all.filter(({ state }) => states.includes(state)).map(({ consumer }) => consumer)),
  ];
  const dead = [...strays, ...stoppedExecutions].map(({ queue }) => queue);
  const stopped = [...new Set([...at('dead'), ...dead])];
  const waiting = at('waiting');
  const lost = at('no-trace', 'absent');
  if (stopped.length > 0) console.error(`It stopped at ${stopped.join(', ')}`);
  if (waiting.length > 0) console.error(`It may be waiting for ${waiting.join(', ')}`);
  if (lost.length > 0) console.error(`No trace at ${lost.join(', ')}: it is lost there, or still on its way`);
  if (stopped.length + waiting.length + lost.length > 0) return 1;
  console.error(`${count} event(s), handled by all their consumers`);
  return truncated || unseen.length > 0 || silentRelays.length > 0 ? 1 : 0;
}
