import { join, relative } from 'node:path';
import { findWorkspaceRoot } from '@millrace/events/catalogue';
import { ConfigurationError } from './configuration-error.ts';
import { consumeSchema } from './consume-options.ts';
import { knownEvents } from './event-names.ts';
import { localEnvironment } from './local-invocation.ts';
import type { Osls } from './osls.ts';
import { type FunctionPlan, planService } from './plan-service.ts';

/**
 * The Serverless plugin behind `consume:`, `emits:` and `iamRoleStatements:`. It validates before osls packages anything,
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
    };
  }

  async #prepareFunctions(): Promise<void> {
    this.#plans = await this.#plan();
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

  async #plan(): Promise<FunctionPlan[]> {
    const { serviceDir, configurationFilename, classes } = this.#serverless;
    try {
      return planService(this.#serverless, await knownEvents(serviceDir));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const file = relative(findWorkspaceRoot(serviceDir), join(serviceDir, configurationFilename));
      throw new classes.Error(`${file}: ${error.key}: ${error.message}`, error.code);
    }
  }
}
