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

/** A statement that is taken away, or one action of it, in lower case. */
interface WithheldGrant {
  index: number;
  action: string | undefined;
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
  readonly #stacks: readonly Stack[];
  readonly #rolePolicies: ReadonlyMap<string, readonly Policy[]>;
  /** Sessions of roles, by the role's ARN and the service that has assumed it. Undefined where it may not. */
  readonly #sessions = new Map<string, Caller | undefined>();

  /**
   * @param stacks with their resources created: policies may name what is known only then
   * @throws TemplateError for a policy of a role that cannot be evaluated
   */
  constructor(stacks: readonly Stack[], { accountId }: { accountId: string }) {
    this.#accountId = accountId;
    const roles = policiesOfRoles(stacks);
    this.#stacks = stacks;
    this.#rolePolicies = roles;
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

  /** Whose an access key id is; that of a request without a signature is undefined. */
  callerOf(accessKeyId = 'anonymous'): Caller {
    const known = this.#functions.get(accessKeyId);
    if (known) return known;
    const arn = `arn:aws:iam::${this.#accountId}:user/${accessKeyId}`;
    return { arn, principalArn: arn, accountId: this.#accountId, identityPolicies: undefined };
  }

  /**
   * The session of a role that a service of AWS assumes. As with functions, a role that no template has is not held to any policy.
   *
   * @param principal the service, e.g. `events.amazonaws.com`
   * @returns undefined when the role's trust policy does not let the service in
   * @throws PolicyError for a trust policy that cannot be evaluated
   */
  sessionOf(roleArn: string, principal: string): Caller | undefined {
    const key = `${roleArn} ${principal}`;
    if (!this.#sessions.has(key)) this.#sessions.set(key, this.#assume(roleArn, principal));
    return this.#sessions.get(key);
  }

  #assume(roleArn: string, principal: string): Caller | undefined {
    const accountId = this.#accountId;
    const trust = trustPolicyOf(this.#stacks, roleArn);
    const access = { action: 'sts:AssumeRole', resource: roleArn };
    if (trust && findRefusal(serviceCaller(principal, roleArn, accountId), access, [trust])) return undefined;
    const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    return {
      arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${principal.split('.')[0]}`,
      principalArn: roleArn,
      accountId,
      identityPolicies: this.#rolePolicies.get(roleArn),
    };
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

/** The trust policy of a role of the templates. It has no resources: it is about the role. */
function trustPolicyOf(stacks: readonly Stack[], roleArn: string): Policy | undefined {
  for (const stack of stacks) {
    for (const { logicalId } of stack.resourcesOfType('AWS::IAM::Role')) {
      if (stack.attribute(logicalId, 'Arn') !== roleArn) continue;
      const { AssumeRolePolicyDocument: document } = stack.properties(logicalId);
      const { Statement, ...rest } = (typeof document === 'string' ? JSON.parse(document) : document) ?? {};
      const statements = [Statement ?? []].flat().map((statement) => ({ ...statement, Resource: '*' }));
      const place = `${stack.name}: Resources.${logicalId}.Properties.AssumeRolePolicyDocument`;
      return compilePolicy({ ...rest, Statement: statements }, 'resource-based', place);
    }
  }
  return undefined;
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

function compile(stack: Stack, document: unknown, place: string): Policy {
  try {
    return compilePolicy(document, 'identity-based', place);
  } catch (error) {
    if (error instanceof PolicyError) throw new TemplateError(stack.name, '', error.message);
    throw error;
  }
}
