import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';

/** A running Millrace: nothing but its endpoints. */
export interface System {
  /** The shop's HTTP API. */
  apiUrl: string;
  /** The AWS APIs. */
  awsUrl: string;
  /** The e-mails and SMS that were sent, as JSON: `?to=<recipient>`. */
  messagesUrl: string;
  /** Whom tokens for the HTTP API are to be had from, see `requestToken`. */
  issuerUrl: string;
  /** The local runtime's process, when it is one of ours. */
  pid?: number;
  /** All that the local runtime has printed since `startSystem`, when it is one of ours. */
  output?: () => string;
  stop(): Promise<void>;
}

/** A local runtime of this process: the suites of a Jest worker take turns with it. */
interface Runtime {
  apiUrl: string;
  awsUrl: string;
  pid: number;
}

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.millrace', 'end-to-end');
/** Of the runtime that the suites of this process share. */
const readyFile = join(folder, `${process.pid}.json`);
const logFile = join(folder, `${process.pid}.log`);

/** Where the local runtime shows the messages it has captured. */
const messagesOf = (awsUrl: string) => `${awsUrl}/_local/messages`;

/** What the local runtime has not allowed functions and rules to do since it was started. */
async function refusalsOf(awsUrl: string): Promise<{ caller: string; action: string; message: string }[]> {
  const response = await fetch(`${awsUrl}/_local/refusals`);
  return ((await response.json()) as { refusals: [] }).refusals;
}

/** The local runtime's own issuer of tokens. */
const issuerOf = (awsUrl: string) => `${awsUrl}/_local/issuer`;

/**
 * The system under test, with the services of the shop and the probe of test/fixtures: the one that MILLRACE_API_URL and
 * MILLRACE_AWS_URL name, with MILLRACE_MESSAGES_URL and MILLRACE_ISSUER_URL where it is no local runtime, or else a local
 * runtime on free ports. That one outlives the suite and ends with this process: to start it and to warm it up takes
 * longer than most suites do. Suites must therefore bear with orders of others, and leave nothing behind that disturbs
 * them; they begin with empty queues.
 * @param options `mayBeRefused`: what functions and rules try in the suite without being allowed to, as `<function or ARN of
 *   the rule> <action>`; anything else that the local runtime refuses makes `stop()` fail. `shuffle`: standard queues of the local
 *   runtime reorder and duplicate messages, as they may at AWS; what is measured does without.
 */
export async function startSystem({ mayBeRefused = [] as readonly string[], shuffle = true } = {}): Promise<System> {
  const {
    MILLRACE_API_URL: apiUrl,
    MILLRACE_AWS_URL: awsUrl,
    MILLRACE_MESSAGES_URL,
    MILLRACE_ISSUER_URL,
  } = process.env;
  if (apiUrl && awsUrl) {
    const messagesUrl = MILLRACE_MESSAGES_URL ?? messagesOf(awsUrl);
    const issuerUrl = MILLRACE_ISSUER_URL ?? issuerOf(awsUrl);
    return { apiUrl, awsUrl, messagesUrl, issuerUrl, stop: async () => {} };
  }

  const runtime = runningRuntime() ?? (await startRuntime(shuffle));
  await new Aws(runtime).reset();
  const logStart = statSync(logFile).size;
  const refusedBefore = (await refusalsOf(runtime.awsUrl)).length;
  return {
    ...runtime,
    messagesUrl: messagesOf(runtime.awsUrl),
    issuerUrl: issuerOf(runtime.awsUrl),
    output: () => readFileSync(logFile).toString('utf8', logStart),
    stop: async () => {
      const refused = (await refusalsOf(runtime.awsUrl)).slice(refusedBefore);
      const unexpected = refused.filter(({ caller, action }) => !mayBeRefused.includes(`${caller} ${action}`));
      if (unexpected.length > 0) throw new Error(`Refused: ${unexpected.map(({ message }) => message).join('; ')}`);
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The one that an earlier suite has started. */
function runningRuntime(): Runtime | undefined {
  try {
    const runtime: Runtime = JSON.parse(readFileSync(readyFile, 'utf8'));
    return isRunning(runtime.pid) ? runtime : undefined;
  } catch {
    return undefined;
  }
}

async function startRuntime(shuffle: boolean): Promise<Runtime> {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    // Of runs that are over.
    if (!isRunning(Number.parseInt(file, 10))) rmSync(join(folder, file), { force: true });
  }
  const log = openSync(logFile, 'w');
  const child = fork(
    join(root, 'scripts', 'start.ts'),
    [
      // Cold: each of these runtimes uses a part of the functions.
      ...['--api-port', '0', '--aws-port', '0', '--ready-file', readyFile, '--verbose', '--cold'],
      ...(shuffle ? ['--shuffle'] : []),
      ...['--service', join(root, 'test', 'fixtures', 'probe')],
    ],
    // By the channel it learns that this process has ended.
    { cwd: root, stdio: ['ignore', log, log, 'ipc'], execArgv: [] },
  );
  closeSync(log);
  child.unref();
  child.channel?.unref();
  try {
    return await eventually(
      () => {
        if (child.exitCode !== null) throw new Error('The runtime ended while it was starting');
        return JSON.parse(readFileSync(readyFile, 'utf8')) as Runtime;
      },
      { deadlineMs: 90_000, intervalMs: 50 },
    );
  } catch (error) {
    child.kill('SIGTERM');
    throw new Error(`The runtime did not start:\n${readFileSync(logFile, 'utf8')}`, { cause: error });
  }
}
