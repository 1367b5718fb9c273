import { join, relative } from 'node:path';
import { findWorkspaceRoot } from '@millrace/events/catalogue';
import { protectBus } from './bus-policy.ts';
import { ConfigurationError } from './configuration-error.ts';
import { consumeSchema } from './consume-options.ts';
import { type KnownEvent, knownEvents } from './event-names.ts';
import { localEnvironment } from './local-invocation.ts';
import { missingExports } from './missing-exports.ts';
import type { Osls } from './osls.ts';
import { type FunctionPlan, planService } from './plan-service.ts';
import { removeRedundantDependencies } from './redundant-dependencies.ts';

/**
 * The Serverless plugin behind `consume:`, `emits:`, `iamRoleStatements:` and `custom.consumers.protectedBus`. It validates before osls packages anything,
 * gives each function its role and environment in time for osls to compile the function, and adds the other resources
 * when events are compiled.
 */
export default class ServerlessConsumers {
  readonly hooks: Record<string, () => Promise<void> | void>;
  readonly #serverless: Osls;
  #plans: FunctionPlan[] = [];

  constructor(serverless: Osls) {
    this.#serverless = serverless;
    serverless.configSchemaHandler.defineFunctionEvent('aws', 'consume', consumeSchema);
    serverless.configSchemaHandler.defineFunctionProperties('aws', {
      properties: {
        emits: { type: 'array', minItems: 1, items: { type: 'string' } },
        iamRoleStatements: { $ref: '#/definitions/awsIamPolicyStatements' },
      },
    });
    this.hooks = {
      initialize: () => this.#prepareLocalInvocation(),
      'before:package:initialize': () => this.#prepareFunctions(),
      'package:compileEvents': () => this.#addResources(),
      'before:deploy:deploy': () => this.#checkImports(),
      'after:aws:package:finalize:mergeCustomProviderResources': () =>
        removeRedundantDependencies(serverless.service.provider.compiledCloudFormationTemplate.Resources),
    };
  }

  async #prepareFunctions(): Promise<void> {
    this.#plans = await this.#plan();
    // osls adds the resources of serverless.yml to the template after this plugin's own.
    await this.#withContracts((known) => protectBus(this.#serverless, known));
    for (const { configuration, role, environment } of this.#plans) {
      if (role !== undefined) configuration.role = role;
      configuration.environment = { ...configuration.environment, ...environment };
    }
  }

  #addResources(): void {
    const template = this.#serverless.service.provider.compiledCloudFormationTemplate;
    for (const { configuration, resources } of this.#plans) {
      for (const [id, resource] of Object.entries(resources)) {
        const { condition } = configuration;
        template.Resources[id] = condition === undefined ? resource : { ...resource, Condition: condition };
      }
    }
    // What `npm run deploy -- --only-changed` compares the next package with.
    const hash = process.env.MILLRACE_PACKAGE_HASH;
    if (hash) template.Outputs.PackageHash = { Description: 'Template and code of this deployment', Value: hash };
  }

  async #checkImports(): Promise<void> {
    const missing = await missingExports(this.#serverless);
    if (missing.length === 0) return;
    const { service, classes } = this.#serverless;
    throw new classes.Error(
      `${service.service} imports ${missing.join(', ')}, which no stack of ${this.#serverless.getProvider('aws').getRegion()} ` +
        'exports: deploy the service that does first',
      'CONSUMERS_MISSING_EXPORT',
    );
  }

  async #prepareLocalInvocation(): Promise<void> {
    if (this.#serverless.processedInput.commands.join(' ') !== 'invoke local') return;
    const { service } = this.#serverless;
    const endpoint = process.env.AWS_ENDPOINT_URL_SQS ?? process.env.AWS_ENDPOINT_URL;
    const resources = (service.resources as { Resources?: Record<string, unknown> } | undefined)?.Resources ?? {};
    for (const plan of await this.#plan()) {
      const own = { ...service.provider.environment, ...plan.configuration.environment };
      plan.configuration.environment = localEnvironment(plan, own, resources, endpoint);
    }
  }

  #plan(): Promise<FunctionPlan[]> {
    return this.#withContracts((known) => planService(this.#serverless, known));
  }

  /** Runs something on the contracts, and reports a mistake it finds as osls does. */
  async #withContracts<T>(run: (known: ReadonlyMap<string, KnownEvent>) => T): Promise<T> {
    const { serviceDir, configurationFilename, classes } = this.#serverless;
    try {
      return run(await knownEvents(serviceDir));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const file = relative(findWorkspaceRoot(serviceDir), join(serviceDir, configurationFilename));
      throw new classes.Error(`${file}: ${error.key}: ${error.message}`, error.code);
    }
  }
}
