import { join } from 'node:path';
import { loadStacks } from '@millrace/cloudformation';
import { packageServices } from '@millrace/workspace/packaging';
import { AwsError } from './core/aws-error.ts';
import { type MovableClock, SystemClock } from './core/clock.ts';
import { Cloud, type CloudOptions } from './core/cloud.ts';
import { lockDataDirectory } from './core/data-directory.ts';
import { provideFolder } from './core/folders.ts';
import { Messages } from './core/messages.ts';
import { LOOPBACK, listenOnLoopback } from './core/port.ts';
import { closeServer, reservePort } from './core/reserved-port.ts';
import type { Runtime } from './core/runtime.ts';
import type { RuntimeOptions } from './core/runtime-options.ts';
import { readSettings } from './core/runtime-settings.ts';
import { settleAll } from './core/settle-all.ts';
import { answerDirectly } from './gateway/direct.ts';
import { createGateway } from './gateway/gateway.ts';
import { LocalRoutes } from './gateway/local-routes.ts';
import type { GatewayParts } from './gateway/pipeline.ts';
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
  const { directories, stage, region, cacheDirectory, dataDirectory } = readSettings(options);
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
  const code = new Map<string, string>();
  const place = { accountId: ACCOUNT_ID, region, awsUrl };
  const answerDirect = answerDirectly(parts.promise);
  const host: CloudOptions = {
    ...{ ...place, answerDirect, dataDirectory, cacheDirectory, options, releaseApiPort, warn },
    clock,
    usage: options.usage,
    messages: new Messages(clock),
    codeOf: (name) => code.get(name),
  };
  const cloud = started.use(new Cloud(services, host, inertResourceTypes));
  started.defer(() => parts.reject(new AwsError('ServiceUnavailable', 'The runtime has stopped', 503)));
  const log = (line: string): void => options.onProgress?.(line);
  const packages = { directories, stage, region, cacheDirectory: join(cacheDirectory, 'packages'), log };
  const [packaged] = await settleAll([packageServices(packages), cloud.start()]);
  for (const { functions } of packaged) {
    for (const [name, { codeDirectory }] of functions) code.set(name, codeDirectory);
  }

  for (const warning of new Set(packaged.flatMap((service) => service.warnings))) warn(warning);
  const { stacks } = loadStacks(packaged, { ...place, resourceTypes: cloud.resourceTypes });
  for (const warning of cloud.warnings(stacks)) warn(warning);
  log('Creating resources');
  await cloud.deploy(stacks);
  parts.resolve(gatewayParts(cloud, host));
  return runtimeOf(cloud, { ...host, clock }, warnings, started.move());
}

function gatewayParts(cloud: Cloud, { messages, usage }: CloudOptions): GatewayParts {
  const { handleOf, authorizer } = cloud.host;
  const local = new LocalRoutes({
    messages,
    alarms: handleOf(cloudWatch).alarms,
    consoles: () => cloud.consoles(),
    refusals: () => cloud.refusals(),
    health: () => ({ status: 'ok', functions: handleOf(lambda).functionNames() }),
    issuer: handleOf(issuer).answer,
  });
  return { services: cloud.started, callerOf: (id) => cloud.callerOf(id), authorizer, usage, local };
}

function runtimeOf(
  cloud: Cloud,
  host: CloudOptions & { clock: MovableClock },
  warnings: string[],
  owned: AsyncDisposableStack,
): Runtime {
  const { handleOf } = cloud.host;
  const functions = handleOf(lambda);
  return {
    apiUrl: handleOf(httpApi).url,
    awsUrl: host.awsUrl,
    issuerUrl: handleOf(issuer).url,
    clock: host.clock,
    messages: host.messages,
    warnings,
    functionNames: functions.functionNames(),
    refusals: () => cloud.refusals(),
    identities: cloud.identities,
    warm: host.options.coldFunctions ? Promise.resolve() : functions.warm(),
    stop: () => owned.disposeAsync(),
  };
}
