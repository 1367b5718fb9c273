import { randomUUID } from 'node:crypto';
import type { FunctionDefinition } from './function-definition.ts';
import { LATEST } from './function-identifier.ts';
import type { FunctionPool, InvocationResult, InvokeOptions } from './function-pool.ts';
import { invalidParameter, notFound, tooManyRequests } from './lambda-errors.ts';

/** The configuration of one version, with what does not decide how it runs. */
export interface VersionConfiguration extends FunctionDefinition {
  role: string;
  description: string;
  deadLetterQueue: string | undefined;
  /** Milliseconds since the epoch. */
  lastModified: number;
  revisionId: string;
}

/** An alias, as the API has it. */
export interface Alias {
  Name: string;
  FunctionVersion: string;
  Description: string;
  RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
  RevisionId: string;
}

interface Version {
  configuration: VersionConfiguration;
  pool: FunctionPool;
}

export interface LocalFunctionOptions {
  createPool: (configuration: VersionConfiguration) => FunctionPool;
  /** A call was refused, because as many as are reserved were running. */
  onThrottle: () => void;
  /** Starts an execution of a durable function, and waits for its end. */
  runDurable: (
    found: LocalFunction,
    payload: string,
    options: InvokeOptions & { qualifier: string | undefined },
  ) => Promise<InvocationResult & { executedVersion: string }>;
}

/** A function with its versions and aliases. */
export class LocalFunction {
  readonly name: string;
  /** Without a qualifier. */
  readonly arn: string;
  readonly aliases = new Map<string, Alias>();
  readonly tags = new Map<string, string>();
  /** At most so many calls at once, of all versions; undefined for as many as the machine has containers. */
  reservedConcurrency: number | undefined;
  readonly #options: LocalFunctionOptions;
  /** `$LATEST` first. */
  readonly #versions = new Map<string, Version>();
  /** Pools of configurations that were replaced, until their calls have ended. */
  readonly #retiring = new Set<Promise<void>>();
  #running = 0;

  constructor(configuration: VersionConfiguration, options: LocalFunctionOptions) {
    this.name = configuration.name;
    this.arn = configuration.arn;
    this.#options = options;
    this.#versions.set(LATEST, { configuration, pool: options.createPool(configuration) });
  }

  /** The pool of the version that can be changed. */
  get latest(): FunctionPool {
    return this.version(undefined).pool;
  }

  /** `$LATEST`, then the published ones in order. */
  versions(): readonly VersionConfiguration[] {
    const numberOf = ({ version }: VersionConfiguration): number => (version === LATEST ? 0 : Number(version));
    const all = [...this.#versions.values()].map(({ configuration }) => configuration);
    return all.sort((one, other) => numberOf(one) - numberOf(other));
  }

  /**
   * Finds the version of a qualifier: a version, or the one that an alias leads to; `$LATEST` without a qualifier.
   * @throws AwsError ResourceNotFoundException
   */
  version(qualifier: string | undefined): Version {
    const alias = this.aliases.get(qualifier ?? LATEST);
    const found = this.#versions.get(alias?.FunctionVersion ?? qualifier ?? LATEST);
    if (!found) throw notFound(`Function not found: ${this.arn}:${qualifier}`);
    return found;
  }

  /** With a qualifier, the ARN has one. */
  arnOf(qualifier: string | undefined): string {
    return qualifier === undefined ? this.arn : `${this.arn}:${qualifier}`;
  }

  /** The version that a call is for. */
  route(qualifier: string | undefined): VersionConfiguration {
    return this.#route(qualifier).configuration;
  }

  /**
   * Calls the function and waits for its answer. Of a durable function, that is the end of an execution.
   * @throws AwsError ResourceNotFoundException, RequestTooLargeException, TooManyRequestsException, and for a durable function
   *   InvalidParameterValueException, DurableExecutionAlreadyStartedException
   */
  async invoke(
    payload: string,
    { qualifier, ...options }: InvokeOptions & { qualifier?: string | undefined } = {},
  ): Promise<InvocationResult & { executedVersion: string }> {
    const version = this.#route(qualifier);
    if (version.configuration.durable) return this.#options.runDurable(this, payload, { ...options, qualifier });
    refuseExecutionName(options);
    return this.#call(version, payload, { ...options, invokedArn: this.arnOf(qualifier) });
  }

  /**
   * Calls one version, once.
   * @throws AwsError ResourceNotFoundException, RequestTooLargeException, TooManyRequestsException
   */
  invokeVersion(
    version: string,
    payload: string,
    options: InvokeOptions,
  ): Promise<InvocationResult & { executedVersion: string }> {
    return this.#call(this.version(version), payload, { ...options, invokedArn: this.arnOf(version) });
  }

  async #call(
    { configuration, pool }: Version,
    payload: string,
    options: InvokeOptions,
  ): Promise<InvocationResult & { executedVersion: string }> {
    if (this.reservedConcurrency !== undefined && this.#running >= this.reservedConcurrency) {
      this.#options.onThrottle();
      throw tooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded');
    }
    this.#running += 1;
    try {
      const result = await pool.invoke(payload, options);
      return { ...result, executedVersion: configuration.version };
    } finally {
      this.#running -= 1;
    }
  }

  /** Replaces the configuration of `$LATEST`. Calls that are running end as they began. */
  update(changes: Partial<VersionConfiguration>, now: number): VersionConfiguration {
    const { configuration, pool } = this.version(LATEST);
    const updated = { ...configuration, ...changes, lastModified: now, revisionId: randomUUID() };
    this.#versions.set(LATEST, { configuration: updated, pool: this.#options.createPool(updated) });
    const retired = pool.retire().finally(() => this.#retiring.delete(retired));
    this.#retiring.add(retired);
    return updated;
  }

  /** Adds a version, or replaces it. */
  addVersion(configuration: VersionConfiguration): void {
    const replaced = this.#versions.get(configuration.version);
    this.#versions.set(configuration.version, { configuration, pool: this.#options.createPool(configuration) });
    void replaced?.pool.retire();
  }

  /** Ends every container at once. */
  async stop(): Promise<void> {
    await Promise.all([...this.#versions.values()].map(({ pool }) => pool.stop()));
    await Promise.all(this.#retiring);
  }

  /** An alias may send a part of its calls to another version. https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html */
  #route(qualifier: string | undefined): Version {
    const weights = this.aliases.get(qualifier ?? LATEST)?.RoutingConfig?.AdditionalVersionWeights ?? {};
    for (const [version, weight] of Object.entries(weights)) {
      if (Math.random() < weight) return this.version(version);
    }
    return this.version(qualifier);
  }
}

/** @throws AwsError InvalidParameterValueException: only executions of durable functions have names */
export function refuseExecutionName({ durableExecutionName }: Pick<InvokeOptions, 'durableExecutionName'>): void {
  if (durableExecutionName === undefined) return;
  throw invalidParameter('DurableExecutionName can only be given for a durable function.');
}
