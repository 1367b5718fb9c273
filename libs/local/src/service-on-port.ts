import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { SystemClock } from './core/clock.ts';
import { Cloud, type CloudOptions } from './core/cloud.ts';
import { Messages } from './core/messages.ts';
import { LOOPBACK, listenOnLoopback } from './core/port.ts';
import { closeServer } from './core/reserved-port.ts';
import type { AwsService } from './core/service.ts';
import { createGateway } from './gateway/gateway.ts';
import { LocalRoutes } from './gateway/local-routes.ts';
import type { GatewayParts } from './gateway/pipeline.ts';

export interface ServiceOnPortOptions extends Partial<CloudOptions> {
  /** A free one unless given. */
  port?: number;
  /** What the service delivers to. */
  others?: readonly AwsService[];
  /** Resources to deploy. */
  template?: CloudFormationTemplate;
}

/** A service of the local cloud with a port of its own. */
export interface ServiceOnPort<Handle> extends AsyncDisposable {
  /** For the SDK's `endpoint`. */
  endpoint: string;
  handle: Handle;
  cloud: Cloud;
}

/**
 * Starts one service without the rest of the runtime, for tests of what talks to it. Requests take the same way as in the runtime:
 * any access key is an operator's.
 *
 * @throws PortTakenError when another process has the port
 * @example await using server = await startServiceOnPort(s3);
 */
export async function startServiceOnPort<Handle>(
  service: AwsService<Handle>,
  { port = 0, others = [], template, ...options }: ServiceOnPortOptions = {},
): Promise<ServiceOnPort<Handle>> {
  await using started = new AsyncDisposableStack();
  const parts = Promise.withResolvers<GatewayParts>();
  const gateway = createGateway(parts.promise);
  const endpoint = `http://${LOOPBACK}:${await listenOnLoopback(gateway, port)}`;
  started.defer(() => closeServer(gateway));
  const messages = new Messages();
  const cloud = started.use(
    new Cloud([...others, service as AwsService], {
      ...{ accountId: '000000000000', region: 'us-east-1', awsUrl: endpoint, messages },
      ...{ dataDirectory: undefined, cacheDirectory: '', usage: undefined },
      options: { services: [], apiPort: 0, awsPort: port },
      clock: options.clock ?? started.use(new SystemClock()),
      codeOf: () => undefined,
      releaseApiPort: async () => {},
      warn: () => {},
      ...options,
    }),
  );
  await cloud.start();
  const templates = template ? [{ stackName: 'local', template }] : [];
  const { accountId, region, awsUrl } = cloud.host;
  const { resourceTypes } = cloud;
  await cloud.deploy(loadStacks(templates, { accountId, region, awsUrl, resourceTypes }).stacks);
  const nothing = () => [];
  const local = new LocalRoutes({
    messages,
    ...{ alarms: nothing, refusals: () => cloud.refusals(), health: () => ({ status: 'ok' }) },
    consoles: () => cloud.consoles(),
    issuer: async () => ({ status: 404, body: { message: 'No issuer runs here' } }),
  });
  const { authorizer } = cloud;
  const { usage } = options;
  parts.resolve({ services: cloud.started, callerOf: (id) => cloud.callerOf(id), authorizer, usage, local });
  const owned = started.move();
  return { endpoint, handle: cloud.host.handleOf(service), cloud, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
