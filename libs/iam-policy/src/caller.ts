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
  /** Of a function its name. */
  readonly functionName?: string;
  /** Set where AWS itself calls, for one of the account's resources. */
  readonly service?: {
    /** e.g. `events.amazonaws.com` */
    readonly principal: string;
    /** ARN of the resource it works for, e.g. of a rule. */
    readonly sourceArn: string;
  };
}

/** A service of AWS that calls for a resource: it has no policies of its own, so what it calls has to let it in. */
export function serviceCaller(principal: string, sourceArn: string, accountId: string): Caller {
  return {
    arn: principal,
    principalArn: principal,
    accountId,
    identityPolicies: [],
    service: { principal, sourceArn },
  };
}

/**
 * The condition keys of every request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function globalContext({ principalArn, accountId, service }: Caller): RequestContext {
  return new Map([
    ...(service
      ? ([
          ['aws:sourcearn', [service.sourceArn]],
          ['aws:sourceaccount', [accountId]],
          ['aws:principalisawsservice', ['true']],
          ['aws:principalservicename', [service.principal]],
        ] as const)
      : ([
          ['aws:principalarn', [principalArn]],
          ['aws:principalaccount', [accountId]],
          ['aws:principalisawsservice', ['false']],
        ] as const)),
    // Nothing leaves the machine here, and the endpoints that stand in for this one take nothing but TLS.
    ['aws:securetransport', ['true']],
  ]);
}
