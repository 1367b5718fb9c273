import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';

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
  /** The local runtime's process, when it was started here. */
  pid?: number;
  /** All that the local runtime has printed, when it was started here. */
  output?: () => string;
  stop(): Promise<void>;
}

/** Where the local runtime shows the messages it has captured. */
const messagesOf = (awsUrl: string) => `${awsUrl}/_local/messages`;

/** What the local runtime has not allowed functions and rules to do. */
async function refusalsOf(awsUrl: string): Promise<{ caller: string; action: string; message: string }[]> {
  const response = await fetch(`${awsUrl}/_local/refusals`);
  return ((await response.json()) as { refusals: [] }).refusals;
}

/** The local runtime's own issuer of tokens. */
const issuerOf = (awsUrl: string) => `${awsUrl}/_local/issuer`;

/**
 * The system under test: the one that MILLRACE_API_URL and MILLRACE_AWS_URL name, with MILLRACE_MESSAGES_URL and
 * MILLRACE_ISSUER_URL where it is no local runtime, or else a local runtime started for this suite on free ports and
 * stopped by `stop()`.
 * @param services folders of further services to run beside the shop's, relative to the repository.
 * @param options `verbose`: a runtime started here prints every line that functions log. `mayBeRefused`: what functions and
 *   rules try in the suite without being allowed to, as `<function or ARN of the rule> <action>`; anything else that a runtime
 *   started here refuses makes `stop()` fail.
 */
export async function startSystem(
  services: string[] = [],
  { verbose = false, mayBeRefused = [] as readonly string[] } = {},
): Promise<System> {
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

  const root = join(import.meta.dirname, '..', '..');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const readyFile = join(folder, 'ready.json');
  const child = spawn(
    process.execPath,
    [
      join(root, 'scripts', 'start.ts'),
      ...['--api-port', '0', '--aws-port', '0', '--ready-file', readyFile],
      ...(verbose ? ['--verbose'] : []),
      ...services.flatMap((service) => ['--service', join(root, service)]),
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ready = await eventually(
      () => {
        if (child.exitCode !== null) return undefined;
        return JSON.parse(readFileSync(readyFile, 'utf8')) as { apiUrl: string; awsUrl: string; pid: number };
      },
      { deadlineMs: 60_000, intervalMs: 50 },
    );
    if (!ready) throw new Error('The runtime ended while it was starting');
    const urls = { messagesUrl: messagesOf(ready.awsUrl), issuerUrl: issuerOf(ready.awsUrl) };
    const checkAndStop = async () => {
      const refused = await refusalsOf(ready.awsUrl).finally(stop);
      const unexpected = refused.filter(({ caller, action }) => !mayBeRefused.includes(`${caller} ${action}`));
      if (unexpected.length > 0) throw new Error(`Refused: ${unexpected.map(({ message }) => message).join('; ')}`);
    };
    return { ...ready, ...urls, output: () => output, stop: checkAndStop };
  } catch (error) {
    await stop();
    throw new Error(`The runtime did not start:\n${output}`, { cause: error });
  }
}
