import { join, relative } from 'node:path';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import type { HttpApiEvent, Osls } from './osls.ts';
import { routeSettings, type Throttle, throttleProblem, throttleSchema } from './throttle.ts';

/** A route with a limit of its own. */
interface ThrottledRoute {
  /** `functions.postOrder.events[0].httpApi.throttle` */
  key: string;
  event: HttpApiEvent;
  throttle: Throttle;
}

/**
 * The Serverless plugin behind `throttle:`. It validates before osls packages anything, and writes the limits into the
 * stage of the HTTP API once osls has compiled that and its routes.
 */
export default class ServerlessHttpApi {
  readonly hooks: Record<string, () => void>;
  readonly #serverless: Osls;

  constructor(serverless: Osls) {
    this.#serverless = serverless;
    serverless.configSchemaHandler.defineFunctionEventProperties('aws', 'httpApi', {
      properties: { throttle: throttleSchema },
    });
    serverless.configSchemaHandler.defineCustomProperties({
      properties: {
        httpApi: { type: 'object', properties: { throttle: throttleSchema }, additionalProperties: false },
      },
    });
    this.hooks = {
      'before:package:initialize': () => this.#check(),
      'after:package:compileEvents': () => this.#limitRoutes(),
    };
  }

  get #defaultThrottle(): Throttle | undefined {
    return this.#serverless.service.custom?.httpApi?.throttle;
  }

  #throttledRoutes(): ThrottledRoute[] {
    const { service } = this.#serverless;
    return service.getAllFunctions().flatMap((name) =>
      (service.getFunction(name).events ?? []).flatMap((event, index) => {
        const throttle = typeof event.httpApi === 'object' ? event.httpApi.throttle : undefined;
        return throttle ? [{ key: `functions.${name}.events[${index}].httpApi.throttle`, event, throttle }] : [];
      }),
    );
  }

  #check(): void {
    const routes = this.#throttledRoutes();
    const [first] = routes;
    if (first && this.#serverless.service.provider.httpApi?.id !== undefined) {
      throw this.#mistake(first.key, 'the API is of another stack (provider.httpApi.id): limit its routes there');
    }
    const limits: Pick<ThrottledRoute, 'key' | 'throttle'>[] = [...routes];
    if (this.#defaultThrottle) limits.unshift({ key: 'custom.httpApi.throttle', throttle: this.#defaultThrottle });
    for (const { key, throttle } of limits) {
      const found = throttleProblem(throttle);
      if (found) throw this.#mistake(`${key}.${found.key}`, found.problem);
    }
  }

  #limitRoutes(): void {
    const { naming } = this.#serverless.getProvider('aws');
    const { Resources } = this.#serverless.service.provider.compiledCloudFormationTemplate;
    const stage = Resources[naming.getHttpApiStageLogicalId()];
    // A service without routes has no API, and the API of another stack is limited there.
    if (!stage) return;
    const defaults = {
      ...(stage.Properties.DefaultRouteSettings as object | undefined),
      ...(this.#defaultThrottle ? routeSettings(this.#defaultThrottle) : {}),
    };
    stage.Properties.DefaultRouteSettings = defaults;

    const own: Record<string, object> = {};
    const routes: string[] = [];
    for (const { event, throttle } of this.#throttledRoutes()) {
      const key = event.resolvedPath === undefined ? '*' : `${event.resolvedMethod} ${event.resolvedPath}`;
      const id = naming.getHttpApiRouteLogicalId(key);
      // A route's own settings replace the default ones altogether.
      own[String(Resources[id]?.Properties.RouteKey)] = { ...defaults, ...routeSettings(throttle) };
      routes.push(id);
    }
    if (routes.length === 0) return;
    stage.Properties.RouteSettings = own;
    stage.DependsOn = [...[stage.DependsOn ?? []].flat(), ...routes];
  }

  #mistake(key: string, problem: string): Error {
    const { serviceDir, configurationFilename, classes } = this.#serverless;
    const file = relative(findWorkspaceRoot(serviceDir), join(serviceDir, configurationFilename));
    return new classes.Error(`${file}: ${key}: ${problem}`, 'HTTP_API_THROTTLE');
  }
}
