import { type Caller, globalContext } from './caller.ts';
import type { Policy } from './policy.ts';
import type { RequestContext } from './policy-text.ts';
import type { AccessRequest, PolicyType, StatementMatch } from './statement.ts';

/** Why a request is refused. */
export interface Refusal {
  /** As AWS words it: `User: … is not authorized to perform: … on resource: … because …`. */
  readonly message: string;
  /** A statement denies it; otherwise none allows it. */
  readonly explicit: boolean;
  /**
   * Of an explicit denial the condition keys, in lower case, of the statement that denies; otherwise those of the statement
   * that came nearest to allowing it whose conditions failed: empty where none is about the action and the resource at all.
   */
  readonly conditionKeys: readonly string[];
}

/** One action on one resource, which a request needs permission for. */
export interface Access {
  /** e.g. `dynamodb:PutItem` */
  readonly action: string;
  /** ARN, or `*` where the action is about nothing in particular. */
  readonly resource: string;
  /** The condition keys of the service itself, in lower case. */
  readonly context?: RequestContext;
  /**
   * The policy of the resource decides, too: without a statement that lets the caller in, or leaves it to the account, what the caller's
   * own policies allow does not count. So it is with keys of KMS.
   * https://docs.aws.amazon.com/kms/latest/developerguide/control-access-overview.html
   */
  readonly resourceMustAllow?: boolean;
}

/**
 * Evaluates the policies about one request within one account: a denial anywhere refuses it; otherwise the caller's own
 * policies or the resource's must allow it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource-based.html
 * @param access the global condition keys are added to those given
 * @returns the refusal; undefined when the request is allowed
 */
export function findRefusal(
  caller: Caller,
  { action, resource, context = new Map(), resourceMustAllow = false }: Access,
  resourcePolicies: readonly Policy[],
): Refusal | undefined {
  const full: AccessRequest = {
    principalArn: caller.principalArn,
    sessionArn: caller.arn,
    accountId: caller.accountId,
    service: caller.service?.principal,
    action,
    resource,
    context: new Map([...globalContext(caller), ...context]),
  };
  const evaluated = [...(caller.identityPolicies ?? []), ...resourcePolicies].flatMap((policy) =>
    policy.statements.map((statement) => ({
      effect: statement.effect,
      type: policy.type,
      match: statement.match(full),
    })),
  );
  const refuse = (reason: string, explicit: boolean, conditionKeys: readonly string[]): Refusal => ({
    message: `${caller.service ? '' : 'User: '}${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
    explicit,
    conditionKeys,
  });

  for (const { effect, type, match } of evaluated) {
    if (effect === 'Deny' && match.applies) {
      return refuse(`with an explicit deny in ${withArticle(type)} policy`, true, match.conditionKeys);
    }
  }
  if (caller.identityPolicies === undefined) return undefined;
  const allowing = evaluated.filter(({ effect }) => effect === 'Allow');
  const letsIn = !resourceMustAllow || allowing.some(({ type, match }) => type === 'resource-based' && match.applies);
  if (letsIn && allowing.some(({ type, match }) => allows(type, match))) return undefined;
  const nearest = allowing
    .flatMap(({ match }) => (match.applies || match.failedKeys.length === 0 ? [] : [match.failedKeys]))
    .sort((one, other) => one.length - other.length)[0];
  const missing = caller.service || !letsIn ? 'resource-based' : 'identity-based';
  return refuse(`because no ${missing} policy allows the ${action} action`, false, nearest ?? []);
}

/** An account that a resource's policy names still has to allow its own identities what they do. */
function allows(type: PolicyType, match: StatementMatch): boolean {
  return match.applies && (type === 'identity-based' || !match.throughAccount);
}

function withArticle(type: PolicyType): string {
  return type === 'identity-based' ? 'an identity-based' : 'a resource-based';
}
