import { availableParallelism } from 'node:os';
import type { Stack } from '@millrace/cloudformation';
import type { Clock } from '../../core/clock.ts';
import type { Host } from '../../core/service.ts';
import { createFunction } from './create-function.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';
import { notFound } from './lambda-errors.ts';
import type { LocalFunction, LocalFunctionOptions, VersionConfiguration } from './local-function.ts';
import { ownThread, sharedThreads } from './threads.ts';

/** A function that was named, and the version or alias that was. */
export interface NamedFunction {
  found: LocalFunction;
  qualifier: string | undefined;
}

/** The functions of all stacks. */
export class Functions {
  readonly byName: ReadonlyMap<string, LocalFunction>;
  readonly #onWarning: (line: string) => void;
  readonly #clock: Clock;

  /** @throws TemplateError for a function without a bundle, or a setting that Lambda would refuse */
  constructor(stacks: readonly Stack[], host: Host, runDurable: LocalFunctionOptions['runDurable']) {
    this.#onWarning = host.warn;
    this.#clock = host.clock;
    const functions = new Map<string, LocalFunction>();
    const openThread = host.options.sharedThreads ? sharedThreads() : ownThread;
    for (const stack of stacks) {
      for (const { logicalId, name } of stack.resourcesOfType('AWS::Lambda::Function')) {
        functions.set(name, createFunction(stack, logicalId, name, host, { runDurable, openThread }));
      }
    }
    this.byName = functions;
  }

  /**
   * A function by its name or ARN, and the qualifier that these have.
   * @throws AwsError ResourceNotFoundException when there is no such function, version or alias
   */
  get(nameOrArn: string): NamedFunction {
    const { name, qualifier } = parseFunctionIdentifier(nameOrArn);
    const found = this.byName.get(name);
    if (!found) throw notFound(`Function not found: ${nameOrArn}`);
    found.version(qualifier);
    return { found, qualifier };
  }

  /** As `get`; undefined when there is no such function, version or alias. */
  find(nameOrArn: string): NamedFunction | undefined {
    try {
      return this.get(nameOrArn);
    } catch {
      return undefined;
    }
  }

  /** Changes the configuration of `$LATEST`. */
  update(found: LocalFunction, changes: Partial<VersionConfiguration>): void {
    found.update(changes, this.#clock.now());
  }

  /** Starts a container of every function, as many at a time as there are cores, and warns of those that cannot start. */
  async warm(): Promise<void> {
    const waiting = [...this.byName.values()].map(({ latest }) => latest);
    const worker = async (): Promise<void> => {
      for (let pool = waiting.shift(); pool; pool = waiting.shift()) {
        const error = await pool.warm();
        if (error) this.#onWarning(`${pool.definition.name} cannot start: ${error.errorType}: ${error.errorMessage}`);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  }

  /** Ends every container at once. */
  async stop(): Promise<void> {
    await Promise.all([...this.byName.values()].map((found) => found.stop()));
  }
}
