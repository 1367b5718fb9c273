import type { Stack } from '@millrace/cloudformation';
import type { Caller } from '@millrace/iam-policy';
import { Authorizer } from './authorizer.ts';
import { serviceOfArn } from './delivery.ts';
import { deliveryTo } from './delivery-router.ts';
import { type CreateResource, deploymentWarnings, deployStack } from './deploy.ts';
import { LocalIdentities } from './identities.ts';
import { Refusals, type RefusedAccess } from './refusals.ts';
import { ResourcePolicies } from './resource-policies.ts';
import type { AwsService, Host, ResourceType, RunningService } from './service.ts';

/** A service and what it has become. */
export interface StartedService {
  service: AwsService;
  running: RunningService<unknown>;
}

/** Of a host, what does not come from the cloud itself. */
export type CloudOptions = Omit<Host, 'authorizer' | 'deliver' | 'isTarget' | 'handleOf'>;

/**
 * The services of the local cloud, and what connects them: identities and their permissions, deliveries, handles.
 *
 * @example
 * const cloud = new Cloud(services, options);
 * await cloud.start();
 * await cloud.deploy(stacks);
 */
export class Cloud implements AsyncDisposable {
  readonly host: Host;
  readonly authorizer: Authorizer;
  /** All resource types of all services, by name. */
  readonly resourceTypes: Readonly<Record<string, ResourceType>>;
  readonly #services: readonly AwsService[];
  readonly #started = new Map<string, StartedService>();
  readonly #owned = new AsyncDisposableStack();
  readonly #refusals: Refusals;
  #identities: LocalIdentities;

  /**
   * @param services each after those whose handles it uses
   * @param inertTypes resource types of services that are not here
   */
  constructor(
    services: readonly AwsService[],
    options: CloudOptions,
    inertTypes: Readonly<Record<string, ResourceType>> = {},
  ) {
    this.#services = services;
    this.resourceTypes = Object.assign({}, inertTypes, ...services.map(({ resourceTypes }) => resourceTypes));
    const { accountId, region } = options;
    this.#identities = new LocalIdentities([], { accountId });
    this.#refusals = new Refusals((line) => options.options.onWarning?.(line));
    const policies = new ResourcePolicies((arn) => this.#started.get(serviceOfArn(arn))?.running.policyOf?.(arn));
    this.authorizer = new Authorizer({
      identities: {
        callerOf: (accessKeyId) => this.callerOf(accessKeyId),
        sessionOf: (roleArn, principal) => this.#identities.sessionOf(roleArn, principal),
      },
      services: new Map(services.map((service) => [service.name, service])),
      accountId,
      region,
      policyOf: (arn) => policies.of(arn),
      refusals: this.#refusals,
    });
    const deliver = deliveryTo((name) => this.#targetOf(name), this.authorizer);
    this.host = {
      ...options,
      authorizer: this.authorizer,
      deliver,
      isTarget: (arn) => this.#targetOf(serviceOfArn(arn)) !== undefined,
      handleOf: <Handle>({ name }: AwsService<Handle>) => {
        const started = this.#started.get(name);
        if (!started) throw new Error(`${name} has not been started`);
        return started.running.handle as Handle;
      },
    };
  }

  /** The services that have been started, in order. */
  get started(): readonly StartedService[] {
    return [...this.#started.values()];
  }

  /** Who has what permissions, once stacks have been deployed. */
  get identities(): LocalIdentities {
    return this.#identities;
  }

  /** Whose an access key id is. */
  callerOf(accessKeyId: string | undefined): Caller {
    return this.#identities.callerOf(accessKeyId);
  }

  /** What functions and services were not allowed to do. */
  refusals(): readonly RefusedAccess[] {
    return this.#refusals.list();
  }

  /** What a console shows of each service; null of one that shows nothing. */
  consoles(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.started.map(({ service, running }) => [service.name, running.console?.() ?? null]));
  }

  /** Starts all services. What has been started ends with the cloud, also when another one fails. */
  async start(): Promise<void> {
    for (const service of this.#services) {
      const running = await service.start(this.host);
      this.#owned.use(running);
      this.#started.set(service.name, { service, running });
    }
  }

  /**
   * Creates the resources of all stacks, then has each service start what happens by itself.
   *
   * @param stacks each after those it imports from
   * @throws TemplateError
   */
  async deploy(stacks: readonly Stack[]): Promise<void> {
    const creators = new Map<string, CreateResource>();
    for (const { service, running } of this.started) {
      for (const [name, type] of Object.entries(service.resourceTypes)) {
        const create = type.create?.bind(type);
        if (!create) continue;
        creators.set(name, (resource) =>
          type.isLeftOut?.(resource.logicalId)
            ? Promise.resolve(undefined)
            : create(resource, running.handle, this.host),
        );
      }
    }
    for (const stack of stacks) await deployStack(stack, creators);
    this.#identities = new LocalIdentities(stacks, { accountId: this.host.accountId });
    for (const { running } of this.started) await running.activate?.(stacks);
  }

  /** What works differently here than stacks declare, each as one line. */
  warnings(stacks: readonly Stack[]): string[] {
    return stacks.flatMap((stack) => deploymentWarnings(stack, this.resourceTypes, this.host));
  }

  /** Ends all services, in reverse, each of them also when another one fails to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
    this.#started.clear();
  }

  #targetOf(name: string) {
    const { service, running } = this.#started.get(name) ?? {};
    return service && running?.deliver ? { service, deliver: running.deliver, isThere: running.isThere } : undefined;
  }
}
