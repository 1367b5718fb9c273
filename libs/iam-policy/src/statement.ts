import { compileArn } from './arn-pattern.ts';
import { compileCondition, type KeyCondition } from './condition.ts';
import { PolicyError } from './policy-error.ts';
import { PolicyText, type RequestContext } from './policy-text.ts';

/** What somebody wants to do. */
export interface AccessRequest {
  /** As `aws:PrincipalArn` has it: of a role's session, the role. */
  readonly principalArn: string;
  /** The session's own ARN, which a `Principal` may name too. */
  readonly sessionArn: string;
  readonly accountId: string;
  /** The service of AWS that calls, if it is one, e.g. `events.amazonaws.com`. */
  readonly service: string | undefined;
  /** e.g. `events:PutEvents` */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  readonly context: RequestContext;
}

export type PolicyType = 'identity-based' | 'resource-based';

/** Whether a statement is about a request. Where only its conditions stand in the way, they are named. */
export type StatementMatch =
  | {
      readonly applies: true;
      /** The keys of its conditions, in lower case. */
      readonly conditionKeys: readonly string[];
      /** Its Principal names the caller by nothing but the account: the account's own policies then have to allow it. */
      readonly throughAccount: boolean;
    }
  | { readonly applies: false; readonly failedKeys: readonly string[] };

/** One statement of a policy, compiled. */
export interface Statement {
  /** As the policy has it. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly effect: 'Allow' | 'Deny';
  match(request: AccessRequest): StatementMatch;
}

type Test = (request: AccessRequest) => boolean;
type PrincipalMatch = 'caller' | 'account' | undefined;
type Options = { variables: boolean };

const elements = new Set([
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'],
]);
/** Of a statement that says nothing of a request. */
export const notAbout: StatementMatch = { applies: false, failedKeys: [] };

/**
 * Compiles one statement.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 * @param type a resource-based policy says who is meant, an identity-based one cannot
 * @param place where the statement stands, for messages
 * @throws PolicyError
 */
export function compileStatement(source: unknown, type: PolicyType, options: Options, place: string): Statement {
  if (!isObject(source)) throw new PolicyError(place, 'must be an object');
  const unknown = Object.keys(source).find((element) => !elements.has(element));
  if (unknown !== undefined) throw new PolicyError(place, `a statement has no element ${unknown}`);
  const { Effect: effect, Condition } = source;
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError(`${place}.Effect`, 'must be Allow or Deny');

  const principal = compilePrincipal(source, type, place);
  const action = compileElement(source, 'Action', place, (text) => {
    const pattern = PolicyText.parse(text, { wildcards: true, variables: false });
    return (request) => pattern.matches(request.action, request.context, { ignoreCase: true });
  });
  const resource = compileElement(source, 'Resource', place, (text) => {
    const pattern = compileArn(text, options);
    return (request) => pattern(request.resource, request.context);
  });
  const conditions: KeyCondition[] =
    Condition === undefined ? [] : compileCondition(Condition, options, `${place}.Condition`);
  const conditionKeys = conditions.map(({ key }) => key);

  return {
    source,
    effect,
    match(request) {
      const who = principal(request);
      if (!who || !action(request) || !resource(request)) return notAbout;
      const failed = conditions.filter(({ holds }) => !holds(request.context));
      if (failed.length > 0) return { applies: false, failedKeys: failed.map(({ key }) => key) };
      return { applies: true, conditionKeys, throughAccount: who === 'account' };
    },
  };
}

/** An element that has a form with `Not` in front, of which a statement must have exactly one. */
function compileElement(
  source: Record<string, unknown>,
  name: 'Action' | 'Resource',
  place: string,
  compile: (text: string) => Test,
): Test {
  const positive = source[name];
  const negative = source[`Not${name}`];
  if ((positive === undefined) === (negative === undefined)) {
    throw new PolicyError(place, `needs either ${name} or Not${name}`);
  }
  const tests = texts(positive ?? negative, `${place}.${positive === undefined ? 'Not' : ''}${name}`).map(compile);
  return (request) => tests.some((test) => test(request)) === (positive !== undefined);
}

function compilePrincipal(
  source: Record<string, unknown>,
  type: PolicyType,
  place: string,
): (request: AccessRequest) => PrincipalMatch {
  const { Principal, NotPrincipal } = source;
  if (type === 'identity-based') {
    if (Principal === undefined && NotPrincipal === undefined) return () => 'caller';
    throw new PolicyError(place, 'a policy of an identity cannot have a Principal');
  }
  if ((Principal === undefined) === (NotPrincipal === undefined)) {
    throw new PolicyError(place, 'needs either Principal or NotPrincipal');
  }
  if (Principal !== undefined) return principalMatcher(Principal, `${place}.Principal`);
  const isExcepted = principalMatcher(NotPrincipal, `${place}.NotPrincipal`);
  return (request) => (isExcepted(request) ? undefined : 'caller');
}

/**
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * Federated users are never the caller here, so what names them names nobody.
 */
function principalMatcher(principal: unknown, place: string): (request: AccessRequest) => PrincipalMatch {
  const kinds = isObject(principal) ? principal : { AWS: principal };
  if (!isObject(principal) && principal !== '*') {
    throw new PolicyError(place, 'must be "*" or an object such as { "AWS": "<ARN>" }');
  }
  const named = new Set(kinds.AWS === undefined ? [] : texts(kinds.AWS, `${place}.AWS`));
  const services = new Set(kinds.Service === undefined ? [] : texts(kinds.Service, `${place}.Service`));
  return ({ principalArn, sessionArn, accountId, service }) => {
    if (named.has('*')) return 'caller';
    if (service !== undefined) return services.has(service) ? 'caller' : undefined;
    if (named.has(principalArn) || named.has(sessionArn)) return 'caller';
    return named.has(accountId) || named.has(`arn:aws:iam::${accountId}:root`) ? 'account' : undefined;
  };
}

function texts(value: unknown, place: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === 'string')) return list;
  throw new PolicyError(place, 'must be a text or a list of texts');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
