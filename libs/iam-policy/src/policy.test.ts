import { describe, expect, test } from '@jest/globals';
import { findRefusal, type Refusal } from './authorization.ts';
import type { Caller } from './caller.ts';
import { compilePolicy } from './policy.ts';

const account = '000000000000';
const role = `arn:aws:iam::${account}:role/shop-dev-RelayRole-1A2B`;
const session = `arn:aws:sts::${account}:assumed-role/shop-dev-RelayRole-1A2B/shop-dev-relay`;
const bus = `arn:aws:events:us-east-1:${account}:event-bus/shop`;

interface Question {
  identity?: object[];
  resource?: object[];
  version?: string;
  action?: string;
  on?: string;
  context?: Record<string, string | string[]>;
  mustAllow?: boolean;
}

/** Asks whether the role `shop-dev-RelayRole-1A2B` may put an event of `shop.orders` on the bus `shop`. */
function ask({ identity, resource = [], version = '2012-10-17', ...request }: Question): Refusal | undefined {
  const compile = (Statement: object[], type: 'identity-based' | 'resource-based') =>
    compilePolicy({ Version: version, Statement }, type, 'Policy');
  const caller: Caller = {
    arn: session,
    principalArn: role,
    accountId: account,
    identityPolicies: identity && [compile(identity, 'identity-based')],
  };
  const context = { 'events:source': 'shop.orders', 'events:detail-type': 'OrderPlaced', ...request.context };
  return findRefusal(
    caller,
    {
      action: request.action ?? 'events:PutEvents',
      resource: request.on ?? bus,
      context: new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), [value].flat()])),
      ...(request.mustAllow && { resourceMustAllow: true }),
    },
    resource.length === 0 ? [] : [compile(resource, 'resource-based')],
  );
}

const allow = (elements: object = {}) => ({ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus, ...elements });
const deny = (elements: object = {}) => ({ ...allow(elements), Effect: 'Deny' });
const anyone = { Principal: '*' };
const allowedIf = (Condition: object, context: Question['context'] = {}) =>
  ask({ identity: [allow({ Condition })], context }) === undefined;

describe('actions and resources', () => {
  test.each<[string, object, boolean]>([
    ['the action itself', { Action: 'events:PutEvents' }, true],
    ['another case', { Action: 'EVENTS:putevents' }, true],
    ['one of several', { Action: ['sqs:SendMessage', 'events:PutEvents'] }, true],
    ['a wildcard', { Action: 'events:Put*' }, true],
    ['single characters', { Action: 'events:Put?vents' }, true],
    ['everything', { Action: '*' }, true],
    ['another action', { Action: 'events:PutRule' }, false],
    ['a beginning only', { Action: 'events:Put' }, false],
    ['a wildcard that stands for too much', { Action: 'events:*Rule' }, false],
    ['all actions but others', { Action: undefined, NotAction: 'events:PutRule' }, true],
    ['all actions but this', { Action: undefined, NotAction: ['events:Put*'] }, false],
    ['any resource', { Resource: '*' }, true],
    ['one of several resources', { Resource: ['arn:aws:sqs:*:*:x', bus] }, true],
    ['a wildcard in each component', { Resource: 'arn:aws:events:*:*:event-bus/s*p' }, true],
    ['an incomplete ARN', { Resource: 'arn:aws:events' }, true],
    ['a wildcard that would have to reach over a colon', { Resource: 'arn:aws:events:*:event-bus/shop' }, false],
    ['another resource', { Resource: `${bus}s` }, false],
    ['another case of the resource', { Resource: bus.replace('shop', 'Shop') }, false],
    ['all resources but another', { Resource: undefined, NotResource: `${bus}s` }, true],
    ['all resources but this', { Resource: undefined, NotResource: bus }, false],
    ['a variable', { Resource: `arn:aws:events:*:\${aws:PrincipalAccount}:event-bus/\${events:none, 'shop'}` }, true],
    ['a variable that the request lacks', { Resource: `arn:aws:events:*:*:event-bus/\${events:none}` }, false],
  ])('%s', (_name, elements, allowed) => {
    expect(ask({ identity: [allow(elements)] }) === undefined).toBe(allowed);
  });

  test('a variable is plain text in an old policy', () => {
    const Condition = { StringEquals: { 'events:source': `\${events:source}` } };
    expect(ask({ identity: [allow({ Condition })] })).toBeUndefined();
    expect(ask({ identity: [allow({ Condition })], version: '2008-10-17' })).toBeDefined();
  });
});

describe('conditions', () => {
  test.each<[string, object, boolean]>([
    ['StringEquals', { StringEquals: { 'events:source': 'shop.orders' } }, true],
    ['StringEquals, another value', { StringEquals: { 'events:source': 'shop.payments' } }, false],
    ['StringEquals, another case', { StringEquals: { 'events:source': 'Shop.orders' } }, false],
    ['StringEquals has no wildcards', { StringEquals: { 'events:source': 'shop.*' } }, false],
    ['several values: one is enough', { StringEquals: { 'events:source': ['a', 'shop.orders'] } }, true],
    ['keys have no case', { StringEquals: { 'Events:SOURCE': 'shop.orders' } }, true],
    [
      'several keys: all must hold',
      { StringEquals: { 'events:source': 'shop.orders', 'events:detail-type': 'X' } },
      false,
    ],
    [
      'several operators: all must hold',
      { StringEquals: { 'events:source': 'shop.orders' }, Null: { 'events:source': true } },
      false,
    ],
    ['StringNotEquals', { StringNotEquals: { 'events:source': 'shop.payments' } }, true],
    [
      'StringNotEquals, several values: none may be it',
      { StringNotEquals: { 'events:source': ['a', 'shop.orders'] } },
      false,
    ],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { 'events:source': 'SHOP.orders' } }, true],
    ['StringNotEqualsIgnoreCase', { StringNotEqualsIgnoreCase: { 'events:source': 'SHOP.orders' } }, false],
    ['StringLike', { StringLike: { 'events:source': ['x', 'sh?p.*'] } }, true],
    ['StringLike, the whole value', { StringLike: { 'events:source': 'shop.?' } }, false],
    ['StringLike, many wildcards', { StringLike: { 'events:source': '*s*o*r*d*r*s*' } }, true],
    ['StringLike, an escaped wildcard', { StringLike: { 'events:source': `shop.\${*}` } }, false],
    ['StringNotLike', { StringNotLike: { 'events:source': 'shop.*' } }, false],
    ['ArnLike', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/shop-*' } }, true],
    ['ArnLike, components', { ArnLike: { 'aws:PrincipalArn': 'arn:*:role/shop-*' } }, false],
    ['ArnEquals has wildcards too', { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/*' } }, true],
    ['ArnNotEquals', { ArnNotEquals: { 'aws:PrincipalArn': role } }, false],
    [
      'ArnNotLike, several values: none may be it',
      { ArnNotLike: { 'aws:PrincipalArn': ['arn:aws:iam::1:role/a', 'arn:aws:iam::*:role/shop-*'] } },
      false,
    ],
    [
      'ArnNotLike',
      { ArnNotLike: { 'aws:PrincipalArn': ['arn:aws:iam::*:role/a-*', 'arn:aws:iam::*:role/b-*'] } },
      true,
    ],
    ['Bool', { Bool: { 'aws:SecureTransport': 'true' } }, true],
    ['Bool, a JSON boolean', { Bool: { 'aws:SecureTransport': false } }, false],
    ['Null: the key must be there', { Null: { 'events:source': 'false' } }, true],
    ['Null: the key must be missing', { Null: { 'events:source': 'true' } }, false],
    ['Null of a missing key', { Null: { 'events:none': 'true' } }, true],
    ['a missing key', { StringEquals: { 'events:none': 'x' } }, false],
    ['a missing key, negated', { StringNotEquals: { 'events:none': 'x' } }, true],
    ['a missing key, IfExists', { StringEqualsIfExists: { 'events:none': 'x' } }, true],
    ['a key that is there, IfExists', { StringEqualsIfExists: { 'events:source': 'x' } }, false],
    ['aws:PrincipalAccount', { StringEquals: { 'aws:PrincipalAccount': account } }, true],
    ['a variable', { StringLike: { 'aws:PrincipalArn': `arn:aws:iam::\${aws:PrincipalAccount}:role/*` } }, true],
  ])('%s', (_name, condition, holds) => {
    expect(allowedIf(condition)).toBe(holds);
  });

  test.each<[string, object, string[], boolean]>([
    ['ForAnyValue: one of them', { 'ForAnyValue:StringEquals': { tags: ['a', 'b'] } }, ['b', 'c'], true],
    ['ForAnyValue: none of them', { 'ForAnyValue:StringEquals': { tags: ['a', 'b'] } }, ['c'], false],
    ['ForAnyValue: nothing there', { 'ForAnyValue:StringEquals': { tags: ['a'] } }, [], false],
    ['ForAnyValue, negated: one that is another', { 'ForAnyValue:StringNotEquals': { tags: ['a'] } }, ['a', 'b'], true],
    ['ForAnyValue, negated: nothing there', { 'ForAnyValue:StringNotEquals': { tags: ['a'] } }, [], false],
    ['ForAllValues: all of them', { 'ForAllValues:StringLike': { tags: ['a*', 'b'] } }, ['ab', 'b'], true],
    ['ForAllValues: not all', { 'ForAllValues:StringLike': { tags: ['a*'] } }, ['ab', 'b'], false],
    ['ForAllValues: nothing there', { 'ForAllValues:StringEquals': { tags: ['a'] } }, [], true],
    ['ForAllValues, negated', { 'ForAllValues:StringNotEquals': { tags: ['a'] } }, ['b', 'a'], false],
    ['a number', { NumericLessThanEquals: { tags: '10' } }, ['9.5'], true],
    ['a number, negated', { NumericNotEquals: { tags: 10 } }, ['10.0'], false],
    ['a date', { DateGreaterThan: { tags: '2026-01-01T00:00:00Z' } }, ['2026-01-01T00:00:01Z'], true],
    ['an address', { IpAddress: { tags: ['192.0.2.0/24', '10.0.0.1/32'] } }, ['10.0.0.1'], true],
    ['an address, negated', { NotIpAddress: { tags: '192.0.2.0/24' } }, ['192.0.2.7'], false],
  ])('%s', (_name, condition, tags, holds) => {
    expect(allowedIf(condition, tags.length === 0 ? {} : { tags })).toBe(holds);
  });
});

describe('who decides', () => {
  const because = 'because no identity-based policy allows the events:PutEvents action';
  const denied = (type: string) => `with an explicit deny in ${type} policy`;

  test.each<[string, Question, string | undefined]>([
    ['the identity allows it', { identity: [allow()] }, undefined],
    ['nobody allows it', { identity: [] }, because],
    ['a denial wins over an allowance', { identity: [allow(), deny()] }, denied('an identity-based')],
    ['the resource denies it', { identity: [allow()], resource: [deny(anyone)] }, denied('a resource-based')],
    ['the resource allows everybody', { identity: [], resource: [allow(anyone)] }, undefined],
    ['the resource allows the role', { identity: [], resource: [allow({ Principal: { AWS: role } })] }, undefined],
    [
      'the resource allows the session',
      { identity: [], resource: [allow({ Principal: { AWS: [session] } })] },
      undefined,
    ],
    [
      'the resource allows another role',
      { identity: [], resource: [allow({ Principal: { AWS: `${role}x` } })] },
      because,
    ],
    [
      'the resource allows a service',
      { identity: [], resource: [allow({ Principal: { Service: 'x.amazonaws.com' } })] },
      because,
    ],
    [
      'the resource leaves it to the account',
      { identity: [], resource: [allow({ Principal: { AWS: account } })] },
      because,
    ],
    [
      'the resource denies the account',
      { identity: [allow()], resource: [deny({ Principal: { AWS: `arn:aws:iam::${account}:root` } })] },
      denied('a resource-based'),
    ],
    [
      'the resource denies all but others',
      { identity: [allow()], resource: [deny({ NotPrincipal: { AWS: `${role}x` } })] },
      denied('a resource-based'),
    ],
    [
      'the resource denies all but the role',
      { identity: [allow()], resource: [deny({ NotPrincipal: { AWS: role } })] },
      undefined,
    ],
    ['an operator', {}, undefined],
    ['an operator whom the resource denies', { resource: [deny(anyone)] }, denied('a resource-based')],
  ])('%s', (_name, question, reason) => {
    const refusal = ask(question);
    expect(refusal?.message).toBe(
      reason && `User: ${session} is not authorized to perform: events:PutEvents on resource: ${bus} ${reason}`,
    );
    expect(refusal?.explicit).toBe(reason && reason !== because);
  });

  // https://docs.aws.amazon.com/kms/latest/developerguide/control-access-overview.html
  test.each<[string, object[], object[], boolean]>([
    ['leaves it to the account, and the identity allows it', [allow()], [allow({ Principal: { AWS: account } })], true],
    ['leaves it to the account, and the identity does not', [], [allow({ Principal: { AWS: account } })], false],
    ['allows the role', [], [allow({ Principal: { AWS: role } })], true],
    ['allows another role', [allow()], [allow({ Principal: { AWS: `${role}x` } })], false],
    ['is missing', [allow()], [], false],
  ])('where the resource must allow it, its policy %s', (_name, identity, resource, isAllowed) => {
    const refusal = ask({ identity, resource, mustAllow: true });
    expect(refusal === undefined).toBe(isAllowed);
    if (!isAllowed && identity.length > 0)
      expect(refusal?.message).toContain('because no resource-based policy allows');
  });

  test('a denial names the keys it hangs on', () => {
    const Condition = { StringEquals: { 'events:source': 'shop.orders' }, ArnNotLike: { 'aws:PrincipalArn': 'x' } };
    expect(ask({ resource: [deny({ ...anyone, Condition })] })?.conditionKeys).toEqual([
      'events:source',
      'aws:principalarn',
    ]);
  });

  test('what is not allowed names the keys that the nearest statement failed by', () => {
    const Condition = { StringEquals: { 'events:source': 'shop.orders', 'events:detail-type': 'OrderLost' } };
    const other = { StringEquals: { 'events:source': 'x', 'events:detail-type': 'y' } };
    const elsewhere = allow({ Resource: `${bus}s`, Condition: { StringEquals: { tags: 'x' } } });
    expect(ask({ identity: [allow({ Condition: other }), allow({ Condition }), elsewhere] })?.conditionKeys).toEqual([
      'events:detail-type',
    ]);
    expect(ask({ identity: [elsewhere] })?.conditionKeys).toEqual([]);
  });
});

describe('a policy that cannot be evaluated is refused, with the place', () => {
  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'Policy: is not JSON'],
    ['no object', [], 'Policy: must be an object'],
    ['no statement', {}, 'Policy: has no Statement'],
    ['an unknown version', { Version: '2020-01-01', Statement: [] }, 'Policy.Version: must be 2012-10-17'],
    [
      'an unknown effect',
      { Statement: { ...allow(), Effect: 'Maybe' } },
      'Policy.Statement[0].Effect: must be Allow or Deny',
    ],
    [
      'an unknown element',
      { Statement: [allow({ When: 'now' })] },
      'Policy.Statement[0]: a statement has no element When',
    ],
    ['no action', { Statement: [allow({ Action: undefined })] }, 'needs either Action or NotAction'],
    ['both', { Statement: [allow({ NotResource: 'x' })] }, 'needs either Resource or NotResource'],
    [
      'an action that is no text',
      { Statement: [allow({ Action: [1] })] },
      'Policy.Statement[0].Action: must be a text',
    ],
    [
      'an unknown operator',
      { Statement: [allow(), allow({ Condition: { StringIs: { a: 'b' } } })] },
      'Policy.Statement[1].Condition.StringIs: the condition operator StringIs is not known here',
    ],
    [
      'a number that is none',
      { Statement: [allow({ Condition: { NumericEquals: { a: 'b' } } })] },
      '"b" cannot be compared',
    ],
    [
      'an address that is none',
      { Statement: [allow({ Condition: { IpAddress: { a: 'b' } } })] },
      '"b" is no IP address',
    ],
    [
      'a value that is an object',
      { Statement: [allow({ Condition: { StringEquals: { a: {} } } })] },
      'Policy.Statement[0].Condition.StringEquals.a: must be a text',
    ],
    ['a principal of an identity', { Statement: [allow(anyone)] }, 'a policy of an identity cannot have a Principal'],
  ])('%s', (_name, document, message) => {
    expect(() => compilePolicy(document, 'identity-based', 'Policy')).toThrow(message);
  });

  test('a resource without a principal', () => {
    const compile = (statement: object) => () => compilePolicy({ Statement: [statement] }, 'resource-based', 'Policy');
    expect(compile(allow())).toThrow('Policy.Statement[0]: needs either Principal or NotPrincipal');
    expect(compile(allow({ Principal: 'me' }))).toThrow('Policy.Statement[0].Principal: must be "*" or an object');
  });
});
