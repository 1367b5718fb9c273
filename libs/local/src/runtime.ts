import { join, resolve } from 'node:path';
import { loadStacks } from '@millrace/cloudformation';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { type PackagedService, packageServices } from '@millrace/workspace/packaging';
import { AwsError } from './core/aws-error.ts';
import { SystemClock } from './core/clock.ts';
import { Cloud } from './core/cloud.ts';
import { lockDataDirectory } from './core/data-directory.ts';
import { provideFolder } from './core/folders.ts';
import { Messages } from './core/messages.ts';
import { LOOPBACK, listenOnLoopback } from './core/port.ts';
import { closeServer, reservePort } from './core/reserved-port.ts';
import type { Runtime } from './core/runtime.ts';
import type { RuntimeOptions } from './core/runtime-options.ts';
import { createGateway, type GatewayParts } from './gateway/gateway.ts';
import { LocalRoutes } from './gateway/local-routes.ts';
import { cloudWatch } from './services/cloudwatch/index.ts';
import { httpApi } from './services/http-api/index.ts';
import { services } from './services/index.ts';
import { inertResourceTypes } from './services/inert-types.ts';
import { issuer } from './services/issuer/index.ts';
import { lambda } from './services/lambda/index.ts';

const ACCOUNT_ID = '000000000000';

/**
 * Packages services and runs their compiled templates on this machine.
 *
 * @throws Error with one line that says what is wrong; whatever had been started is ended again
 * @example
 * const runtime = await startRuntime({ services: ['services/orders'], apiPort: 3000, awsPort: 4566 });
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  await using started = new AsyncDisposableStack();
  const { stage = 'dev', region = 'us-east-1', usage, onProgress } = options;
  const directories = options.services.map((directory) => resolve(directory));
  const [anyDirectory] = directories;
  if (anyDirectory === undefined) throw new Error('There are no services to start');
  const cacheDirectory = resolve(options.cacheDirectory ?? join(findWorkspaceRoot(anyDirectory), '.millrace', 'cache'));
  const dataDirectory = options.dataDirectory === undefined ? undefined : resolve(options.dataDirectory);
  const warnings: string[] = [];
  const warn = (line: string): void => {
    warnings.push(line);
    options.onWarning?.(line);
  };

  provideFolder('cache', cacheDirectory);
  if (dataDirectory !== undefined) started.defer(lockDataDirectory(dataDirectory));
  const releaseApiPort = await reservePort(options.apiPort);
  started.defer(releaseApiPort);

  // The port decides queue URLs, so it is taken before there is anything behind it.
  const parts = Promise.withResolvers<GatewayParts>();
  parts.promise.catch(() => undefined);
  const gateway = createGateway(parts.promise);
  const awsUrl = `http://${LOOPBACK}:${await listenOnLoopback(gateway, options.awsPort)}`;
  started.defer(() => closeServer(gateway));

  const clock = started.use(new SystemClock());
  const messages = new Messages();
  const code = new Map<string, string>();
  const host = {
    accountId: ACCOUNT_ID,
    region,
    awsUrl,
    dataDirectory,
    cacheDirectory,
    clock,
    options,
    usage,
    messages,
  };
  const cloud = started.use(
    new Cloud(
      services,
      { ...host, gateway, releaseApiPort, warn, codeOf: (name) => code.get(name) },
      inertResourceTypes,
    ),
  );
  started.defer(() => parts.reject(new AwsError('ServiceUnavailable', 'The runtime has stopped', 503)));
  const log = (line: string): void => onProgress?.(line);
  const packaging = packageServices({
    directories,
    stage,
    region,
    cacheDirectory: join(cacheDirectory, 'packages'),
    log,
  });
  const [packaged] = await settleAll([packaging, cloud.start()]);
  for (const [name, directory] of codeDirectoriesOf(packaged)) code.set(name, directory);

  for (const warning of new Set(packaged.flatMap((service) => service.warnings))) warn(warning);
  const { resourceTypes } = cloud;
  const { stacks } = loadStacks(packaged, { accountId: ACCOUNT_ID, region, awsUrl, resourceTypes });
  for (const warning of cloud.warnings(stacks)) warn(warning);
  onProgress?.('Creating resources');
  await cloud.deploy(stacks);

  const { handleOf } = cloud.host;
  const functionNames = handleOf(lambda).functionNames();
  const local = new LocalRoutes({
    messages,
    alarms: handleOf(cloudWatch).alarms,
    refusals: () => cloud.refusals(),
    health: () => ({ status: 'ok', functions: functionNames }),
    issuer: handleOf(issuer).answer,
  });
  const { authorizer } = cloud;
  const callerOf = cloud.callerOf.bind(cloud);
  parts.resolve({ services: cloud.started, callerOf, authorizer, usage, local });

  const owned = started.move();
  return {
    apiUrl: handleOf(httpApi).url,
    awsUrl,
    issuerUrl: handleOf(issuer).url,
    messages,
    warnings,
    functionNames,
    refusals: () => cloud.refusals(),
    identities: cloud.identities,
    warm: options.coldFunctions ? Promise.resolve() : handleOf(lambda).warm(),
    stop: () => owned.disposeAsync(),
  };
}

/** Waits for all; when one fails, still for the others, so that whatever they have started is known when it is stopped. */
async function settleAll<T extends readonly unknown[]>(promises: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return Promise.all(promises) as unknown as Promise<T>;
}

function codeDirectoriesOf(packaged: readonly PackagedService[]): [string, string][] {
  return packaged.flatMap(({ functions }) =>
    [...functions].map(([name, { codeDirectory }]): [string, string] => [name, codeDirectory]),
  );
}
