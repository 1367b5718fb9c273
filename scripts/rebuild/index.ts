import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  interruptible,
  Progress,
  readArguments,
  readEndpoint,
  readNumber,
  readStage,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import { EmittedEvents } from '@millrace/event-store';
import { ProjectionTable, type RebuildSummary, rebuild } from '@millrace/projections';
import { loadProjections } from '@millrace/projections/load-projections';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/workspace/catalogue';

const HELP = `Builds a read model anew from the event store, beside the one that is read, and then puts it in its place. A rebuild
that was interrupted or killed goes on where it was when it is started again.

Usage: npm run rebuild -- <projection> [options]

  --restart              do not go on with an unfinished rebuild: the projection has changed since
  --segments <n>         parts of the event store that are read side by side, 1 to 32 (4; 1 with --endpoint)
  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                 show this

Exit codes: 0 the new version is read, and the old one is gone; 1 failed, or another rebuild is under way; 2 misused;
130 interrupted.`;

const MAX_SEGMENTS = 32;

function readOptions() {
  return readArguments({
    options: {
      restart: { type: 'boolean', default: false },
      segments: { type: 'string' },
      stage: { type: 'string', default: 'dev' },
      endpoint: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const segments = readNumber('segments', values.segments, { minimum: 1, whole: true });
  if (segments !== undefined && segments > MAX_SEGMENTS) {
    throw new UsageError(`--segments must be at most ${MAX_SEGMENTS}, not ${segments}`);
  }
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  const [name, ...others] = positionals;
  const known = await loadProjections(serviceDirectories(findWorkspaceRoot(import.meta.dirname)));
  const chosen = known.find(({ projection }) => projection.name === name);
  if (!chosen || others.length > 0) {
    throw new UsageError(`Name one projection: ${known.map(({ projection }) => projection.name).join(', ')}`);
  }

  const { service, projection } = chosen;
  // A read model may be another service's than the events that it is made of.
  const [owner = service, ...otherOwners] = new Set(projection.events.map((contract) => contract.service));
  if (otherOwners.length > 0) {
    throw new UsageError(`${projection.name} is made of events of several services; no event store has them all`);
  }
  const eventTable = `millrace-${owner}-${stage}`;
  const { clientConfiguration, createClients, describeTarget, operatorDocumentClient } = await import(
    '@millrace/dead-letters/operations'
  );
  const client = operatorDocumentClient(endpoint);
  console.error(`Asking ${await describeTarget(stage, endpoint, { clients: createClients(endpoint) })}`);
  // At AWS it is up to six hours old: enough for a bar.
  const { Table } = await new DynamoDBClient(clientConfiguration(endpoint)).send(
    new DescribeTableCommand({ TableName: eventTable }),
  );
  const total = Math.max(1, Table?.ItemCount ?? 1);
  const stop = interruptible(() => console.error('\nStopping: what is under way is finished …'));
  const progress = new Progress(process.stderr, 'rebuild');
  const begun = performance.now();
  let live: number | undefined;
  const summary = await rebuild({
    emitted: new EmittedEvents(client, eventTable),
    table: new ProjectionTable(client, `millrace-${service}-${stage}-projections`),
    projection,
    // The local DynamoDB looks at its whole table for every page of a segment.
    segments: segments ?? (endpoint === undefined ? 4 : 1),
    restart: values.restart,
    signal: stop.signal,
    onWatch: () => console.error('Another rebuild may be under way: looking for a sign of life for ten seconds …'),
    onLive: () => {
      live = performance.now();
    },
    onProgress: ({ scanned, events }) => {
      progress.update(
        scanned / total,
        `${events.toLocaleString('en')} events, ${perSecond(events, performance.now() - begun)}`,
      );
    },
  });
  progress.end();
  stop.dispose();
  const ended = performance.now();
  const built = live ?? ended;
  return printSummary(projection.name, summary, built - begun, ended - built);
}

/** @param building for how long it was built until it was read, @param deleting and then others deleted, both in ms */
function printSummary(name: string, summary: RebuildSummary, building: number, deleting: number): number {
  const { outcome, live, resumed, events, deleted } = summary;
  if (resumed) console.log('Went on with an unfinished rebuild');
  console.log(`${events.toLocaleString('en')} events in ${seconds(building)}, ${perSecond(events, building)}`);
  if (outcome === 'interrupted') {
    console.log(`Version ${live} of ${name} is still read; the same command goes on with the new one`);
    return 130;
  }
  console.log(
    `Version ${live} of ${name} is read; ${deleted.toLocaleString('en')} items of others were deleted in ${seconds(deleting)}`,
  );
  return 0;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function perSecond(events: number, ms: number): string {
  return `${Math.round((events * 1_000) / ms).toLocaleString('en')}/s`;
}

/** Runs the command; its exit code becomes that of the process. */
export const runRebuild = () => runCommand('rebuild', main);
