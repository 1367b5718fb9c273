import type { CompiledService, Resource, Template } from './compiled-workspace.ts';
import { isIntrinsic, isSame, list } from './template.ts';

/** One change to one template, which can be taken back. */
export interface Mutant {
  /** Type of the resource; `Template` for what is around them. */
  type: string;
  /** Logical id; empty for what is around the resources. */
  resource: string;
  /** Where in the resource, e.g. `Properties.RedrivePolicy.maxReceiveCount`; indexes of lists are left out. */
  path: string;
  /** What is done, e.g. `remove` or `set 0`. */
  change: string;
  apply(): void;
  undo(): void;
}

type Parent = Record<string, unknown>;

const stranger = 'arn:aws:iam::999999999999:root';
const foreign = 'arn:aws:sqs:us-east-1:999999999999:elsewhere';

/**
 * Every small change to a compiled template that might weaken it: each resource is taken out, each property at every depth
 * is removed, replaced, widened or joined by another one, each statement of a policy is opened in every way, and things are
 * added that have no business there. Nobody has to think of a property for it to be tried.
 * @example for (const mutant of mutantsOf(service)) { mutant.apply(); check(service); mutant.undo(); }
 */
export function* mutantsOf(service: CompiledService): Generator<Mutant> {
  const { template } = service;
  const resources = template.Resources ?? {};
  for (const [id, resource] of Object.entries(resources)) {
    const place = { type: resource.Type, resource: id };
    yield { ...place, path: '', change: 'remove', ...removing(resources as Parent, id) };
    yield { ...place, path: 'Condition', change: 'set', ...setting(resource, 'Condition', 'Never') };
    yield { ...place, path: 'Metadata', change: 'set', ...setting(resource, 'Metadata', { Any: true }) };
    for (const key of ['DeletionPolicy', 'UpdateReplacePolicy'] as const) {
      const other = resource[key] === 'Delete' ? 'Retain' : 'Delete';
      yield { ...place, path: key, change: `set ${other}`, ...setting(resource, key, other) };
      if (resource[key])
        yield { ...place, path: key, change: 'remove', ...removing(resource as unknown as Parent, key) };
    }
    if (resource.DependsOn) {
      yield { ...place, path: 'DependsOn', change: 'remove', ...removing(resource as unknown as Parent, 'DependsOn') };
    }
    for (const change of inside(resource.Properties ?? {}, 'Properties', resources, id)) yield { ...place, ...change };
  }
  for (const [section, value] of Object.entries(template)) {
    if (section === 'Resources' || section === 'AWSTemplateFormatVersion' || section === 'Description') continue;
    const place = { type: 'Template', resource: '' };
    for (const change of inside(value as Parent, section, resources, '')) yield { ...place, ...change };
  }
  for (const [title, added] of additions(template)) {
    const place = { type: 'Template', resource: '', path: 'Resources', change: `add ${title}` };
    yield { ...place, ...setting(resources as Parent, 'Added', added) };
  }
  for (const section of ['Transform', 'Rules', 'Hooks', 'Mappings']) {
    const place = { type: 'Template', resource: '', path: section, change: 'set' };
    yield { ...place, ...setting(template as unknown as Parent, section, { Any: 'AWS::Include' }) };
  }
}

type Change = Pick<Mutant, 'path' | 'change' | 'apply' | 'undo'>;

/** Changes to everything in an object, at every depth. Texts with JSON in them are taken for texts. */
function* inside(
  parent: Parent,
  path: string,
  resources: Readonly<Record<string, Resource>>,
  self: string,
): Generator<Change> {
  const isList = Array.isArray(parent);
  if (isStatement(parent)) {
    for (const [change, next] of openings(parent)) {
      if (!isSame(next, parent)) yield { path, change, ...replacing(parent, next) };
    }
  }
  if (!isList) yield { path: `${path}.Unjudged`, change: 'add', ...setting(parent, 'Unjudged', true) };
  for (const [key, value] of Object.entries(parent)) {
    const here = isList ? path : `${path}.${key}`;
    yield { path: here, change: isList ? 'remove one' : 'remove', ...removing(parent, key) };
    for (const [change, next] of alternatives(value, resources, self)) {
      if (isSame(next, value)) continue;
      yield { path: here, change, ...setting(parent, key, next) };
    }
    if (typeof value === 'object' && value !== null && !isIntrinsic(value)) {
      yield* inside(value as Parent, here, resources, self);
    }
  }
}

/** What might be there in the place of a value. */
function* alternatives(
  value: unknown,
  resources: Readonly<Record<string, Resource>>,
  self: string,
): Generator<[string, unknown]> {
  if (typeof value === 'boolean') yield ['flip', !value];
  else if (typeof value === 'number') {
    for (const next of [0, 1, value * 1000 + 1])
      if (next !== value) yield [`set ${next === 0 || next === 1 ? next : 'huge'}`, next];
  } else if (typeof value === 'string') {
    yield ['set *', '*'];
    yield ['set empty', ''];
    yield ['widen with *', `${value}*`];
    yield ['replace', `${value}x`];
  } else if (Array.isArray(value)) {
    yield ['empty', []];
    yield ['add *', [...value, '*']];
    yield ['add a stranger', [...value, stranger]];
  } else if (isIntrinsic(value)) {
    yield ['set elsewhere', foreign];
    yield ['set *', '*'];
    const text = JSON.stringify(value);
    if (/Fn::(Sub|ImportValue)/.test(text)) {
      yield ['widen with *', JSON.parse(text.replace(/("Fn::(?:Sub|ImportValue)":"[^"]*)"/, '$1*"'))];
      yield ['widen with ?', JSON.parse(text.replace(/("Fn::(?:Sub|ImportValue)":"[^"]*).(")/, '$1?$2'))];
    }
    yield* neighbours(value as Parent, resources, self);
  }
}

/** The same reference to another resource of the same type. */
function* neighbours(
  value: Parent,
  resources: Readonly<Record<string, Resource>>,
  self: string,
): Generator<[string, unknown]> {
  const attribute = list(value['Fn::GetAtt']);
  const target = String(value.Ref ?? attribute[0] ?? '');
  const type = resources[target]?.Type;
  const other = Object.keys(resources).find((id) => id !== target && id !== self && resources[id]?.Type === type);
  if (type === undefined || other === undefined) return;
  yield [
    'refer to another',
    value.Ref === undefined ? { 'Fn::GetAtt': [other, ...attribute.slice(1)] } : { Ref: other },
  ];
}

function isStatement(value: Parent): boolean {
  return value.Effect === 'Allow' || value.Effect === 'Deny';
}

/** The ways to open a statement of a policy, or to close what it keeps open. */
function* openings(statement: Parent): Generator<[string, Parent]> {
  const { Action, Resource, Condition, Principal, ...rest } = statement;
  const with_ = (change: Parent) => ({ ...statement, ...change });
  const service = String(list(Action)[0] ?? '').split(':')[0];
  yield ['another effect', with_({ Effect: statement.Effect === 'Allow' ? 'Deny' : 'Allow' })];
  yield ['every action', with_({ Action: '*' })];
  yield ['every action of the service', with_({ Action: `${service}:*` })];
  yield ['actions by a ?', with_({ Action: [...list(Action), `${service}:Delete?able`] })];
  for (const action of ['dynamodb:DeleteTable', 'sqs:PurgeQueue', 'iam:PassRole', 'kms:Decrypt', 'sts:AssumeRole']) {
    if (list(Action).includes(action)) continue;
    yield [`add ${action}`, with_({ Action: [...list(Action), action] })];
  }
  yield ['every resource', with_({ Resource: '*' })];
  yield ["another account's resource", with_({ Resource: [...list(Resource), foreign] })];
  yield [
    'NotAction',
    { ...rest, NotAction: Action, Resource, ...(Condition ? { Condition } : {}), ...(Principal ? { Principal } : {}) },
  ];
  yield [
    'NotResource',
    {
      ...rest,
      Action,
      NotResource: Resource,
      ...(Condition ? { Condition } : {}),
      ...(Principal ? { Principal } : {}),
    },
  ];
  if (Condition) yield ['no condition', { ...rest, Action, Resource, ...(Principal ? { Principal } : {}) }];
  if (Principal) {
    yield ['everybody', with_({ Principal: '*' })];
    yield ['everybody of AWS', with_({ Principal: { AWS: '*' } })];
    yield ['another account', with_({ Principal: { AWS: stranger } })];
    yield [
      'a further account',
      with_({ Principal: { ...Object(Principal === '*' ? {} : Principal), AWS: [stranger] } }),
    ];
    yield [
      'another service',
      with_({
        Principal: {
          Service: 'lambda.amazonaws.com' === JSON.stringify(Principal) ? 'ec2.amazonaws.com' : 'iot.amazonaws.com',
        },
      }),
    ];
    yield [
      'everybody else',
      { ...rest, Action, Resource, NotPrincipal: Principal, ...(Condition ? { Condition } : {}) },
    ];
  }
}

/** Whole resources that let somebody in, take something out, or are open from the start. */
function* additions({ Resources = {} }: Template): Generator<[string, Resource]> {
  const first = (type: string) => Object.keys(Resources).find((id) => Resources[id]?.Type === type);
  const handler = { 'Fn::GetAtt': [first('AWS::Lambda::Function') ?? 'None', 'Arn'] };
  const anyone = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
  };
  const resources: Array<[string, Record<string, unknown>]> = [
    ['AWS::Lambda::Url', { TargetFunctionArn: handler, AuthType: 'NONE' }],
    ['AWS::Lambda::Permission', { FunctionName: handler, Action: 'lambda:InvokeFunction', Principal: '*' }],
    [
      'AWS::Lambda::LayerVersionPermission',
      { Action: 'lambda:GetLayerVersion', Principal: '*', LayerVersionArn: 'arn' },
    ],
    ['AWS::Lambda::EventInvokeConfig', { FunctionName: handler, Qualifier: '$LATEST', MaximumRetryAttempts: 0 }],
    ['AWS::ApiGatewayV2::Api', { Name: 'open', ProtocolType: 'HTTP', RouteKey: '$default', Target: handler }],
    ['AWS::ApiGatewayV2::DomainName', { DomainName: 'api.example' }],
    ['AWS::ApiGateway::RestApi', { Name: 'open' }],
    ['AWS::AppSync::GraphQLApi', { Name: 'open', AuthenticationType: 'API_KEY' }],
    ['AWS::IAM::User', { UserName: 'backdoor' }],
    ['AWS::IAM::AccessKey', { UserName: 'backdoor' }],
    ['AWS::IAM::ManagedPolicy', { PolicyDocument: anyone }],
    [
      'AWS::IAM::Policy',
      { PolicyName: 'more', PolicyDocument: anyone, Roles: [{ Ref: first('AWS::IAM::Role') ?? 'None' }] },
    ],
    [
      'AWS::IAM::RolePolicy',
      { PolicyName: 'more', PolicyDocument: anyone, RoleName: { Ref: first('AWS::IAM::Role') ?? 'None' } },
    ],
    ['AWS::IAM::Role', { AssumeRolePolicyDocument: anyone }],
    ['AWS::Events::Rule', { EventPattern: { source: [{ prefix: '' }] }, Targets: [{ Id: 'away', Arn: foreign }] }],
    ['AWS::Events::EventBusPolicy', { StatementId: 'all', Principal: '*', Action: 'events:PutEvents' }],
    [
      'AWS::Events::Connection',
      {
        AuthorizationType: 'API_KEY',
        AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'key', ApiKeyValue: 'secret' } },
      },
    ],
    [
      'AWS::Events::ApiDestination',
      { ConnectionArn: 'arn', HttpMethod: 'POST', InvocationEndpoint: 'https://elsewhere.example' },
    ],
    ['AWS::Pipes::Pipe', { RoleArn: 'arn', Source: 'arn', Target: foreign }],
    ['AWS::Scheduler::Schedule', { Target: { Arn: handler, RoleArn: 'arn' } }],
    ['AWS::SQS::Queue', { QueueName: 'open' }],
    ['AWS::SQS::QueuePolicy', { Queues: [{ Ref: first('AWS::SQS::Queue') ?? 'None' }], PolicyDocument: anyone }],
    ['AWS::SQS::QueueInlinePolicy', { Queue: { Ref: first('AWS::SQS::Queue') ?? 'None' }, PolicyDocument: anyone }],
    ['AWS::SNS::Topic', { TopicName: 'open' }],
    ['AWS::SNS::Subscription', { TopicArn: 'arn', Protocol: 'https', Endpoint: 'https://elsewhere.example' }],
    ['AWS::S3::Bucket', { AccessControl: 'PublicRead' }],
    ['AWS::S3::BucketPolicy', { Bucket: { Ref: first('AWS::S3::Bucket') ?? 'None' }, PolicyDocument: anyone }],
    ['AWS::KMS::Key', { KeyPolicy: anyone }],
    ['AWS::KMS::ReplicaKey', { PrimaryKeyArn: 'arn', KeyPolicy: anyone }],
    ['AWS::DynamoDB::Table', { KeySchema: [], ResourcePolicy: { PolicyDocument: anyone } }],
    ['AWS::DynamoDB::GlobalTable', { KeySchema: [] }],
    ['AWS::Logs::SubscriptionFilter', { LogGroupName: 'any', DestinationArn: foreign, FilterPattern: '' }],
    ['AWS::Logs::ResourcePolicy', { PolicyName: 'all', PolicyDocument: JSON.stringify(anyone) }],
    ['AWS::Logs::LogGroup', { LogGroupName: 'for-ever' }],
    ['AWS::SSM::Parameter', { Name: '/millrace/prod/secret/key', Type: 'String', Value: 'sk_live_secret' }],
    ['AWS::SecretsManager::Secret', { SecretString: 'secret' }],
    ['AWS::CloudFormation::Stack', { TemplateURL: 'https://elsewhere.example/template.json' }],
    ['AWS::CloudFormation::Macro', { Name: 'rewrite', FunctionName: handler }],
    ['Custom::Anything', { ServiceToken: foreign }],
  ];
  for (const [Type, Properties] of resources) yield [Type, { Type, Properties } as Resource];
}

function setting(parent: object, key: string, value: unknown): Pick<Mutant, 'apply' | 'undo'> {
  const target = parent as Parent;
  const before = Object.hasOwn(target, key) ? { value: target[key] } : undefined;
  return {
    apply: () => {
      target[key] = value;
    },
    undo: () => {
      if (before) target[key] = before.value;
      else delete target[key];
    },
  };
}

function removing(parent: Parent, key: string): Pick<Mutant, 'apply' | 'undo'> {
  const value = parent[key];
  if (Array.isArray(parent)) {
    return {
      apply: () => void parent.splice(Number(key), 1),
      undo: () => void parent.splice(Number(key), 0, value),
    };
  }
  // Put back in its place: the order of keys is nobody's business, but a difference in it would be one in a message.
  const entries = Object.entries(parent);
  return {
    apply: () => void delete parent[key],
    undo: () => restore(parent, entries),
  };
}

function replacing(parent: Parent, next: Parent): Pick<Mutant, 'apply' | 'undo'> {
  const entries = Object.entries(parent);
  return { apply: () => restore(parent, Object.entries(next)), undo: () => restore(parent, entries) };
}

function restore(target: Parent, entries: Array<[string, unknown]>): void {
  for (const key of Object.keys(target)) delete target[key];
  for (const [key, value] of entries) target[key] = value;
}
