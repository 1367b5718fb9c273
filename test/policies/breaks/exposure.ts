import type { Resource } from '../compiled-workspace.ts';
import { type Break, type Breaks, setting, type Target, typed } from './break.ts';

const isFunction = 'AWS::Lambda::Function';
const isTable = 'AWS::DynamoDB::Table';
const isBucket = 'AWS::S3::Bucket';
const isApi = 'AWS::ApiGatewayV2::Api';
const isStage = 'AWS::ApiGatewayV2::Stage';
const isRoute = 'AWS::ApiGatewayV2::Route';
/** But for those of visitors. */
const authorizedRoute = typed(isRoute, ({ properties }) => properties.AuthorizerId !== undefined);
const isAuthorizer = 'AWS::ApiGatewayV2::Authorizer';
const isIntegration = 'AWS::ApiGatewayV2::Integration';
const isAlarm = 'AWS::CloudWatch::Alarm';
const isLogGroup = 'AWS::Logs::LogGroup';
const isRole = 'AWS::IAM::Role';
const isPseudonymKey = typed('AWS::KMS::Key', ({ id }) => id === 'PseudonymKey');
const everybody = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
};
const unknown = (property: string) => new RegExp(`^${property} is not judged by any rule`);
/** A property that no rule has judged. */
const property = (title: string, type: string, path: string, value: unknown) =>
  setting(title, type, path, value, unknown(path.replaceAll('.', '\\.')));

/** A resource of a type that no template has, beside one that is there. */
function beside(title: string, type: string, added: Resource): Break {
  return {
    title,
    applies: type,
    change: ({ id, resources }) => {
      resources[`${id}Extra`] = added;
    },
    says: /^[A-Za-z0-9:]+ is not judged by any rule: add it to test\/policies\/shapes$/,
    names: ({ id }) => `${id}Extra`,
  };
}

const stack = ({ service }: Target) => service.template as unknown as Record<string, Record<string, unknown>>;
const onStack = (title: string, change: (template: ReturnType<typeof stack>) => void, says: RegExp): Break => ({
  title,
  applies: isBucket,
  change: (target) => change(stack(target)),
  says,
  names: () => '',
});

/** What is open, or shows what it should not: types, properties, APIs, what is around the resources. */
export const exposure: Breaks = {
  'resource-shapes': [
    beside('a user', isRole, { Type: 'AWS::IAM::User', Properties: {} }),
    beside('a key of a user', isRole, { Type: 'AWS::IAM::AccessKey', Properties: { UserName: 'backdoor' } }),
    beside('an address of a function', isFunction, { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'NONE' } }),
    beside('a REST API', isFunction, { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'open' } }),
    beside('a policy of the bus beside it', 'AWS::Events::EventBus', {
      Type: 'AWS::Events::EventBusPolicy',
      Properties: { StatementId: 'all', Principal: '*', Action: 'events:PutEvents' },
    }),
    beside('logs that go elsewhere', isLogGroup, { Type: 'AWS::Logs::SubscriptionFilter', Properties: {} }),
    beside('events that go elsewhere', 'AWS::Events::Rule', { Type: 'AWS::Events::ApiDestination', Properties: {} }),
    beside('a stack of somebody else', isBucket, { Type: 'AWS::CloudFormation::Stack', Properties: {} }),
    beside('a resource that runs code', isBucket, { Type: 'Custom::Anything', Properties: {} }),
    property('a layer', isFunction, 'Layers', ['arn:aws:lambda:us-east-1:999999999999:layer:spy:1']),
    property('a disk', isFunction, 'FileSystemConfigs', [{ Arn: 'arn', LocalMountPath: '/mnt/x' }]),
    property('a network', isFunction, 'VpcConfig', { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] }),
    property('a queue of its own for failures', isFunction, 'DeadLetterConfig', { TargetArn: 'arn' }),
    property('calls in circles', isFunction, 'RecursiveLoop', 'Allow'),
    property('logs in another group', isFunction, 'LoggingConfig.LogGroup', '/elsewhere'),
    property('code without a bucket', isFunction, 'Code.ZipFile', 'exports.handler = () => {}'),
    property(
      'a boundary that is not there',
      isRole,
      'PermissionsBoundary',
      'arn:aws:iam::aws:policy/AdministratorAccess',
    ),
    setting('code of another bucket', isFunction, 'Code.S3Bucket', 'elsewhere', /^Code\.S3Bucket is "elsewhere"/),
    setting('a handler outside', isFunction, 'Handler', 'node_modules/spy/index.handler', /^Handler is/),
    setting('no time to finish', isFunction, 'Timeout', 1, /^Timeout is 1, not a whole number from 5/),
    setting('a quarter of an hour', isFunction, 'Timeout', 900, /^Timeout is 900, not a whole number from 5/),
    property('a function that never runs', isFunction, 'ReservedConcurrentExecutions', 0),
    property('a table for everybody', isTable, 'ResourcePolicy', { PolicyDocument: everybody }),
    property('rows that go elsewhere', isTable, 'KinesisStreamSpecification', { StreamArn: 'arn' }),
    property('recovery for a day', isTable, 'PointInTimeRecoverySpecification.RecoveryPeriodInDays', 1),
    property('a limit of requests', isTable, 'OnDemandThroughput', { MaxWriteRequestUnits: 1 }),
    setting('a table that throttles', isTable, 'BillingMode', 'PROVISIONED', /^BillingMode is "PROVISIONED"/),
    property('a public bucket', isBucket, 'AccessControl', 'PublicRead'),
    property('a web site', isBucket, 'WebsiteConfiguration', { IndexDocument: 'index.html' }),
    property('a copy of the bucket', isBucket, 'ReplicationConfiguration', { Role: 'arn', Rules: [] }),
    setting(
      'objects that go',
      isBucket,
      'LifecycleConfiguration',
      { Rules: [] },
      /^LifecycleConfiguration is \{"Rules":\[\]\}/,
    ),
    setting(
      'variables that anybody of the account decrypts',
      isFunction,
      'KmsKeyArn',
      undefined,
      /^KmsKeyArn is undefined/,
    ),
    setting(
      'a queue by the key of AWS',
      'AWS::SQS::Queue',
      'KmsMasterKeyId',
      'alias/aws/sqs',
      /^KmsMasterKeyId is "alias/,
    ),
    setting(
      'a table by the key of AWS',
      isTable,
      'SSESpecification',
      { SSEEnabled: true },
      /^SSESpecification\.SSEType is/,
    ),
    setting('logs by the key of AWS', isLogGroup, 'KmsKeyId', undefined, /^KmsKeyId is undefined/),
    setting(
      'an archive by the key of AWS',
      'AWS::Events::Archive',
      'KmsKeyIdentifier',
      undefined,
      /^KmsKeyIdentifier is/,
    ),
    setting(
      "a table by another account's key",
      isTable,
      'SSESpecification.KMSMasterKeyId',
      'arn:aws:kms:us-east-1:999999999999:key/x',
      /^SSESpecification\.KMSMasterKeyId is/,
    ),
    {
      title: 'a key that goes with its stack',
      applies: ({ id }) => id === 'DataKey',
      change: ({ resource }) => {
        resource.DeletionPolicy = 'Delete';
      },
      says: /^DeletionPolicy is "Delete"/,
    },
    setting('pseudonyms by a key that encrypts', isPseudonymKey, 'KeyUsage', undefined, /^KeyUsage is undefined/),
    setting('pseudonyms by another spec', isPseudonymKey, 'KeySpec', 'HMAC_512', /^KeySpec is "HMAC_512"/),
    setting(
      'pseudonyms that change',
      isPseudonymKey,
      'EnableKeyRotation',
      true,
      /^EnableKeyRotation is true, not missing/,
    ),
    {
      title: 'pseudonyms that go with their stack',
      applies: isPseudonymKey,
      change: ({ resource }) => {
        resource.DeletionPolicy = resource.DeletionPolicy === 'Delete' ? 'Retain' : 'Delete';
      },
      says: /^DeletionPolicy is "(Delete|Retain)"/,
    },
    setting('keys that stay', 'AWS::KMS::Key', 'EnableKeyRotation', false, /^EnableKeyRotation is false/),
    property('a key that is gone in a week', 'AWS::KMS::Key', 'PendingWindowInDays', 7),
    setting(
      'alarms for somebody else',
      'AWS::SNS::Subscription',
      'Endpoint',
      'mallory@example.com',
      /^Endpoint is "mallory@example\.com"/,
    ),
    setting('alarms by plain HTTP', 'AWS::SNS::Subscription', 'Protocol', 'http', /^Protocol is "http"/),
    property('alarms of which some are left out', 'AWS::SNS::Subscription', 'FilterPolicy', { severity: ['none'] }),
    setting('an encryption of SNS', 'AWS::SNS::Topic', 'KmsMasterKeyId', 'alias/aws/sns', /^KmsMasterKeyId is "alias/),
    setting('a secret as a parameter', 'AWS::SSM::Parameter', 'Value', 'sk_live_secret', /^Value is "sk_live_secret"/),
    property('alarms that are switched off', isAlarm, 'ActionsEnabled', false),
    setting('alarms that wait for data', isAlarm, 'TreatMissingData', 'ignore', /^TreatMissingData is "ignore"/),
    setting('alarms for nothing of nothing', isAlarm, 'DatapointsToAlarm', 0, /^DatapointsToAlarm is 0/),
    setting(
      'a log group of a cheaper class',
      isLogGroup,
      'LogGroupClass',
      'INFREQUENT_ACCESS',
      unknown('LogGroupClass'),
    ),
    setting('logs of a day', isLogGroup, 'RetentionInDays', 1, /^RetentionInDays is 1, not 365$/),
    property('an API that is open', isApi, 'Target', 'arn'),
    property('an API of a file', isApi, 'Body', { openapi: '3.0.1' }),
    setting('an API of sockets', isApi, 'ProtocolType', 'WEBSOCKET', /^ProtocolType is "WEBSOCKET"/),
    setting(
      'a token in the address',
      isAuthorizer,
      'IdentitySource',
      ['$request.querystring.token'],
      /^IdentitySource is \["\$request\.querystring\.token"\]/,
    ),
    setting(
      'a token here or there',
      isAuthorizer,
      'IdentitySource',
      ['$request.header.Authorization', '$request.querystring.token'],
      /^IdentitySource is/,
    ),
    setting(
      'another issuer',
      isAuthorizer,
      'JwtConfiguration.Issuer',
      'https://mallory.example',
      /^JwtConfiguration\.Issuer is/,
    ),
    setting(
      'one more audience',
      isAuthorizer,
      'JwtConfiguration.Audience',
      ['https://api.millrace.example', 'https://other.example'],
      /^JwtConfiguration\.Audience is/,
    ),
    setting(
      'an authorizer that is a function',
      isAuthorizer,
      'AuthorizerType',
      'REQUEST',
      /^AuthorizerType is "REQUEST"/,
    ),
    setting('an API without a log', isStage, 'AccessLogSettings', undefined, /^AccessLogSettings is undefined/),
    ...['identity.sourceIp', 'path', 'authorizer.claims.sub', 'identity.userAgent'].map((name) =>
      setting(
        `${name} in the log`,
        isStage,
        'AccessLogSettings.Format',
        `{"status":"$context.status","x":"$context.${name}"}`,
        new RegExp(`^AccessLogSettings\\.Format logs ${name.replaceAll('.', '\\.')}, which may be personal$`),
      ),
    ),
    setting(
      'a bucket that may become public',
      isBucket,
      'PublicAccessBlockConfiguration.BlockPublicPolicy',
      false,
      /^PublicAcc/,
    ),
    setting(
      'a bucket that forgets',
      isBucket,
      'VersioningConfiguration.Status',
      'Suspended',
      /^VersioningConfiguration is/,
    ),
    setting('requests that go elsewhere', isIntegration, 'IntegrationType', 'HTTP_PROXY', /^IntegrationType is/),
    setting('an address elsewhere', isIntegration, 'IntegrationUri', 'https://mallory.example', /^IntegrationUri is/),
    property('headers that are added', isIntegration, 'RequestParameters', { 'overwrite:header.authorization': 'x' }),
    setting('a function that anybody may call', 'AWS::Lambda::Permission', 'Principal', '*', /^Principal is "\*"/),
    setting('a caller that may do more', 'AWS::Lambda::Permission', 'Action', 'lambda:*', /^Action is "lambda:\*"/),
    {
      title: 'a resource that is not there at all',
      applies: isAlarm,
      change: ({ resource }) => {
        resource.Condition = 'Never';
      },
      says: /^Condition is "Never"/,
    },
    {
      title: 'an archive that goes with its stack',
      applies: 'AWS::Events::Archive',
      change: ({ resource }) => {
        resource.DeletionPolicy = 'Delete';
      },
      says: /^DeletionPolicy is "Delete", not "Retain"$/,
    },
    {
      title: 'a function before its log group',
      applies: isFunction,
      change: ({ resource }) => {
        delete resource.DependsOn;
      },
      says: /^DependsOn does not name \w+LogGroup$/,
    },
  ],
  'template-sections': [
    onStack('a macro', (template) => Object.assign(template, { Transform: 'AWS::Include' }), /^has Transform/),
    onStack(
      'a secret as an output',
      (template) => Object.assign(template.Outputs ?? {}, { Key: { Value: 'sk_live', Export: { Name: 'key' } } }),
      /^Outputs\.Key has a value of its own$/,
    ),
    onStack(
      'a parameter for anything',
      (template) => Object.assign(template, { Parameters: { Principal: { Type: 'String', Default: '*' } } }),
      /^Parameters\.Principal is/,
    ),
    onStack(
      'a condition that never holds',
      (template) => Object.assign(template, { Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } }),
      /^Conditions\.Never is/,
    ),
  ],
  references: [
    {
      title: 'a resource that is gone',
      applies: typed(isRole, ({ id, resources }) => resources[id.replace(/Role$/, 'LambdaFunction')] !== undefined),
      change: ({ id, resources }) => {
        delete resources[id];
      },
      says: /^refers to \w+Role, which is not there$/,
      names: ({ id }) => id.replace(/Role$/, 'LambdaFunction'),
    },
  ],
  'cors-origins': [
    ...[
      'null',
      'http://shop.millrace.example',
      'https://mallory.example',
      'https://shop.millrace.example.mallory.example',
    ].map((origin) =>
      setting(
        `pages of ${origin}`,
        isApi,
        'CorsConfiguration.AllowOrigins',
        ['https://shop.millrace.example', origin],
        /^CorsConfiguration\.AllowOrigins has/,
      ),
    ),
    setting('cookies', isApi, 'CorsConfiguration.AllowCredentials', true, /^CorsConfiguration has AllowCredentials$/),
    setting('any header', isApi, 'CorsConfiguration.AllowHeaders', ['*'], /^CorsConfiguration\.AllowHeaders has "\*"$/),
    setting('any method', isApi, 'CorsConfiguration.AllowMethods', ['*'], /^CorsConfiguration\.AllowMethods has "\*"$/),
    setting('for a month', isApi, 'CorsConfiguration.MaxAge', 2_592_000, /^CorsConfiguration\.MaxAge is 2592000$/),
  ],
  'route-authorizers': [
    setting(
      'another kind of scope',
      authorizedRoute,
      'AuthorizationScopes',
      ['openid'],
      /AuthorizationScopes is \["openid"\]/,
    ),
    {
      title: 'the scope of readers for a write',
      applies: (target) => authorizedRoute(target) && !/^GET /.test(String(target.properties.RouteKey)),
      change: ({ properties }) => {
        properties.AuthorizationScopes = ['orders:read'];
      },
      says: /AuthorizationScopes is \["orders:read"\], not one as/,
    },
    {
      title: 'one scope or another',
      applies: authorizedRoute,
      change: ({ properties }) => {
        properties.AuthorizationScopes = [...(properties.AuthorizationScopes as string[]), 'profile'];
      },
      says: /AuthorizationScopes is \[.*"profile"\], not one as/,
    },
    setting(
      'credentials of AWS',
      authorizedRoute,
      'AuthorizationType',
      'AWS_IAM',
      /AuthorizationType is AWS_IAM, not JWT$/,
    ),
  ],
  'route-limits': [
    setting(
      'bodies in the log',
      isStage,
      'DefaultRouteSettings.DataTraceEnabled',
      true,
      /^DefaultRouteSettings is .*"DataTraceEnabled":true/,
    ),
    setting(
      'more than the stage allows',
      isStage,
      'DefaultRouteSettings.ThrottlingRateLimit',
      10_000,
      /^DefaultRouteSettings is .*10000/,
    ),
    setting('almost none', isStage, 'DefaultRouteSettings.ThrottlingBurstLimit', 1, /^DefaultRouteSettings is/),
  ],
  tags: [setting('an API of nobody', isApi, 'Tags', {}, /^Tags is \{\}$/)],
};
