import { type Access, type Caller, findRefusal, type Policy, type Refusal, serviceCaller } from '@millrace/iam-policy';
import type { AccessOf, ArnOf, Input } from './access.ts';
import { AwsError } from './aws-error.ts';
import { BoundedMap } from './bounded-map.ts';
import { DeliveryError, type Sender } from './delivery.ts';
import type { LocalIdentities } from './identities.ts';
import type { Refusals } from './refusals.ts';

/** A request to one of AWS's services. */
export interface ServiceCall {
  /** As in a request's signature. */
  service: string;
  /** Its name, or `<method> <path>` with a REST API. */
  operation: string;
  input: Input;
}

/** What is known of a service's permissions. */
export interface ServicePermissions {
  access: AccessOf;
  /** How a missing permission is answered: AccessDeniedException with status 400 unless given. */
  refusal?: { code: string; status: number };
}

export interface AuthorizerOptions {
  identities: Pick<LocalIdentities, 'callerOf' | 'sessionOf'>;
  /** By the name of the service. */
  services: ReadonlyMap<string, ServicePermissions>;
  accountId: string;
  region: string;
  /** The policy of a queue or a topic. */
  policyOf: (resourceArn: string) => Policy | undefined;
  refusals: Refusals;
}

/** Decisions of one caller that are remembered: objects of buckets are resources, too. */
const KEPT_DECISIONS = 1000;
/** Services that work for a resource: each schedule is one. */
const KEPT_SERVICES = 1000;

interface Decision {
  /** Of the resource, at the time. */
  policy: Policy | undefined;
  refusal: Refusal | undefined;
}

/** Decides about everything that functions do, and that AWS does in their name or for a resource of the templates. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #arn: ArnOf;
  /** By caller, then by action and resource. A caller whose permissions change is another one. */
  readonly #decisions = new WeakMap<Caller, BoundedMap<string, Decision>>();
  /** By principal and source. */
  readonly #services = new BoundedMap<string, Caller>(KEPT_SERVICES);

  constructor(options: AuthorizerOptions) {
    const { accountId, region } = options;
    this.#options = options;
    this.#arn = (service, resource) => `arn:aws:${service}:${region}:${accountId}:${resource}`;
  }

  /**
   * Lets a request pass, or refuses it.
   * @param accessKeyId of its signature; a function's is its name
   * @throws AwsError as the service answers it
   */
  authorize(accessKeyId: string | undefined, call: ServiceCall): void {
    this.authorizeCaller(this.#options.identities.callerOf(accessKeyId), call);
  }

  /**
   * Lets a call pass that a service makes in the name of somebody, or refuses it.
   * @throws AwsError as the service answers it
   */
  authorizeCaller(caller: Caller, call: ServiceCall): void {
    const accesses = this.#accesses(call);
    if (accesses) {
      for (const access of accesses) this.#require(caller, access);
    } else if (caller.identityPolicies !== undefined) {
      const message = `What ${call.service} ${call.operation} needs permission for is not known on this machine, so no function may call it`;
      const access = { action: `${call.service}:${call.operation}`, resource: '*' };
      this.#options.refusals.add(caller, access, message, 'unknown');
      throw this.#refused(call.service, message);
    }
  }

  /** Whether a request may pass. Nobody is told when it may not. */
  allows(accessKeyId: string | undefined, call: ServiceCall): boolean {
    const caller = this.#options.identities.callerOf(accessKeyId);
    const accesses = this.#accesses(call);
    if (!accesses) return caller.identityPolicies === undefined;
    return accesses.every((access) => this.#decide(caller, access) === undefined);
  }

  /**
   * Lets AWS do something with a function's role.
   * @throws AwsError as the service of the action answers it
   */
  authorizeRole(functionName: string, access: Access): void {
    this.#require(this.#options.identities.callerOf(functionName), access);
  }

  /**
   * Who a sender is when it calls a target.
   * @throws DeliveryError FAILED_TO_ASSUME_ROLE where the role of the sender does not let the service assume it
   */
  callerOfSender(sender: Sender): Caller {
    const { identities, accountId } = this.#options;
    if ('functionName' in sender) return identities.callerOf(sender.functionName);
    const { service, sourceArn, roleArn } = sender;
    if (roleArn !== undefined) {
      const session = identities.sessionOf(roleArn, service, sourceArn);
      if (session) return session;
      throw new DeliveryError('FAILED_TO_ASSUME_ROLE', `The role ${roleArn} does not let ${service} assume it`, false);
    }
    const key = `${service} ${sourceArn}`;
    return this.#services.get(key) ?? this.#services.set(key, serviceCaller(service, sourceArn, accountId));
  }

  /**
   * Whether a sender may do something.
   * @returns the refusal, which has been reported; undefined when it may
   * @throws DeliveryError FAILED_TO_ASSUME_ROLE
   */
  findSenderRefusal(sender: Sender, access: Access): Refusal | undefined {
    // The policy that SNS gives every topic lets the account's own alarms in, and no rules.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    const hasDefaultPolicy = access.resource.startsWith('arn:aws:sns:') && !this.#options.policyOf(access.resource);
    if (hasDefaultPolicy && 'service' in sender && sender.service === 'cloudwatch.amazonaws.com') return undefined;
    const caller = this.callerOfSender(sender);
    const refusal = this.#decide(caller, access);
    if (refusal) this.report(caller, access, refusal);
    return refusal;
  }

  /** Whether a function's role lets its lines into its log group, whose streams the template does not create. */
  mayLog(functionName: string): boolean {
    const caller = this.#options.identities.callerOf(functionName);
    const resource = this.#arn('logs', `log-group:/aws/lambda/${functionName}:log-stream:*`);
    return ['logs:CreateLogStream', 'logs:PutLogEvents'].every((action) => {
      const refusal = this.#decide(caller, { action, resource });
      if (refusal) this.report(caller, { action, resource }, refusal);
      return !refusal;
    });
  }

  /** Remembers a refusal that was found elsewhere. */
  report(caller: Caller, access: Access, { message, explicit }: Refusal): void {
    this.#options.refusals.add(caller, access, message, explicit ? 'denied' : 'not allowed');
  }

  #accesses({ service, operation, input }: ServiceCall): readonly Access[] | undefined {
    return this.#options.services.get(service)?.access(operation, input, this.#arn);
  }

  #require(caller: Caller, access: Access): void {
    const refusal = this.#decide(caller, access);
    if (!refusal) return;
    this.report(caller, access, refusal);
    throw this.#refused(access.action.slice(0, access.action.indexOf(':')), refusal.message);
  }

  #decide(caller: Caller, access: Access): Refusal | undefined {
    const policy = this.#options.policyOf(access.resource);
    if (caller.identityPolicies === undefined && !policy) return undefined;
    const decide = (): Refusal | undefined => findRefusal(caller, access, policy ? [policy] : []);
    // With values of the request in it, hardly any decision would be met again.
    if (access.context) return decide();
    const decisions = this.#decisions.get(caller) ?? new BoundedMap<string, Decision>(KEPT_DECISIONS);
    this.#decisions.set(caller, decisions);
    const key = `${access.action} ${access.resource}`;
    const known = decisions.get(key);
    if (known && known.policy === policy) return known.refusal;
    const refusal = decide();
    decisions.set(key, { policy, refusal });
    return refusal;
  }

  #refused(service: string, message: string): AwsError {
    const { code, status } = this.#options.services.get(service)?.refusal ?? {
      code: 'AccessDeniedException',
      status: 400,
    };
    return new AwsError(code, message, status);
  }
}
