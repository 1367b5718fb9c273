import type { Stack } from '@millrace/cloudformation';
import type { Caller } from '@millrace/iam-policy';
import { Authorizer } from './authorizer.ts';
import { AwsError } from './aws-error.ts';
import { serviceOfArn } from './delivery.ts';
import { deliveryTo } from './delivery-router.ts';
import { type CreateResource, deploymentWarnings, deployStack } from './deploy.ts';
import { LocalIdentities } from './identities.ts';
import type { MetricReport } from './observations.ts';
import { Refusals, type RefusedAccess } from './refusals.ts';
import { ResourcePolicies } from './resource-policies.ts';
import type { AwsService, Host, ResourceType, RoleCall, RunningService } from './service.ts';
import { outputOf, requestOf } from './service-request.ts';

/** A service and what it has become. */
export interface StartedService {
  service: AwsService;
  running: RunningService<unknown>;
}

/** Of a host, what does not come from the cloud itself. */
export type CloudOptions = Omit<Host, ProvidedByCloud>;

type ProvidedByCloud =
  | ('authorizer' | 'deliver' | 'isTarget' | 'handleOf' | 'whenActive' | 'call' | 'mayAssume' | 'addSession')
  | ('metric' | 'onMetric' | 'reportsMetric');

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
  readonly #metricListeners: ((report: MetricReport) => void)[] = [];
  readonly #active = Promise.withResolvers<void>();
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
    this.#identities = new LocalIdentities([], { accountId, clock: options.clock });
    this.#refusals = new Refusals((line) => options.options.onWarning?.(line));
    const policies = new ResourcePolicies((arn) => this.#started.get(serviceOfArn(arn))?.running.policyOf?.(arn));
    this.authorizer = new Authorizer({
      identities: {
        callerOf: (accessKeyId) => this.callerOf(accessKeyId),
        sessionOf: (roleArn, principal, sourceArn) => this.#identities.sessionOf(roleArn, principal, sourceArn),
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
      call: (call) => this.#call(call),
      mayAssume: (roleArn, principal, sourceArn) => this.#identities.mayAssume(roleArn, principal, sourceArn),
      addSession: (session) => this.#identities.addSession(session),
      metric: (report) => {
        for (const listen of this.#metricListeners) listen(report);
      },
      onMetric: (listener) => this.#metricListeners.push(listener),
      reportsMetric: (namespace, name) => services.some(({ metrics }) => metrics?.[namespace]?.includes(name)),
      whenActive: this.#active.promise,
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

  /** What a console shows of each service, with what differs from AWS; null of one that shows nothing. */
  consoles(): Readonly<Record<string, unknown>> {
    const shown = ({ service: { differences }, running }: StartedService): unknown => {
      const state = running.console?.() ?? null;
      return differences === undefined ? state : { ...(state as object | null), differences };
    };
    return Object.fromEntries(this.started.map((started) => [started.service.name, shown(started)]));
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
    this.#identities = new LocalIdentities(stacks, this.host);
    for (const { running } of this.started) await running.activate?.(stacks);
    this.#active.resolve();
  }

  /** What works differently here than stacks declare, each as one line. */
  warnings(stacks: readonly Stack[]): string[] {
    return stacks.flatMap((stack) => deploymentWarnings(stack, this.resourceTypes, this.host));
  }

  /** Ends all services, in reverse, each of them also when another one fails to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.started.map(async ({ running }) => running.deactivate?.()));
    await this.#owned.disposeAsync();
    this.#started.clear();
  }

  async #call({ roleArn, sourceArn, trustedSourceArn = sourceArn, ...call }: RoleCall): Promise<unknown> {
    const { service, running } = this.#started.get(call.service) ?? {};
    if (!service || !running?.api)
      throw new AwsError('UnknownOperationException', `${call.service} is not available on this machine`);
    const principal = `${serviceOfArn(sourceArn)}.amazonaws.com`;
    const caller = this.#identities.sessionOf(roleArn, principal, trustedSourceArn);
    if (!caller)
      throw new AwsError('AccessDeniedException', `The role ${roleArn} does not let ${principal} assume it`, 403);
    this.authorizer.authorizeCaller(caller, call);
    const request = requestOf(service, call, this.host.region);
    const answer = await running.api({ ...call, caller, accessKeyId: roleArn, request, isMetered: false });
    return outputOf(answer);
  }

  #targetOf(name: string) {
    const { service, running } = this.#started.get(name) ?? {};
    return service && running?.deliver ? { service, deliver: running.deliver, isThere: running.isThere } : undefined;
  }
}
