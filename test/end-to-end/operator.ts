import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { System } from './system.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a command printed, and how it ended. */
export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A dead letter as `inspect --json` prints it. */
export interface InspectedLetter {
  messageId: string;
  origin: string;
  reason: { code: string; kind: string; attempts?: number; correlationId?: string; consumer?: string; message: string };
  attributes: Record<string, string>;
  body: string;
  event?: { id: string; detailType: string };
}

/** Whoever is on call: the repository's command lines, pointed at the system under test. */
export class Operator {
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  /** Runs `npm run redrive -- …`. */
  redrive(...args: string[]): Promise<CommandResult> {
    return this.#finish(this.start('redrive', ...args));
  }

  /** Runs `npm run replay -- …`. */
  replay(...args: string[]): Promise<CommandResult> {
    return this.#finish(this.start('replay', ...args));
  }

  /** Starts a command without waiting for its end. */
  start(script: 'redrive' | 'replay', ...args: string[]): ChildProcess {
    const file = join(root, 'scripts', `${script}.ts`);
    return spawn(process.execPath, [file, ...args, '--endpoint', this.#system.awsUrl], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** The letters of a queue, with filters. */
  async inspect(queue: string, ...filters: string[]): Promise<InspectedLetter[]> {
    const { code, stdout, stderr } = await this.redrive('inspect', queue, '--json', ...filters);
    if (code !== 0) throw new Error(`inspect ${queue} ended with ${code}: ${stderr}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async #finish(child: ChildProcess): Promise<CommandResult> {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('close', (...end) => resolve(end));
    });
    return { code, signal, stdout, stderr };
  }
}
