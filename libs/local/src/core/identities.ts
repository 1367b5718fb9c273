import { randomBytes } from 'node:crypto';
import { type Stack, TemplateError } from '@millrace/cloudformation';
import {
  type Caller,
  compilePolicy,
  findRefusal,
  notAbout,
  type Policy,
  PolicyError,
  type Statement,
  serviceCaller,
} from '@millrace/iam-policy';
import type { Input } from './access.ts';
import { AwsError } from './aws-error.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';

/**
 * Services that give the account as the external id when they assume a role.
 * https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#firehose-assume-role
 */
const WITH_EXTERNAL_ID: ReadonlySet<string> = new Set(['firehose.amazonaws.com']);

/** The secret access key of every function. */
export const FUNCTION_SECRET = 'local';

/**
 * How the access key ids of sessions begin, so that they are known when the session is not remembered any more: after it has expired,
 * or in a later process. AWS's own have letters and the digits from 2 to 7.
 */
const SESSION_KEY_PREFIX = 'ASIA0';

/** True for the access key id of a session of a role, also of one that is over. */
export function isSessionKey(accessKeyId: string | undefined): accessKeyId is string {
  return accessKeyId?.startsWith(SESSION_KEY_PREFIX) ?? false;
}

/** Sessions of roles whose decisions are remembered: callers choose their names. */
const KEPT_CALLERS = 1000;

/** A statement that is taken away, or one action of it, in lower case. */
interface WithheldGrant {
  index: number;
  action: string | undefined;
}

/** Credentials of a role for a time. */
export interface RoleSession {
  roleArn: string;
  name: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * Who signs requests on this machine. A function's access key id is its name, and it acts under its role; any other access key
 * id is an operator, who may do everything that the policy of a resource does not deny.
 */
export class LocalIdentities {
  readonly #accountId: string;
  /** By function name. */
  readonly #functions = new Map<string, Caller>();
  /** By function name. */
  readonly #withheld = new Map<string, Set<WithheldGrant>>();
  /** By function name, as they are when nothing is withheld. */
  readonly #entitled: ReadonlyMap<string, Caller>;
  /** Policies and trust policies of the templates' roles, by ARN. */
  readonly #policies: ReadonlyMap<string, readonly Policy[]>;
  readonly #trust: ReadonlyMap<string, Policy>;
  /** Sessions of roles, by the role's ARN and their own. */
  readonly #assumed = new BoundedMap<string, Caller>(KEPT_CALLERS);
  /** By access key id, until they expire. */
  readonly #sessions = new Map<string, { caller: Caller; expiresAt: number }>();
  readonly #clock: Clock;

  /**
   * @param stacks with their resources created: policies may name what is known only then
   * @throws TemplateError for a policy of a role that cannot be evaluated
   */
  constructor(stacks: readonly Stack[], { accountId, clock }: { accountId: string; clock: Clock }) {
    this.#accountId = accountId;
    this.#clock = clock;
    const roles = policiesOfRoles(stacks);
    this.#policies = roles;
    this.#trust = trustPolicies(stacks);
    for (const stack of stacks) {
      for (const { logicalId, name } of stack.resourcesOfType('AWS::Lambda::Function')) {
        const roleArn = String(stack.properties(logicalId).Role ?? `arn:aws:iam::${accountId}:role/${name}`);
        const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
        this.#functions.set(name, {
          arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${name}`,
          principalArn: roleArn,
          accountId,
          // Nobody here knows what a role that stands in none of the templates may do.
          identityPolicies: roles.get(roleArn),
          functionName: name,
        });
      }
    }
    this.#entitled = new Map(this.#functions);
  }

  /**
   * Whose an access key id is; that of a request without a signature is undefined.
   * @throws AwsError ExpiredTokenException for a session that is over
   */
  callerOf(accessKeyId = 'anonymous'): Caller {
    const known = this.#functions.get(accessKeyId);
    if (known) return known;
    if (isSessionKey(accessKeyId)) {
      const session = this.#sessions.get(accessKeyId);
      if (session && this.#clock.now() < session.expiresAt) return session.caller;
      throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403);
    }
    const arn = `arn:aws:iam::${this.#accountId}:user/${accessKeyId}`;
    return { arn, principalArn: arn, accountId: this.#accountId, identityPolicies: undefined };
  }

  /**
   * The session of a role that a service of AWS assumes. As with functions, a role that no template has is not held to any policy.
   *
   * @param principal the service, e.g. `events.amazonaws.com`
   * @param sourceArn the resource that it assumes the role for
   * @returns undefined when the role's trust policy does not let the service in
   */
  sessionOf(roleArn: string, principal: string, sourceArn: string): Caller | undefined {
    return this.mayAssume(roleArn, principal, sourceArn)
      ? this.#callerAs(roleArn, principal.split('.')[0] ?? '')
      : undefined;
  }

  /**
   * Starts a session of a role.
   * @returns its access key id; undefined when no template has the role
   */
  addSession({ roleArn, name, expiresAt }: RoleSession): string | undefined {
    if (!this.#trust.has(roleArn)) return undefined;
    const accessKeyId = `${SESSION_KEY_PREFIX}${randomBytes(8).toString('hex').slice(1).toUpperCase()}`;
    this.#sessions.set(accessKeyId, { caller: this.#callerAs(roleArn, name), expiresAt });
    this.#clock.setTimer(expiresAt, () => this.#sessions.delete(accessKeyId));
    return accessKeyId;
  }

  /**
   * True if a role's trust policy lets a principal assume it, or if no template has the role.
   * @param principal a service, or the ARN of a role or user
   * @param sourceArn the resource that a service works for, or the ARN of the session
   */
  mayAssume(roleArn: string, principal: string, sourceArn: string): boolean {
    const trust = this.#trust.get(roleArn);
    if (!trust) return true;
    const accountId = this.#accountId;
    const caller: Caller = principal.startsWith('arn:')
      ? { arn: sourceArn, principalArn: principal, accountId, identityPolicies: [] }
      : serviceCaller(principal, sourceArn, accountId);
    const context = new Map(WITH_EXTERNAL_ID.has(principal) ? [['sts:externalid', [accountId]]] : []);
    return findRefusal(caller, { action: 'sts:AssumeRole', resource: roleArn, context }, [trust]) === undefined;
  }

  /** The same object each time, so that decisions about it are remembered. */
  #callerAs(roleArn: string, name: string): Caller {
    const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    const arn = `arn:aws:sts::${this.#accountId}:assumed-role/${role}/${name}`;
    const known = this.#assumed.get(`${roleArn} ${arn}`);
    if (known) return known;
    const identityPolicies = this.#policies.get(roleArn);
    const caller: Caller = { arn, principalArn: roleArn, accountId: this.#accountId, identityPolicies };
    return this.#assumed.set(`${roleArn} ${arn}`, caller);
  }

  /** The statements of all policies of a function's role, as its templates have them. */
  statementsOf(functionName: string): readonly Statement['source'][] {
    return this.#statements(functionName).map(({ source }) => source);
  }

  /**
   * Takes one statement away from a function, and from no other that shares its role, until the returned function is called.
   * @param index in what `statementsOf` returns
   * @param action the only one that the statement shall say nothing of; all of them without it
   * @throws RangeError when there is no such statement
   */
  withhold(functionName: string, index: number, action?: string): () => void {
    if (!this.#statements(functionName)[index]) {
      throw new RangeError(`${functionName} has no statement ${index} that could be withheld`);
    }
    const grant: WithheldGrant = { index, action: action?.toLowerCase() };
    const withheld = this.#withheld.get(functionName) ?? new Set();
    this.#withheld.set(functionName, withheld.add(grant));
    this.#entitle(functionName);
    return () => {
      withheld.delete(grant);
      this.#entitle(functionName);
    };
  }

  #statements(functionName: string): readonly Statement[] {
    return (this.#entitled.get(functionName)?.identityPolicies ?? []).flatMap(({ statements }) => statements);
  }

  /** Replaces the caller: what was decided for another one is decided anew. */
  #entitle(functionName: string): void {
    const entitled = this.#entitled.get(functionName);
    const withheld = this.#withheld.get(functionName);
    if (!entitled || !withheld) return;
    const statements = this.#statements(functionName).map((statement, index): Statement => {
      const lost = [...withheld].filter((grant) => grant.index === index);
      const isLost = (action: string): boolean =>
        lost.some((grant) => grant.action === undefined || grant.action === action.toLowerCase());
      return {
        ...statement,
        match: (request) => (isLost(request.action) ? notAbout : statement.match(request)),
      };
    });
    this.#functions.set(functionName, { ...entitled, identityPolicies: [{ type: 'identity-based', statements }] });
  }
}

/** The policies of the templates' roles, by the role's ARN: inline, attached from a policy, and managed ones of the templates. */
function policiesOfRoles(stacks: readonly Stack[]): ReadonlyMap<string, readonly Policy[]> {
  const policies = new Map<string, Policy[]>();
  const managed = new Map<string, Policy>();
  const arnsByName = new Map<string, string>();
  const each = (type: string, visit: (stack: Stack, logicalId: string, name: string, place: string) => void): void => {
    for (const stack of stacks) {
      for (const { logicalId, name } of stack.resourcesOfType(type)) {
        visit(stack, logicalId, name, `Resources.${logicalId}.Properties`);
      }
    }
  };
  const attach = (roleNames: unknown, policy: Policy): void => {
    for (const name of Array.isArray(roleNames) ? roleNames : []) {
      policies.get(arnsByName.get(String(name)) ?? '')?.push(policy);
    }
  };

  each('AWS::IAM::Role', (stack, logicalId, name, place) => {
    const arn = stack.attribute(logicalId, 'Arn');
    const inline = stack.properties(logicalId).Policies;
    const documents = Array.isArray(inline) ? inline : [];
    arnsByName.set(name, arn);
    policies.set(
      arn,
      documents.map((policy, index) =>
        compile(stack, policy.PolicyDocument, `${place}.Policies[${index}].PolicyDocument`),
      ),
    );
  });
  each('AWS::IAM::Policy', (stack, logicalId, _name, place) => {
    const { PolicyDocument, Roles } = stack.properties(logicalId);
    attach(Roles, compile(stack, PolicyDocument, `${place}.PolicyDocument`));
  });
  each('AWS::IAM::ManagedPolicy', (stack, logicalId, _name, place) => {
    const { PolicyDocument, Roles } = stack.properties(logicalId);
    const policy = compile(stack, PolicyDocument, `${place}.PolicyDocument`);
    managed.set(stack.ref(logicalId), policy);
    attach(Roles, policy);
  });
  each('AWS::IAM::Role', (stack, logicalId) => {
    const { ManagedPolicyArns } = stack.properties(logicalId);
    for (const arn of Array.isArray(ManagedPolicyArns) ? ManagedPolicyArns : []) {
      const policy = managed.get(String(arn));
      if (policy) policies.get(stack.attribute(logicalId, 'Arn'))?.push(policy);
    }
  });
  return policies;
}

/** Who may assume the templates' roles, by the role's ARN. */
function trustPolicies(stacks: readonly Stack[]): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const stack of stacks) {
    for (const { logicalId } of stack.resourcesOfType('AWS::IAM::Role')) {
      const { AssumeRolePolicyDocument } = stack.properties(logicalId);
      const { Statement = [], ...document } = documentOf(AssumeRolePolicyDocument);
      const statements = (Array.isArray(Statement) ? Statement : [Statement]) as object[];
      const place = `Resources.${logicalId}.Properties.AssumeRolePolicyDocument`;
      // It is about the role it belongs to, and so has no Resource.
      const onRole = { ...document, Statement: statements.map((statement) => ({ Resource: '*', ...statement })) };
      const { statements: compiled } = compile(stack, onRole, place, 'resource-based');
      // A caller that is let in by its account needs no other permission: its own policies have been asked before.
      policies.set(stack.attribute(logicalId, 'Arn'), { type: 'identity-based', statements: compiled });
    }
  }
  return policies;
}

function documentOf(value: unknown): Input {
  return ((typeof value === 'string' ? JSON.parse(value) : value) ?? {}) as Input;
}

function compile(stack: Stack, document: unknown, place: string, type: Policy['type'] = 'identity-based'): Policy {
  try {
    return compilePolicy(document, type, place);
  } catch (error) {
    if (error instanceof PolicyError) throw new TemplateError(stack.name, '', error.message);
    throw error;
  }
}
