import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Stack } from '@millrace/cloudformation';
import { Authorizer, type ServiceCall } from '../core/authorizer.ts';
import { ManualClock } from '../core/clock.ts';
import { LocalIdentities } from '../core/identities.ts';
import { Refusals } from '../core/refusals.ts';
import { ResourcePolicies } from '../core/resource-policies.ts';
import { services } from './index.ts';

const account = '000000000000';
const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${account}:${resource}`;
const table = arn('dynamodb', 'table/orders');
const queue = arn('sqs', 'orders');

let policies: Record<string, object>;
let warnings: string[];
let refusals: Refusals;
let identities: LocalIdentities;

/** A stack with one function, `relay`, whose role has these statements; and one without a role in any template. */
function stackOf(Statement: object[]): Stack {
  const resources: Record<string, { type: string; name: string; properties: Record<string, unknown> }> = {
    Role: {
      type: 'AWS::IAM::Role',
      name: 'relay-role',
      properties: { Policies: [{ PolicyDocument: { Version: '2012-10-17', Statement } }] },
    },
    Relay: {
      type: 'AWS::Lambda::Function',
      name: 'relay',
      properties: { Role: `arn:aws:iam::${account}:role/relay-role` },
    },
    Free: { type: 'AWS::Lambda::Function', name: 'free', properties: { Role: 'arn:aws:iam::aws:role/elsewhere' } },
  };
  return {
    name: 'shop',
    resourcesOfType: (type: string) =>
      Object.entries(resources)
        .filter(([, resource]) => resource.type === type)
        .map(([logicalId, { name }]) => ({ logicalId, name, type })),
    properties: (logicalId: string) => resources[logicalId]?.properties ?? {},
    attribute: (logicalId: string) => `arn:aws:iam::${account}:role/${resources[logicalId]?.name}`,
  } as unknown as Stack;
}

function authorizerWith(...statements: object[]): Authorizer {
  identities = new LocalIdentities([stackOf(statements)], { accountId: account, clock: new ManualClock(0) });
  const resourcePolicies = new ResourcePolicies((resource) => {
    const Statement = policies[resource];
    return Statement && JSON.stringify({ Version: '2012-10-17', Statement });
  });
  return new Authorizer({
    identities,
    services: new Map(services.map((service) => [service.name, service])),
    accountId: account,
    region: 'us-east-1',
    policyOf: (resource) => resourcePolicies.of(resource),
    refusals,
  });
}

const allow = (Action: string | string[], Resource: string | string[], rest: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...rest,
});

beforeEach(() => {
  policies = {};
  warnings = [];
  refusals = new Refusals((line) => warnings.push(line));
});

/** The pairs `<action> <resource>` that a request needs, found by what a role without permissions is refused. */
function needs(service: string, operation: string, input: object = {}): string[] {
  const granted: object[] = [];
  const found: string[] = [];
  for (;;) {
    const authorizer = authorizerWith(...granted);
    const call: ServiceCall = { service, operation, input: { ...input } };
    if (authorizer.allows('relay', call)) return found;
    expect(() => authorizer.authorize('relay', call)).toThrow();
    const last = refusals.list().at(-1);
    if (!last || found.includes(`${last.action} ${last.resource}`)) return found;
    found.push(`${last.action} ${last.resource}`);
    granted.push(allow(last.action, last.resource.startsWith('arn:') ? last.resource : '*'));
    refusals = new Refusals(() => {});
  }
}

describe('what a request needs permission for', () => {
  test.each<[string, string, object, string[]]>([
    ['dynamodb', 'GetItem', { TableName: 'orders' }, [`dynamodb:GetItem ${table}`]],
    ['dynamodb', 'Query', { TableName: table }, [`dynamodb:Query ${table}`]],
    ['dynamodb', 'Query', { TableName: 'orders', IndexName: 'by-day' }, [`dynamodb:Query ${table}/index/by-day`]],
    [
      'dynamodb',
      'BatchGetItem',
      { RequestItems: { orders: {}, stock: {} } },
      [`dynamodb:BatchGetItem ${table}`, `dynamodb:BatchGetItem ${arn('dynamodb', 'table/stock')}`],
    ],
    [
      'dynamodb',
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'orders' } },
          { Update: { TableName: 'orders' } },
          { Delete: { TableName: 'orders' } },
          { ConditionCheck: { TableName: 'stock' } },
        ],
      },
      [
        `dynamodb:PutItem ${table}`,
        `dynamodb:UpdateItem ${table}`,
        `dynamodb:DeleteItem ${table}`,
        `dynamodb:ConditionCheckItem ${arn('dynamodb', 'table/stock')}`,
      ],
    ],
    [
      'dynamodb',
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName: 'orders' } }] },
      [`dynamodb:GetItem ${table}`],
    ],
    ['sqs', 'SendMessageBatch', { QueueUrl: `http://127.0.0.1:4566/${account}/orders` }, [`sqs:SendMessage ${queue}`]],
    ['sqs', 'DeleteMessageBatch', { QueueUrl: `/${account}/orders` }, [`sqs:DeleteMessage ${queue}`]],
    ['sqs', 'ChangeMessageVisibilityBatch', { QueueUrl: '/x/orders' }, [`sqs:ChangeMessageVisibility ${queue}`]],
    ['sqs', 'GetQueueUrl', { QueueName: 'orders' }, [`sqs:GetQueueUrl ${queue}`]],
    ['sqs', 'ListQueues', {}, ['sqs:ListQueues *']],
    ['sns', 'Publish', { TopicArn: arn('sns', 'alarms') }, [`sns:Publish ${arn('sns', 'alarms')}`]],
    ['sns', 'Publish', { PhoneNumber: '+4915112345678' }, ['sns:Publish a phone number']],
    ['ses', 'SendEmail', { FromEmailAddress: 'a@b.c' }, [`ses:SendEmail ${arn('ses', 'identity/a@b.c')}`]],
    [
      'ses',
      'SendEmail',
      { FromEmailAddress: 'Shop <a@b.c>', ConfigurationSetName: 'set', Content: { Template: { TemplateName: 't' } } },
      ['identity/a@b.c', 'configuration-set/set', 'template/t'].map((name) => `ses:SendEmail ${arn('ses', name)}`),
    ],
    ['ssm', 'GetParameter', { Name: '/shop/a' }, [`ssm:GetParameter ${arn('ssm', 'parameter/shop/a')}`]],
    [
      'ssm',
      'GetParameters',
      { Names: ['a', 'b'] },
      ['a', 'b'].map((name) => `ssm:GetParameters ${arn('ssm', `parameter/${name}`)}`),
    ],
    [
      'lambda',
      'Invoke',
      { FunctionName: 'greet', Qualifier: 'live' },
      [`lambda:InvokeFunction ${arn('lambda', 'function:greet:live')}`],
    ],
    [
      'lambda',
      'Invoke',
      { FunctionName: arn('lambda', 'function:greet') },
      [`lambda:InvokeFunction ${arn('lambda', 'function:greet')}`],
    ],
    ['lambda', 'ListFunctions', {}, ['lambda:ListFunctions *']],
    [
      'lambda',
      'UpdateEventSourceMapping',
      { UUID: '1234' },
      [`lambda:UpdateEventSourceMapping ${arn('lambda', 'event-source-mapping:1234')}`],
    ],
    ['events', 'PutRule', { Name: 'r', EventBusName: 'shop' }, [`events:PutRule ${arn('events', 'rule/shop/r')}`]],
    ['events', 'PutTargets', { Rule: 'r' }, [`events:PutTargets ${arn('events', 'rule/r')}`]],
    ['s3', 'HeadObject', { Bucket: 'bucket', Key: 'a/b' }, ['s3:GetObject arn:aws:s3:::bucket/a/b']],
    ['s3', 'ListObjectsV2', { Bucket: 'bucket' }, ['s3:ListBucket arn:aws:s3:::bucket']],
  ])('%s %s', (service, operation, input, expected) => {
    expect(needs(service, operation, input)).toEqual(expected);
  });
});

describe('a function', () => {
  const read: ServiceCall = { service: 'dynamodb', operation: 'Query', input: { TableName: 'orders' } };

  test('is refused in the words of AWS what its role does not allow, and somebody is told once', () => {
    const authorizer = authorizerWith(allow('dynamodb:GetItem', table));
    const message =
      `User: arn:aws:sts::${account}:assumed-role/relay-role/relay is not authorized to perform: dynamodb:Query ` +
      `on resource: ${table} because no identity-based policy allows the dynamodb:Query action`;
    for (const _time of [1, 2]) {
      expect(() => authorizer.authorize('relay', read)).toThrow(
        expect.objectContaining({ code: 'AccessDeniedException', status: 400, message }),
      );
    }
    expect(warnings).toEqual([`relay may not dynamodb:Query on ${table}: add a statement to its iamRoleStatements`]);
    expect(refusals.list()).toEqual([
      { caller: 'relay', action: 'dynamodb:Query', resource: table, message, times: 2 },
    ]);
  });

  test.each([
    ['sqs', 'SendMessage', 'AccessDeniedException', 403],
    ['sns', 'Publish', 'AuthorizationError', 403],
    ['ses', 'SendEmail', 'AccessDeniedException', 403],
    ['ssm', 'GetParameter', 'AccessDeniedException', 400],
  ] as const)('gets the error that %s has for it', (service, operation, code, status) => {
    const authorizer = authorizerWith();
    expect(() => authorizer.authorize('relay', { service, operation, input: {} })).toThrow(
      expect.objectContaining({ code, status }),
    );
  });

  test('may do what its role allows, on the conditions that it has', () => {
    const authorizer = authorizerWith(
      allow('dynamodb:Query', table),
      allow('ses:SendEmail', '*', { Condition: { StringEquals: { 'ses:FromAddress': 'a@b.c' } } }),
    );
    const mail = (FromEmailAddress: string): ServiceCall => ({
      service: 'ses',
      operation: 'SendEmail',
      input: { FromEmailAddress, Destination: { ToAddresses: ['x@y.z'] } },
    });
    authorizer.authorize('relay', read);
    authorizer.authorize('relay', mail('Shop <a@b.c>'));
    expect(() => authorizer.authorize('relay', mail('other@b.c'))).toThrow('ses:SendEmail');
  });

  test('needs an ARN for topics and none for phone numbers', () => {
    const authorizer = authorizerWith(allow('sns:Publish', '*'), {
      ...allow('sns:Publish', 'arn:aws:sns:*:*:*'),
      Effect: 'Deny',
    });
    authorizer.authorize('relay', { service: 'sns', operation: 'Publish', input: { PhoneNumber: '+491' } });
    const toTopic = () =>
      authorizer.authorize('relay', { service: 'sns', operation: 'Publish', input: { TopicArn: arn('sns', 't') } });
    expect(toTopic).toThrow('with an explicit deny in an identity-based policy');
    expect(warnings).toEqual([`relay may not sns:Publish on ${arn('sns', 't')}: a statement denies it`]);
  });

  test('may not do what nobody here knows the permissions of; an operator may', () => {
    const authorizer = authorizerWith(allow('*', '*'));
    const call: ServiceCall = { service: 'dynamodb', operation: 'ExecuteStatement', input: {} };
    expect(() => authorizer.authorize('relay', call)).toThrow('dynamodb ExecuteStatement');
    expect(authorizer.allows('relay', call)).toBe(false);
    authorizer.authorize('me', call);
    authorizer.authorize(undefined, call);
    expect(refusals.list()).toMatchObject([{ caller: 'relay', action: 'dynamodb:ExecuteStatement', resource: '*' }]);
  });

  test('may do everything under a role that no template has', () => {
    authorizerWith().authorize('free', read);
  });

  test('is let in by the policy of a queue, and kept out', () => {
    const send: ServiceCall = { service: 'sqs', operation: 'SendMessage', input: { QueueUrl: '/x/orders' } };
    const authorizer = authorizerWith();
    const role = { Principal: { AWS: `arn:aws:iam::${account}:role/relay-role` } };
    policies[queue] = [allow('sqs:SendMessage', queue, role)];
    authorizer.authorize('relay', send);
    policies[queue] = [{ ...allow('sqs:*', queue, { Principal: '*' }), Effect: 'Deny' }];
    expect(() => authorizer.authorize('relay', send)).toThrow('an explicit deny in a resource-based policy');
    expect(() => authorizer.authorize('me', send)).toThrow('an explicit deny in a resource-based policy');
    delete policies[queue];
    authorizer.authorize('me', send);
  });

  test('loses a statement while it is withheld', () => {
    const authorizer = authorizerWith(allow('sqs:SendMessage', queue), allow('dynamodb:Query', table));
    expect(identities.statementsOf('relay')).toMatchObject([
      { Action: 'sqs:SendMessage' },
      { Action: 'dynamodb:Query' },
    ]);
    authorizer.authorize('relay', read);
    const giveBack = identities.withhold('relay', 1);
    expect(() => authorizer.authorize('relay', read)).toThrow('dynamodb:Query');
    authorizer.authorize('relay', { service: 'sqs', operation: 'SendMessage', input: { QueueUrl: '/x/orders' } });
    giveBack();
    authorizer.authorize('relay', read);
    expect(identities.statementsOf('relay')).toHaveLength(2);
    const giveBackAction = identities.withhold('relay', 1, 'dynamodb:query');
    expect(() => authorizer.authorize('relay', read)).toThrow('dynamodb:Query');
    giveBackAction();
    identities.withhold('relay', 1, 'dynamodb:GetItem');
    authorizer.authorize('relay', read);
    expect(() => identities.withhold('relay', 2)).toThrow('relay has no statement 2');
    expect(() => identities.withhold('free', 0)).toThrow(RangeError);
  });

  test('logs when its role allows it', () => {
    const group = arn('logs', 'log-group:/aws/lambda/relay:*');
    expect(authorizerWith(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], group)).mayLog('relay')).toBe(true);
    const authorizer = authorizerWith(allow('logs:CreateLogStream', group));
    expect([authorizer.mayLog('relay'), authorizer.mayLog('relay')]).toEqual([false, false]);
    expect(warnings).toHaveLength(1);
    expect(refusals.list()).toMatchObject([{ action: 'logs:PutLogEvents', times: 2 }]);
  });
});

describe('a service of AWS', () => {
  const rule = arn('events', 'rule/shop/r');
  const alarm = arn('cloudwatch', 'alarm:a');
  const topic = arn('sns', 'alarms');
  const send = { action: 'sqs:SendMessage', resource: queue };
  const publish = { action: 'sns:Publish', resource: topic };

  test('needs the policy of what it calls, which may name what it works for', () => {
    const authorizer = authorizerWith();
    const deliver = (ruleArn: string) =>
      authorizer.findSenderRefusal({ service: 'events.amazonaws.com', sourceArn: ruleArn }, send)?.message;
    expect(deliver(rule)).toBe(
      `events.amazonaws.com is not authorized to perform: sqs:SendMessage on resource: ${queue} because no ` +
        'resource-based policy allows the sqs:SendMessage action',
    );
    expect(warnings).toEqual([
      `${rule} may not sqs:SendMessage on ${queue}: let events.amazonaws.com do it in the policy of that resource, for ` +
        'the former as aws:SourceArn',
    ]);
    const Principal = { Service: 'events.amazonaws.com' };
    const Condition = {
      ArnEquals: { 'aws:SourceArn': rule },
      StringEquals: { 'aws:SourceAccount': account },
      Bool: { 'aws:SecureTransport': 'true', 'aws:PrincipalIsAWSService': 'true' },
    };
    policies[queue] = [allow('sqs:SendMessage', queue, { Principal, Condition })];
    expect(deliver(rule)).toBeUndefined();
    expect(deliver(`${rule}2`)).toContain('is not authorized');
    policies[queue] = [allow('sqs:SendMessage', queue, { Principal: { Service: 'sns.amazonaws.com' } })];
    expect(deliver(rule)).toContain('is not authorized');
    policies[queue] = [allow('sqs:SendMessage', queue, { Principal: { AWS: `arn:aws:iam::${account}:root` } })];
    expect(deliver(rule)).toContain('is not authorized');
    policies[queue] = [allow('sqs:SendMessage', queue, { Principal: '*' })];
    expect(deliver(rule)).toBeUndefined();
  });

  test('a topic without a policy takes alarms, and no events', () => {
    const authorizer = authorizerWith();
    expect(
      authorizer.findSenderRefusal({ service: 'cloudwatch.amazonaws.com', sourceArn: alarm }, publish),
    ).toBeUndefined();
    expect(authorizer.findSenderRefusal({ service: 'events.amazonaws.com', sourceArn: rule }, publish)).toBeDefined();
    policies[topic] = [allow('sns:Publish', topic, { Principal: { Service: 'events.amazonaws.com' } })];
    expect(
      authorizer.findSenderRefusal({ service: 'cloudwatch.amazonaws.com', sourceArn: alarm }, publish),
    ).toBeDefined();
    expect(authorizer.findSenderRefusal({ service: 'events.amazonaws.com', sourceArn: rule }, publish)).toBeUndefined();
  });
});

// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
describe('a key of KMS', () => {
  const key = arn('kms', 'key/k');
  const call: ServiceCall = { service: 'kms', operation: 'GenerateMac', input: { KeyId: key } };
  const root = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' };

  test('is for a function whose role names it, where its policy leaves that to the account', () => {
    policies[key] = [root];
    expect(authorizerWith(allow('kms:GenerateMac', key)).allows('relay', call)).toBe(true);
    expect(authorizerWith(allow('kms:GenerateMac', arn('kms', 'key/other'))).allows('relay', call)).toBe(false);
  });

  test('is not for it where its policy does not', () => {
    policies[key] = [{ ...root, Principal: { AWS: `arn:aws:iam::${account}:role/other` } }];
    const authorizer = authorizerWith(allow('kms:*', '*'));
    expect(() => authorizer.authorize('relay', call)).toThrow(
      /kms:GenerateMac on resource: .* because no resource-based policy allows/,
    );
  });
});
