import type { Resource, Template } from '../compiled-workspace.ts';
import { at, list, referenceTo, type Statement } from '../template.ts';
import { type Breaks, isBusRule, isQueueRule, type Target, typed } from './break.ts';

const isQueue = 'AWS::SQS::Queue';
const isFunction = 'AWS::Lambda::Function';
const isMapping = 'AWS::Lambda::EventSourceMapping';
const isTable = 'AWS::DynamoDB::Table';
const isRule = 'AWS::Events::Rule';
const isRole = 'AWS::IAM::Role';
const isRoute = 'AWS::ApiGatewayV2::Route';
/** But for those of visitors. */
const authorizedRoute = typed(isRoute, ({ properties }) => properties.AuthorizerId !== undefined);
const isStage = 'AWS::ApiGatewayV2::Stage';
const isApi = 'AWS::ApiGatewayV2::Api';
const isAlarm = 'AWS::CloudWatch::Alarm';

const hasSource = (type: string) =>
  typed(isMapping, ({ properties, resources }) => sourceOf(properties, resources)?.Type === type);

function sourceOf(properties: Record<string, unknown>, resources: Record<string, Resource>): Resource | undefined {
  return resources[referenceTo(properties.EventSourceArn) ?? ''];
}

function statements(properties: Record<string, unknown>): Statement[] {
  const document = properties.PolicyDocument ?? at(list(properties.Policies)[0], 'PolicyDocument');
  return list(at(document, 'Statement')) as Statement[];
}

const allowsIn = ({ properties }: Target) => statements(properties).some(({ Effect }) => Effect === 'Allow');

function grant({ properties }: Target, statement: Partial<Statement>): void {
  statements(properties).push({ Effect: 'Allow', Action: ['dynamodb:GetItem'], Resource: 'arn', ...statement });
}

function putsEvents({ properties, id }: Target): boolean {
  return id !== 'ReemitRole' && statements(properties).some(({ Action }) => list(Action).includes('events:PutEvents'));
}

function eachPut({ properties }: Target, change: (statement: Statement) => void): void {
  for (const statement of statements(properties))
    if (list(statement.Action).includes('events:PutEvents')) change(statement);
}

/** Adds what osls makes of a function that EventBridge calls itself. */
function callAsynchronously({ id, resources }: Target): void {
  const properties = { FunctionName: { 'Fn::GetAtt': [id, 'Arn'] }, Principal: 'events.amazonaws.com' };
  resources[`${id}Permission`] = { Type: 'AWS::Lambda::Permission', Properties: properties };
}

function withoutTls({ id, resources }: Target): void {
  for (const { Properties } of Object.values(resources)) {
    const names = [...list(Properties?.Queues), ...list(Properties?.Topics), ...list(Properties?.Bucket)];
    if (!names.some((name) => referenceTo(name) === id)) continue;
    const document = Properties?.PolicyDocument as unknown as { Statement: Statement[] };
    document.Statement = document.Statement.filter(({ Effect }) => Effect !== 'Deny');
  }
}

const deadLetterQueue = typed(isQueue, ({ properties }) =>
  /-(dlq(\.fifo)?|parking)$/.test(String(properties.QueueName)),
);

/** A route without settings of its own. */
function routeByDefault({ resources }: Target): string | undefined {
  const stage = Object.values(resources).find(({ Type }) => Type === isStage);
  const own = Object.keys((stage?.Properties?.RouteSettings ?? {}) as object);
  return Object.keys(resources).find(
    (id) => resources[id]?.Type === isRoute && !own.includes(String(resources[id]?.Properties?.RouteKey)),
  );
}

export const basics: Breaks = {
  'function-roles': [
    {
      title: "another function's role",
      applies: typed(isFunction, ({ service }) => functionsOf(service.template).length > 1),
      change: ({ id, properties, service, resources }) => {
        const other = functionsOf(service.template).find((name) => name !== id) ?? '';
        properties.Role = resources[other]?.Properties?.Role;
      },
      says: /^shares \w+Role with \w+LambdaFunction/,
      // Of two that share, the second one in the template is named.
      names: ({ id, service }) => {
        const all = functionsOf(service.template);
        return all[0] === id ? (all[1] ?? '') : id;
      },
    },
    {
      title: "somebody else's role",
      applies: isFunction,
      change: ({ properties }) => {
        properties.Role = 'arn:aws:iam::000000000000:role/admin';
      },
      says: /^Role is "arn:aws:iam::000000000000:role\/admin"/,
    },
    {
      title: 'a managed policy',
      applies: isFunction,
      change: ({ properties, resources }) => {
        const role = resources[referenceTo(properties.Role) ?? ''];
        Object.assign(role?.Properties ?? {}, { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] });
      },
      says: /has ManagedPolicyArns/,
    },
    {
      title: 'a role for anybody',
      applies: isFunction,
      change: ({ properties, resources }) => {
        const role = resources[referenceTo(properties.Role) ?? ''];
        const document = role?.Properties?.AssumeRolePolicyDocument as unknown as { Statement: Statement[] };
        for (const statement of document.Statement) statement.Principal = { AWS: '*' };
      },
      says: /can be assumed by \[\{"AWS":"\*"\}\]/,
    },
  ],
  'no-wildcards': [
    {
      title: 'every action',
      applies: isRole,
      change: (target) => grant(target, { Action: ['dynamodb:*'] }),
      says: /Action "dynamodb:\*"$/,
    },
    {
      title: 'every resource',
      applies: typed(isRole, ({ id }) => !/^(OnOrderOutcome|.+ForCheckout|PostApproval)Role$/.test(id)),
      change: (target) => grant(target, { Resource: '*' }),
      says: /Resource "\*"$/,
    },
    {
      title: 'a resource that only begins',
      applies: isRole,
      change: (target) => grant(target, { Resource: { 'Fn::Sub': `\${Table.Arn}*` } }),
      says: /Resource .*\*"\}$/,
    },
    {
      title: 'everything but something',
      applies: isRole,
      change: (target) => grant(target, { NotAction: 'iam:*' }),
      says: /NotAction allows everything else$/,
    },
    {
      title: 'a queue that lets its sender do everything',
      applies: typed('AWS::SQS::QueuePolicy', allowsIn),
      change: ({ properties }) => {
        for (const statement of statements(properties)) statement.Action = 'sqs:*';
      },
      says: /^PolicyDocument\.Statement\[0\]: Action "sqs:\*"$/,
    },
  ],
  'resource-policies': [
    {
      title: 'a policy for any rule',
      applies: typed('AWS::SQS::QueuePolicy', allowsIn),
      change: ({ properties }) => {
        for (const statement of statements(properties)) if (statement.Effect === 'Allow') delete statement.Condition;
      },
      says: /names no rule or topic of this template as aws:SourceArn/,
    },
    {
      title: 'a policy for everybody',
      applies: typed('AWS::SQS::QueuePolicy', allowsIn),
      change: ({ properties }) => {
        for (const statement of statements(properties)) if (statement.Effect === 'Allow') statement.Principal = '*';
      },
      says: /names no rule or topic/,
    },
    {
      title: 'a queue that does not let its rule send',
      applies: isQueueRule,
      change: ({ properties, resources }) => {
        const queue = referenceTo(at(list(properties.Targets)[0], 'Arn'));
        delete resources[`${queue}Policy`];
      },
      says: /^may not send to \w+Queue$/,
    },
    {
      title: "a key for anybody's alarms",
      applies: ({ id }) => id === 'AlarmTopicKey',
      change: ({ properties }) => {
        for (const statement of list(at(properties, 'KeyPolicy', 'Statement')) as Statement[])
          delete statement.Condition;
      },
      says: /^AlarmsArePublished does not say for which account/,
    },
    {
      title: "a function for anybody's API or rule",
      applies: 'AWS::Lambda::Permission',
      change: ({ properties }) => delete properties.SourceArn,
      says: /^(apigateway|events)\.amazonaws\.com may invoke for anybody/,
    },
    {
      title: "a topic for anybody's alarms",
      applies: 'AWS::SNS::TopicPolicy',
      change: ({ properties }) => {
        for (const statement of statements(properties)) if (statement.Effect === 'Allow') delete statement.Condition;
      },
      says: /does not say whose alarms/,
    },
  ],
  'own-events': [
    {
      title: 'every source',
      applies: typed(isRole, putsEvents),
      change: (target) => eachPut(target, (statement) => delete statement.Condition),
      says: /PutEvents with events:source \[\]/,
    },
    {
      title: "another service's source beside the own",
      applies: typed(isRole, putsEvents),
      change: (target) =>
        eachPut(target, ({ Condition }) => {
          const sources = at(Condition, 'StringEquals', 'events:source') as string[];
          sources.push('millrace.somebody');
        }),
      says: /PutEvents with events:source \[.*"millrace\.somebody"\]/,
    },
    {
      title: 'a policy beside the role',
      applies: isRole,
      change: ({ id, resources }) => {
        const Statement = [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: 'arn' }];
        const Properties = { Roles: [{ Ref: id }], PolicyName: 'more', PolicyDocument: { Statement } };
        resources[`${id}Extra`] = { Type: 'AWS::IAM::Policy', Properties };
      },
      says: /PutEvents with events:source \[\]/,
      names: ({ id }) => `${id}Extra`,
    },
    {
      title: 'everything of EventBridge',
      applies: typed(isRole, ({ id }) => id !== 'ReemitRole'),
      change: (target) => grant(target, { Action: 'events:*' }),
      says: /PutEvents with events:source \[\]/,
    },
  ],
  'encryption-at-rest': [
    [isQueue, 'KmsMasterKeyId'],
    [isTable, 'SSESpecification'],
    ['AWS::SNS::Topic', 'KmsMasterKeyId'],
    ['AWS::S3::Bucket', 'BucketEncryption'],
  ].map(([type = '', property = '']) => ({
    title: `${type} without ${property}`,
    applies: type,
    change: ({ properties }) => delete properties[property],
    says: new RegExp(`^has no .*${property}`),
  })),
  'tls-only': [isQueue, 'AWS::SNS::Topic', 'AWS::S3::Bucket'].map((applies) => ({
    title: `${applies} without TLS`,
    applies,
    change: withoutTls,
    says: /denies .* without aws:SecureTransport/,
  })),
  'log-retention': [
    {
      title: 'logs that are kept for ever',
      applies: 'AWS::Logs::LogGroup',
      change: ({ properties }) => delete properties.RetentionInDays,
      says: /^has no RetentionInDays$/,
    },
    {
      title: 'no log group',
      applies: isFunction,
      change: ({ id, resources }) => delete resources[id.replace('LambdaFunction', 'LogGroup')],
      says: /^has no log group/,
    },
  ],
  'protected-tables': [
    {
      title: 'no recovery',
      applies: isTable,
      change: ({ properties }) => delete properties.PointInTimeRecoverySpecification,
      says: /^PointInTimeRecoverySpecification\.PointInTimeRecoveryEnabled is undefined, not true, at prod$/,
    },
    {
      title: 'no deletion protection',
      applies: isTable,
      change: ({ properties }) => {
        properties.DeletionProtectionEnabled = false;
      },
      says: /^DeletionProtectionEnabled is false, not true/,
    },
    {
      title: 'a table that goes with its stack',
      applies: isTable,
      change: ({ resource }) => delete resource.DeletionPolicy,
      says: /^DeletionPolicy is undefined, not Retain/,
    },
    {
      title: 'a table that is replaced',
      applies: isTable,
      change: ({ resource }) => {
        resource.UpdateReplacePolicy = 'Delete';
      },
      says: /^UpdateReplacePolicy is Delete, not Retain/,
    },
  ],
  'dead-letter-queues': [
    {
      title: 'a rule target without one',
      applies: isQueueRule,
      change: ({ properties }) => {
        for (const target of list(properties.Targets)) delete (target as Record<string, unknown>).DeadLetterConfig;
      },
      says: /^target queue: DeadLetterConfig: no dead-letter queue/,
    },
    {
      title: 'a queue without one',
      applies: typed(isQueue, ({ properties }) => properties.RedrivePolicy !== undefined),
      change: ({ properties }) => delete properties.RedrivePolicy,
      says: /^RedrivePolicy: no dead-letter queue/,
    },
    {
      title: 'a stream mapping without one',
      applies: hasSource(isTable),
      change: ({ properties }) => delete properties.DestinationConfig,
      says: /^DestinationConfig\.OnFailure: no dead-letter queue/,
    },
    {
      title: 'a subscription without one',
      applies: 'AWS::SNS::Subscription',
      change: ({ properties }) => delete properties.RedrivePolicy,
      says: /^RedrivePolicy: no dead-letter queue/,
    },
    {
      title: 'an asynchronous invocation without one',
      // Those that run at a rate have no failure queue, and the rule says why.
      applies: typed(isFunction, ({ id }) => !/^(SweepTimeLimits|GenerateSlots)LambdaFunction$/.test(id)),
      change: callAsynchronously,
      says: /^asynchronous invocation: .*: no dead-letter queue/,
    },
    {
      title: 'a schedule without one',
      applies: isFunction,
      change: ({ id, resources }) => {
        const Target = { Arn: { 'Fn::GetAtt': [id, 'Arn'] }, RoleArn: 'arn' };
        resources[`${id}Schedule`] = { Type: 'AWS::Scheduler::Schedule', Properties: { Target } };
      },
      says: /^Target\.DeadLetterConfig: no dead-letter queue/,
      names: ({ id }) => `${id}Schedule`,
    },
    {
      title: 'one that forgets before its source',
      applies: typed(isQueue, ({ properties }) => properties.RedrivePolicy !== undefined),
      change: ({ properties }) => {
        properties.MessageRetentionPeriod = 1_209_600;
      },
      says: /keeps messages no longer than their source/,
    },
    {
      title: 'one that any queue may use',
      applies: typed(isQueue, ({ properties }) => properties.RedriveAllowPolicy !== undefined),
      change: ({ properties }) => delete properties.RedriveAllowPolicy,
      says: /^RedriveAllowPolicy lets any queue/,
    },
  ],
  'dead-letter-alarms': [
    {
      title: 'no alarm',
      applies: deadLetterQueue,
      change: ({ id, resources }) => delete resources[`${id}DepthAlarm`],
      says: /^no alarm goes off with its first message$/,
    },
    {
      title: 'an alarm at the second letter',
      applies: deadLetterQueue,
      change: ({ id, resources }) => Object.assign(resources[`${id}DepthAlarm`]?.Properties ?? {}, { Threshold: 1 }),
      says: /^no alarm goes off with its first message$/,
    },
    {
      title: 'an alarm that is switched off',
      applies: deadLetterQueue,
      change: ({ id, resources }) =>
        Object.assign(resources[`${id}DepthAlarm`]?.Properties ?? {}, { ActionsEnabled: false }),
      says: /^no alarm goes off with its first message$/,
    },
    {
      title: 'an alarm that tells nobody',
      applies: isAlarm,
      change: ({ properties }) => {
        properties.AlarmActions = [];
      },
      says: /do not both tell the alarm topic$/,
    },
  ],
  'maximum-concurrency': [
    {
      title: 'as many as there are messages',
      applies: hasSource(isQueue),
      change: ({ properties }) => delete properties.ScalingConfig,
      says: /^has no ScalingConfig\.MaximumConcurrency$/,
    },
  ],
  'partial-batches': [
    {
      title: 'all or nothing',
      applies: isMapping,
      change: ({ properties }) => delete properties.FunctionResponseTypes,
      says: /^FunctionResponseTypes has no ReportBatchItemFailures$/,
    },
  ],
  'visibility-timeouts': [
    {
      title: 'a function that takes longer',
      applies: hasSource(isQueue),
      change: ({ properties, resources }) => {
        const handler = resources[referenceTo(properties.FunctionName) ?? ''];
        Object.assign(handler?.Properties ?? {}, { Timeout: 900 });
      },
      says: /^VisibilityTimeout is \d+ s, and \w+LambdaFunction with its Timeout of 900 s needs 54\d\d s$/,
      names: ({ properties }) => referenceTo(properties.EventSourceArn) ?? '',
    },
  ],
  'function-platform': [
    {
      title: 'another architecture',
      applies: isFunction,
      change: ({ properties }) => delete properties.Architectures,
      says: /^runs on \["nodejs24\.x",null\]$/,
    },
    {
      title: 'an old runtime',
      applies: isFunction,
      change: ({ properties }) => {
        properties.Runtime = 'nodejs20.x';
      },
      says: /^runs on \["nodejs20\.x",\["arm64"\]\]$/,
    },
  ],
  'name-lengths': [
    [isQueue, 'QueueName', 80],
    [isRule, 'Name', 64],
    [isFunction, 'FunctionName', 64],
    ['AWS::Events::Archive', 'ArchiveName', 48],
    [isAlarm, 'AlarmName', 255],
  ].map(([type, property, limit]) => ({
    title: `a ${property} of ${limit} and one more`,
    applies: String(type),
    change: ({ properties }) => {
      properties[String(property)] = 'x'.repeat(Number(limit) + 1);
    },
    says: new RegExp(`^${property} x+ has ${Number(limit) + 1} characters, AWS allows ${limit}$`),
  })),
  tags: [
    {
      title: 'a stack without a team',
      applies: 'AWS::S3::Bucket',
      change: ({ service }) => delete service.stackTags.team,
      says: /^provider\.stackTags is/,
      names: () => '',
    },
    {
      title: "another stage's tag",
      applies: isFunction,
      change: ({ properties }) => {
        properties.Tags = [{ Key: 'stage', Value: 'other' }];
      },
      says: /^Tags is \[\{"Key":"stage","Value":"other"\}\]$/,
    },
  ],
  'stack-size': [
    {
      title: 'too many resources',
      applies: 'AWS::S3::Bucket',
      change: ({ resources }) => {
        for (let index = 0; index < 400; index += 1) resources[`Topic${index}`] = { Type: 'AWS::SNS::Topic' };
      },
      says: /^has \d+ resources, more than 400$/,
      names: () => '',
    },
  ],
  'route-authorizers': [
    {
      title: 'no authorizer',
      applies: authorizedRoute,
      change: ({ properties }) => {
        properties.AuthorizationType = 'NONE';
      },
      says: /^[A-Z]+ \/.*: AuthorizationType is NONE, not JWT$/,
    },
    {
      title: 'an authorizer that nobody declares',
      applies: authorizedRoute,
      change: ({ properties }) => {
        properties.AuthorizerId = { Ref: 'HttpApiAuthorizerGone' };
      },
      says: /: AuthorizerId is .*Gone"\}, which is not an authorizer of this template$/,
    },
    {
      title: 'no scopes',
      applies: authorizedRoute,
      change: ({ properties }) => {
        properties.AuthorizationScopes = [];
      },
      says: /: AuthorizationScopes is empty: every token will do$/,
    },
    {
      title: 'an issuer without TLS',
      applies: authorizedRoute,
      change: (target) => {
        authorizerOf(target).JwtConfiguration = { Issuer: 'http://auth.example', Audience: ['api'] };
      },
      says: /: its issuer is "http:\/\/auth\.example"$/,
    },
    {
      title: 'any audience',
      applies: authorizedRoute,
      change: (target) => {
        authorizerOf(target).JwtConfiguration = { Issuer: 'https://auth.example', Audience: [] };
      },
      says: /: its authorizer takes the issuer's tokens for anybody$/,
    },
    {
      title: 'a function with an address of its own',
      applies: isFunction,
      change: ({ id, resources }) => {
        const Properties = { TargetFunctionArn: { 'Fn::GetAtt': [id, 'Arn'] }, AuthType: 'NONE' };
        resources[`${id}Url`] = { Type: 'AWS::Lambda::Url', Properties };
      },
      says: /^AuthType is NONE, not AWS_IAM$/,
      names: ({ id }) => `${id}Url`,
    },
  ],
  'route-limits': [
    {
      title: 'no default',
      applies: typed(isStage, (target) => routeByDefault(target) !== undefined),
      change: ({ properties }) => delete properties.DefaultRouteSettings,
      says: /: its settings are undefined$/,
      names: (target) => routeByDefault(target) ?? '',
    },
    {
      title: 'settings of its own without a limit',
      applies: isRoute,
      change: ({ properties, resources }) => {
        const stage = Object.values(resources).find(({ Type }) => Type === isStage);
        const RouteSettings = { [String(properties.RouteKey)]: { DetailedMetricsEnabled: true } };
        Object.assign(stage?.Properties ?? {}, { RouteSettings });
      },
      says: /: its settings are \{"DetailedMetricsEnabled":true\}$/,
    },
    {
      title: 'no stage',
      applies: isRoute,
      change: ({ resources }) => delete resources.HttpApiStage,
      says: /: no stage of this template serves it$/,
    },
    {
      title: 'settings for a route that is not there yet',
      applies: typed(isStage, ({ properties }) => properties.RouteSettings !== undefined),
      change: ({ resource }) => delete resource.DependsOn,
      says: /^RouteSettings of .* without DependsOn on its route$/,
    },
  ],
  'cors-origins': ['*', 'https://*'].map((origin) => ({
    title: `pages of ${origin}, beside others`,
    applies: isApi,
    change: ({ properties }: Target) => {
      properties.CorsConfiguration = { AllowOrigins: ['https://shop.millrace.example', origin] };
    },
    says: /^CorsConfiguration\.AllowOrigins has ".*\*"$/,
  })),
  'rule-patterns': [
    {
      title: 'an event that nobody defines, among others',
      applies: isQueueRule,
      change: ({ properties }) => (at(properties, 'EventPattern', 'detail-type') as string[]).push('OrderPlacd.v1'),
      says: /^EventPattern names OrderPlacd\.v1, which no contract (defines|lets leave for analytics)$/,
    },
    {
      title: 'a filter that no event passes',
      applies: isBusRule,
      change: ({ properties }) => {
        Object.assign(properties.EventPattern as object, { detail: { data: { colour: ['mauve'] } } });
      },
      says: /^EventPattern matches no contract's example event$/,
    },
  ],
  imports: [
    {
      title: 'an export that is gone',
      applies: isAlarm,
      change: ({ properties }) => {
        properties.AlarmActions = [{ 'Fn::ImportValue': 'millrace-prod:NoTopicArn' }];
      },
      says: /^imports millrace-prod:NoTopicArn, which no service exports$/,
    },
  ],
};

/** The properties of a route's authorizer. */
function authorizerOf({ properties, resources }: Target): Record<string, unknown> {
  return resources[referenceTo(properties.AuthorizerId) ?? '']?.Properties ?? {};
}

function functionsOf({ Resources = {} }: Template): string[] {
  return Object.keys(Resources).filter((id) => Resources[id]?.Type === isFunction);
}
