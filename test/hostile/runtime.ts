import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';

/** What the runtime has seen since its start. */
export interface Report {
  /** Sums of the functions' metrics, by function and name. */
  metrics: Record<string, Record<string, number>>;
  warnings: string[];
  /** Alarms that went off, as often as they did. */
  alarms: string[];
  /** Functions whose log has personal data of a partner's order, with the line. */
  leaks: string[];
}

interface Urls {
  apiUrl: string;
  awsUrl: string;
  issuerUrl: string;
}

/** What the runtime's process tells. */
export type FromRuntime = { ready: Urls } | { report: Report };

/** A runtime in a process of its own. */
export interface RuntimeProcess extends Urls {
  report: () => Promise<Report>;
  /** Resident, in MiB. */
  memory: () => number;
  /** How the process ended, once it has. */
  ended: () => string | undefined;
  stop: () => Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/** Starts the services on free ports. @throws Error with what the process wrote, when it does not get ready */
export async function startRuntimeProcess(): Promise<RuntimeProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'runtime-process.ts')], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  let end: string | undefined;
  child.once('exit', (code, signal) => {
    end = `the runtime ended (${signal ?? `exit code ${code}`}):\n${output}`;
  });
  const ended = () => end;
  const stop = async () => {
    if (end !== undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  const received: { urls?: Urls } = {};
  const waiting: PromiseWithResolvers<Report>[] = [];
  child.once('exit', () => {
    for (const { reject } of waiting) reject(new Error(end));
  });
  child.on('message', (message: FromRuntime) => {
    if ('ready' in message) received.urls = message.ready;
    else waiting.shift()?.resolve(message.report);
  });
  try {
    const urls = await eventually(
      () => {
        if (received.urls) return received.urls;
        if (end === undefined) throw new Error('The runtime is not ready');
        return undefined;
      },
      { deadlineMs: READY_WITHIN_MS, intervalMs: 50 },
    );
    if (!urls) throw new Error(end);
    return {
      ...urls,
      report: () => {
        if (end !== undefined) return Promise.reject(new Error(end));
        const answer = Promise.withResolvers<Report>();
        waiting.push(answer);
        child.send('report');
        return answer.promise;
      },
      memory: () => memoryOf(child.pid ?? 0),
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`The runtime did not start: ${output}`, { cause: error });
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
function memoryOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // It has ended.
  }
}
