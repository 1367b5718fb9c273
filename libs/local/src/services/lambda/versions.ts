import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Stack } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import type { Host } from '../../core/service.ts';
import { codeDigest } from './code-digest.ts';
import { requireRevision } from './configuration-update.ts';
import { placed } from './create-function.ts';
import { LATEST } from './function-identifier.ts';
import type { Functions } from './functions.ts';
import { conflict, invalidParameter, notFound, validationError } from './lambda-errors.ts';
import type { LambdaStore } from './lambda-store.ts';
import type { Alias, LocalFunction, VersionConfiguration } from './local-function.ts';

const VERSION = 'version';
const ALIAS = 'alias';

/**
 * Publishes versions of functions, and names them by aliases. What the API has made outlives the process with a data directory; what
 * templates declare is made anew at each start.
 */
export class Versions {
  readonly #functions: Functions;
  readonly #store: LambdaStore;
  readonly #host: Host;

  constructor(functions: Functions, store: LambdaStore, host: Host) {
    this.#functions = functions;
    this.#store = store;
    this.#host = host;
  }

  /**
   * Takes over the versions and aliases of the stacks, and those that an earlier process has made for the API.
   * @throws TemplateError for an alias of a version that is not there
   */
  start(stacks: readonly Stack[]): void {
    for (const version of this.#store.documents<VersionConfiguration>(VERSION).values()) this.#restore(version);
    for (const stack of stacks) {
      for (const { logicalId } of stack.resourcesOfType('AWS::Lambda::Version')) {
        const { FunctionName, Description } = stack.properties(logicalId);
        const { found } = this.#functions.get(String(FunctionName));
        found.addVersion(this.#snapshot(found, FIRST_VERSION, Description));
      }
      for (const { logicalId } of stack.resourcesOfType('AWS::Lambda::Alias')) {
        const properties = stack.properties(logicalId);
        try {
          const { found } = this.#functions.get(String(properties.FunctionName));
          found.aliases.set(String(properties.Name), readAlias(found, properties));
        } catch (error) {
          throw placed(error, stack, logicalId);
        }
      }
    }
    for (const [key, alias] of this.#store.documents<Alias>(ALIAS)) {
      const found = this.#functions.byName.get(key.split(':')[0] ?? '');
      if (found && !found.aliases.has(alias.Name)) found.aliases.set(alias.Name, alias);
    }
  }

  /**
   * Publishes `$LATEST`, unless it is as the newest version is.
   * @throws AwsError InvalidParameterValueException, PreconditionFailedException
   */
  publish(found: LocalFunction, { CodeSha256, Description, RevisionId }: Input): VersionConfiguration {
    const { configuration } = found.version(LATEST);
    requireRevision(RevisionId, configuration.revisionId);
    const digest = codeDigest(configuration.codeDirectory);
    if (CodeSha256 !== undefined && CodeSha256 !== digest) {
      throw invalidParameter(
        `CodeSHA256 (${CodeSha256}) is different from current CodeSHA256 in $LATEST (${digest}). ` +
          'Please try again with the CodeSHA256 in $LATEST.',
      );
    }
    const newest = found.versions().at(-1);
    if (newest && newest.version !== LATEST && isSame(newest, configuration)) return newest;
    const number = newest === undefined || newest.version === LATEST ? 1 : Number(newest.version) + 1;
    const version = this.#snapshot(found, String(number), Description);
    found.addVersion(version);
    this.#store.saveDocument(VERSION, `${found.name}:${version.version}`, version);
    return version;
  }

  /** @throws AwsError ResourceConflictException, ResourceNotFoundException */
  createAlias(found: LocalFunction, input: Input): Input {
    const name = String(input.Name);
    if (found.aliases.has(name)) throw conflict(`Alias already exists: ${found.arnOf(name)}`);
    return this.#keepAlias(found, readAlias(found, input));
  }

  /** @throws AwsError ResourceNotFoundException, PreconditionFailedException */
  updateAlias(found: LocalFunction, { RevisionId, ...changes }: Input): Input {
    const alias = aliasOf(found, changes.Name);
    requireRevision(RevisionId, alias.RevisionId);
    return this.#keepAlias(found, readAlias(found, { ...alias, ...changes }));
  }

  /** @throws AwsError ResourceNotFoundException */
  getAlias(found: LocalFunction, name: unknown): Input {
    return describeAlias(found, aliasOf(found, name));
  }

  /** Deletes an alias. One that is not there has been deleted. */
  deleteAlias(found: LocalFunction, name: unknown): void {
    found.aliases.delete(String(name));
    this.#store.removeDocument(ALIAS, `${found.name}:${name}`);
  }

  listAliases(found: LocalFunction, version: unknown): Input[] {
    return [...found.aliases.values()]
      .filter(({ FunctionVersion }) => version === undefined || version === FunctionVersion)
      .map((alias) => describeAlias(found, alias));
  }

  #keepAlias(found: LocalFunction, alias: Alias): Input {
    found.aliases.set(alias.Name, alias);
    this.#store.saveDocument(ALIAS, `${found.name}:${alias.Name}`, alias);
    return describeAlias(found, alias);
  }

  #snapshot(found: LocalFunction, version: string, description: unknown): VersionConfiguration {
    const { configuration } = found.version(LATEST);
    return {
      ...configuration,
      version,
      ...(description !== undefined && { description: String(description) }),
      lastModified: this.#host.clock.now(),
      revisionId: randomUUID(),
    };
  }

  /** The code of a version is where it was packaged; it may have been deleted with the cache. */
  #restore(version: VersionConfiguration): void {
    const found = this.#functions.byName.get(version.name);
    if (!found) return;
    if (!existsSync(version.codeDirectory)) {
      this.#host.warn(`Version ${version.version} of ${version.name} is not available: its code has left the cache`);
      return;
    }
    const { endpoints, concurrency } = found.version(LATEST).configuration;
    found.addVersion({ ...version, endpoints, concurrency });
  }
}

/** Of a function that declares its version in a template. */
const FIRST_VERSION = '1';

/** Whether two versions run in the same way. */
function isSame(one: VersionConfiguration, other: VersionConfiguration): boolean {
  const settings = ({
    handler,
    timeoutSeconds,
    memoryMb,
    environment,
    role,
    deadLetterQueue,
    durable,
  }: VersionConfiguration) => ({
    ...{ handler, timeoutSeconds, memoryMb, environment, role, deadLetterQueue, durable },
  });
  return (
    codeDigest(one.codeDirectory) === codeDigest(other.codeDirectory) &&
    isDeepStrictEqual(settings(one), settings(other))
  );
}

function aliasOf(found: LocalFunction, name: unknown): Alias {
  const alias = found.aliases.get(String(name));
  if (!alias) throw notFound(`Cannot find alias arn: ${found.arnOf(String(name))}`);
  return alias;
}

function describeAlias(found: LocalFunction, alias: Alias): Input {
  return { AliasArn: found.arnOf(alias.Name), ...alias };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html */
function readAlias(found: LocalFunction, { Name, FunctionVersion, Description = '', RoutingConfig }: Input): Alias {
  const name = String(Name);
  if (!/^(?!\d+$)[\w-]{1,128}$/.test(name)) {
    throw validationError(name, 'name', 'Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)');
  }
  const version = String(FunctionVersion);
  if (found.aliases.has(version)) throw notFound(`Function not found: ${found.arnOf(version)}`);
  found.version(version);
  const routing = RoutingConfig as Alias['RoutingConfig'];
  const weights = Object.entries(routing?.AdditionalVersionWeights ?? {});
  if (weights.length > 1) throw invalidParameter('An alias can have at most one additional version');
  for (const [additional, weight] of weights) {
    found.version(additional);
    if (additional === LATEST || version === LATEST)
      throw invalidParameter('$LATEST is not supported for an alias pointing to more than 1 version');
    if (!(weight >= 0 && weight <= 1)) throw validationError(weight, 'routingConfig', 'Member must be from 0 to 1');
  }
  return {
    Name: name,
    FunctionVersion: version,
    Description: String(Description),
    ...(routing && weights.length > 0 && { RoutingConfig: routing }),
    RevisionId: randomUUID(),
  };
}
