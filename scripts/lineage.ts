/**
 * `npm run lineage`: what an API call led to, and where it stopped. `npm run lineage -- --help` lists the options. The
 * tree goes to standard output, everything else to standard error.
 */
import {
  interruptible,
  jsonText,
  readArguments,
  readEndpoint,
  readStage,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import { findWorkspaceRoot, readCatalogue } from '@millrace/events/catalogue';
import { identifierPattern } from '@millrace/lineage/log-identifier';

const HELP = `What an API call led to, event by event, and where it stopped and why.

Usage: npm run lineage -- <id> [options]

The id is an event's, or that of what events are about (an order), or a correlation id (the answer's X-Correlation-Id).

  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --json                 as JSON, with what became of every event at every consumer
  --help                 show this

Behind an event stand the milliseconds since the one that caused it, and below the last ones what became of them:

  ✗ <consumer>: dead         in this dead-letter queue, for this reason
  ? <consumer>: maybe        its queue is not empty, and cannot be looked into without taking the messages
  ✓ <consumer>: finished     neither of both

It reads the table of services/event-log, and looks at dead letters as npm run redrive -- inspect does: they stay.

Exit codes: 0 nothing of it is dead, 1 something is, or nothing was found, or it failed, 2 misused, 130 interrupted.`;

await runCommand('lineage', async () => {
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
  const { askEventLog, drawLineage, findLineage, followLineage } = await import('@millrace/lineage/operations');
  const { sqs, now, queues } = await openStage(stage, endpoint, console.error);
  const lineage = await askEventLog(stage, endpoint, (log) => findLineage(log, id));
  if (!lineage) {
    console.error(
      `The log of stage ${stage} has no event with the id, subject or correlation ${id}, or no longer. ` +
        'What could not be emitted or logged stands in a dead-letter queue: npm run redrive -- list',
    );
    return 1;
  }
  const catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  const followed = await followLineage(sqs, queues, lineage, catalogue, { startedAt: now(), signal: stop.signal });
  if (stop.signal.aborted) return 130;

  const { whereabouts, ...rest } = followed;
  if (values.json) {
    console.log(jsonText({ stage, ...lineage, consumers: Object.fromEntries(whereabouts), ...rest }, 2));
  } else {
    console.log(drawLineage(lineage, followed));
  }
  if (lineage.truncated) console.error(`Only the first ${lineage.count} events are shown`);
  for (const { queue, letters } of rest.unseen) {
    console.error(
      `${letters} letter(s) of ${queue} could not be looked at: somebody holds them, try again in a minute`,
    );
  }
  for (const { queue, letters } of rest.silentRelays) {
    console.error(`${letters} letter(s) in ${queue}: events of this service were not emitted, and are not in the log`);
  }
  const dead = [...whereabouts.values()].flat().filter(({ state }) => state === 'dead');
  const stopped = [...new Set([...dead.map(({ consumer }) => consumer), ...rest.strays.map(({ queue }) => queue)])];
  console.error(
    stopped.length > 0 ? `It stopped at ${stopped.join(', ')}` : `${lineage.count} event(s), none of which is dead`,
  );
  return stopped.length > 0 ? 1 : 0;
});
