import type { Policy } from './policy.ts';
import type { RequestContext } from './policy-text.ts';

/** Who makes a request. */
export interface Caller {
  /** As messages name it: `arn:aws:sts::…:assumed-role/<role>/<session>` of a function, `arn:aws:iam::…:user/<name>`. */
  readonly arn: string;
  /** As policies name it, in `Principal` and `aws:PrincipalArn`: of a function its role. */
  readonly principalArn: string;
  readonly accountId: string;
  /** What is attached to the identity; undefined where it may do everything that no other policy denies. */
  readonly identityPolicies: readonly Policy[] | undefined;
}

/**
 * The condition keys of every request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function globalContext({ principalArn, accountId }: Caller): RequestContext {
  return new Map([
    ['aws:principalarn', [principalArn]],
    ['aws:principalaccount', [accountId]],
    // Nothing leaves the machine here, and the endpoints that stand in for this one take nothing but TLS.
    ['aws:securetransport', ['true']],
  ]);
}
