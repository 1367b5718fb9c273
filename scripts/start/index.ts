import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { explain, runCommand } from '@millrace/command-line';
import { FolderError, formatFunctionLog, PortTakenError, type Runtime, startRuntime } from '@millrace/local';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { greetingOf } from './greeting.ts';
import { HELP, readOptions, type StartOptions } from './options.ts';
import { onProcessEnd } from './process-end.ts';

/** How long the first containers are waited for, in ms: after that they get ready while the first order comes in. */
const WARM_WITHIN_MS = 3_000;

const root = dirname(dirname(import.meta.dirname));
const startedAt = performance.now();

let runtime: Runtime | undefined;

const shutDown = onProcessEnd(stopAndExit);

/** Before the runtime has started there is nothing to wait for: what a start leaves behind goes with the process. */
async function stopAndExit(exitCode: number): Promise<void> {
  if (exitCode === 0) console.log('\nStopping');
  try {
    await runtime?.stop();
  } catch (error) {
    console.error(`Could not stop cleanly: ${(error as Error).message}`);
    process.exit(1);
  }
  process.exit(exitCode);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    console.error(error);
    shutDown(1);
  });
}

function explainStartError(error: unknown, apiPort: number): string {
  if (error instanceof FolderError) return `${error.message}: choose another with --${error.purpose}-dir`;
  if (!(error instanceof PortTakenError)) return explain(error);
  const flag = error.port === apiPort ? '--api-port' : '--aws-port';
  return `${error.message}: choose another with ${flag}, e.g. npm start -- ${flag} 0`;
}

async function start(options: StartOptions): Promise<void> {
  const { shuffle } = options;
  if (shuffle) {
    const again = `--shuffle --seed ${shuffle.seed}`;
    console.log(
      `Standard queues reorder and duplicate messages. To have the same choices again: npm start -- ${again}`,
    );
  }
  if (options.shared) {
    console.log(
      'The functions of a service share a thread: without memory limits, with common globals, and code that has timed out goes on.',
    );
  }
  try {
    runtime = await startRuntime({
      services: [...serviceDirectories(root), ...options.service.map((directory) => resolve(directory))],
      stage: options.stage,
      apiPort: options.apiPort,
      awsPort: options.awsPort,
      dataDirectory: options['data-dir'],
      cacheDirectory: options['cache-dir'],
      dynamodbEndpoint: options.dynamodbEndpoint,
      allowedHosts: options['allow-host'],
      faults: options.faults,
      alarmPeriod: options.alarmPeriod,
      shuffle,
      sharedThreads: options.shared,
      coldFunctions: options.cold,
      onProgress: (line) => console.log(`${line} …`),
      onWarning: (line) => console.warn(`warning: ${line}`),
      onFunctionLog: (line) => {
        const shown = formatFunctionLog(line, { verbose: options.verbose, raw: options.raw, root });
        if (shown !== undefined) console.log(shown);
      },
      onAlarm: ({ state, name, description, reason }) => {
        const meaning = state === 'ALARM' ? `: ${description}` : '';
        console.log(`${state.padEnd(6)} ${name}${meaning} (${reason})`);
      },
    });
  } catch (error) {
    console.error(`Cannot start: ${explainStartError(error, options.apiPort)}`);
    process.exit(1);
  }
  await Promise.race([runtime.warm, delay(WARM_WITHIN_MS, undefined, { ref: false })]);
  console.log(await greetingOf(runtime, (performance.now() - startedAt) / 1000));
  if (options.readyFile !== undefined) {
    const { apiUrl, awsUrl, issuerUrl } = runtime;
    await writeReadyFile(options.readyFile, { apiUrl, awsUrl, issuerUrl, pid: process.pid });
  }
}

/** Writes a file beside it and renames it: a program that waits for the file never reads half of it. */
async function writeReadyFile(path: string, content: object): Promise<void> {
  await writeFile(`${path}.draft`, JSON.stringify(content));
  await rename(`${path}.draft`, path);
}

/** Runs the command; its exit code becomes that of the process. */
export const runStart = () =>
  runCommand('start', async () => {
    const options = readOptions();
    if (options.help) {
      process.stdout.write(HELP);
      return 0;
    }
    // Of an earlier start: a program that waits for the file would take it for this one's.
    if (options.readyFile !== undefined) await rm(options.readyFile, { force: true });
    try {
      await start(options);
    } catch (error) {
      // A runtime that was not announced must not go on.
      console.error(explain(error));
      shutDown(1);
    }
    return 0;
  });
