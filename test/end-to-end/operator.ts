import { type RunningScript, runScript, type ScriptResult, startScript } from '../run-script.ts';
import type { System } from './system.ts';

/** A dead letter as `inspect --json --reveal` prints it. */
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
  readonly #endpoint: readonly string[];

  constructor({ awsUrl }: System) {
    this.#endpoint = ['--endpoint', awsUrl];
  }

  /** Runs `npm run redrive -- …`. */
  redrive(...args: string[]): Promise<ScriptResult> {
    return runScript('redrive', ...args, ...this.#endpoint);
  }

  /** Starts `npm run redrive -- …` without waiting for its end. */
  startRedrive(...args: string[]): RunningScript {
    return startScript('redrive', [...args, ...this.#endpoint]);
  }

  /** Runs `npm run replay -- …`. */
  replay(...args: string[]): Promise<ScriptResult> {
    return runScript('replay', ...args, ...this.#endpoint);
  }

  /** Runs `npm run lineage -- …`. */
  lineage(...args: string[]): Promise<ScriptResult> {
    return runScript('lineage', ...args, ...this.#endpoint);
  }

  /** The letters of a queue, with filters. */
  async inspect(queue: string, ...filters: string[]): Promise<InspectedLetter[]> {
    const { exitCode, stdout, stderr } = await this.redrive('inspect', queue, '--json', '--reveal', ...filters);
    if (exitCode !== 0) throw new Error(`inspect ${queue} ended with ${exitCode}: ${stderr}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}
