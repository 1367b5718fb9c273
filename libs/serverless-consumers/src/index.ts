import { join, relative } from 'node:path';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { protectBuses } from './bus-policy.ts';
import { checkConsumers, checkEmits } from './check-handlers.ts';
import { ConfigurationError } from './configuration-error.ts';
import { consumeSchema } from './consume-options.ts';
import { encryptResources } from './encryption.ts';
import { type KnownEvent, knownEvents } from './event-names.ts';
import { localEnvironment } from './local-invocation.ts';
import { missingExports } from './missing-exports.ts';
import type { Osls } from './osls.ts';
import { type FunctionPlan, planService } from './plan-service.ts';
import { readPatternLength } from './platform.ts';
import { removeRedundantDependencies } from './redundant-dependencies.ts';
import { checkStateMachines } from './state-machines.ts';
import { checkTemplateLimits } from './template-limits.ts';

const eventList = { type: 'array', minItems: 1, items: { type: 'string' } };

/**
 * The Serverless plugin behind `consume:`, `emits:`, `schedules:`, `iamRoleStatements:` and `custom.consumers.protectedBus`
 * and `protectedAnalyticsBus`. It validates before osls packages anything,
 * gives each function its role and environment in time for osls to compile the function, and adds the other resources
 * when events are compiled.
 */
export default class ServerlessConsumers {
  readonly hooks: Record<string, () => Promise<void> | void>;
  readonly #serverless: Osls;
  #plans: FunctionPlan[] = [];
  #builtHere: FunctionPlan[] = [];

  constructor(serverless: Osls) {
    this.#serverless = serverless;
    serverless.configSchemaHandler.defineFunctionEvent('aws', 'consume', consumeSchema);
    serverless.configSchemaHandler.defineFunctionProperties('aws', {
      properties: {
        emits: eventList,
        schedules: eventList,
        iamRoleStatements: { $ref: '#/definitions/awsIamPolicyStatements' },
      },
    });
    this.hooks = {
      initialize: () => this.#prepareLocalInvocation(),
      'before:package:initialize': () => this.#prepareFunctions(),
      // Between serverless-esbuild's two hooks: it has made the bundles, and not yet removed them.
      'package:createDeploymentArtifacts': () => this.#checkOwnBundles(),
      'package:compileEvents': () => this.#addResources(),
      'before:deploy:deploy': () => this.#checkImports(),
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.#finishTemplate(),
    };
  }

  async #prepareFunctions(): Promise<void> {
    this.#plans = await this.#plan();
    this.#builtHere = this.#plans.filter(({ configuration }) => configuration.package?.artifact === undefined);
    // osls adds the resources of serverless.yml to the template after this plugin's own.
    await this.#withContracts((known) => protectBuses(this.#serverless, known));
    for (const { configuration, role, environment } of this.#plans) {
      if (role !== undefined) configuration.role = role;
      configuration.environment = { ...configuration.environment, ...environment };
    }
  }

  /**
   * Compares the functions' code with what serverless.yml says of their events, for whoever bundles it by other means than
   * serverless-esbuild.
   * @param codeFolder the bundle of `src/handlers/put-stock.handler` is `<codeFolder>/src/handlers/put-stock.cjs`
   * @throws osls's error with a CONSUMERS_… code, naming the file and the key
   */
  async checkBundles(codeFolder: string): Promise<void> {
    await this.#compare(this.#plans, codeFolder);
  }

  async #checkOwnBundles(): Promise<void> {
    if (this.#builtHere.length === 0) return;
    const { serviceDir, service } = this.#serverless;
    const { outputWorkFolder = '.esbuild', outputBuildFolder = '.build' } = service.custom?.esbuild ?? {};
    await this.#compare(this.#builtHere, join(serviceDir, outputWorkFolder, outputBuildFolder));
  }

  #compare(built: readonly FunctionPlan[], codeFolder: string): Promise<void> {
    return this.#located(async () => {
      await checkConsumers(this.#serverless, built, codeFolder);
      await checkEmits(this.#plans, this.#serverless.serviceDir);
    });
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

  #finishTemplate(): Promise<void> {
    const { provider, custom } = this.#serverless.service;
    const template = provider.compiledCloudFormationTemplate;
    removeRedundantDependencies(template.Resources);
    return this.#located(async () => {
      const { serviceDir, configurationFilename } = this.#serverless;
      checkStateMachines(template.Resources, serviceDir, configurationFilename);
      encryptResources(this.#serverless);
      checkTemplateLimits(template, readPatternLength(custom?.consumers));
    });
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

  #withContracts<T>(run: (known: ReadonlyMap<string, KnownEvent>) => T): Promise<T> {
    return this.#located(async () => run(await knownEvents(this.#serverless.serviceDir)));
  }

  /** Reports a mistake that something finds as osls does. */
  async #located<T>(run: () => Promise<T>): Promise<T> {
    const { serviceDir, configurationFilename, classes } = this.#serverless;
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const file = relative(findWorkspaceRoot(serviceDir), join(serviceDir, error.file ?? configurationFilename));
      const key = error.key && `${error.key}: `;
      throw new classes.Error(`${file}: ${key}${error.message}`, error.code);
    }
  }
}
