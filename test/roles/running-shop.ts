import { join } from 'node:path';
import { type Runtime, startRuntime } from '@millrace/local';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { compileTemplates } from '@millrace/workspace/packaging';
import { Aws } from '../end-to-end/aws.ts';
import { Shop } from '../end-to-end/shop.ts';

export interface Route {
  /** e.g. `GET /orders/{orderId}` */
  key: string;
  /** One of them has to be in the token. */
  scopes: readonly string[];
}

/** Every service on the local runtime, in this process: roles can be changed while it runs. */
export interface RunningShop {
  runtime: Runtime;
  shop: Shop;
  aws: Aws;
  /** Of all HTTP APIs. */
  routes: readonly Route[];
  /** How many lines each function has logged. */
  logged: ReadonlyMap<string, number>;
  /** What the runtime has warned of. */
  warnings: readonly string[];
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');

/** Starts all services on free ports, and waits until every function has a container. */
export async function startShop(): Promise<RunningShop> {
  const logged = new Map<string, number>();
  const warnings: string[] = [];
  const services = serviceDirectories(root);
  const runtime = await startRuntime({
    services,
    apiPort: 0,
    awsPort: 0,
    // Everything is asked for at once: on a small machine, second containers of all functions would only be in each other's way.
    functionConcurrency: 1,
    onFunctionLog: ({ functionName }) => logged.set(functionName, (logged.get(functionName) ?? 0) + 1),
    onWarning: (line) => warnings.push(line),
  });
  await runtime.warm;
  const { apiUrl, awsUrl, issuerUrl, stop } = runtime;
  const system = { apiUrl, awsUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages`, stop };
  const routes = await routesOf(services);
  return { runtime, routes, shop: new Shop(system), aws: new Aws(system), logged, warnings, stop };
}

/** From the templates that the runtime has just read. */
async function routesOf(directories: string[]): Promise<Route[]> {
  const compiled = await compileTemplates({
    directories,
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log: () => {},
  });
  return compiled
    .flatMap(({ template }) => Object.values(template.Resources ?? {}))
    .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
    .map(({ Properties: { RouteKey, AuthorizationScopes } = {} }) => ({
      key: String(RouteKey),
      scopes: [AuthorizationScopes ?? []].flat().map(String),
    }));
}
