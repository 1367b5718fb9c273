import { at, isAnalyticsBus, isPseudonymKey, list, referenceTo, type Statement } from '../template.ts';
import { type Break, type Breaks, isFunctionRole, setting, type Target, typed } from './break.ts';

const isFunction = 'AWS::Lambda::Function';
const isRole = 'AWS::IAM::Role';
const isBus = 'AWS::Events::EventBus';
const isKey = 'AWS::KMS::Key';
const isQueuePolicy = 'AWS::SQS::QueuePolicy';
const stranger = 'arn:aws:iam::999999999999:root';

/** Another statement in a role. */
function grants(title: string, Action: string | string[], Resource: unknown, says: RegExp, more: object = {}): Break {
  return {
    title,
    applies: (target) => isFunctionRole(target) && target.id !== 'ReemitRole',
    change: ({ properties }) => {
      const document = at(list(properties.Policies)[0], 'PolicyDocument') as { Statement: object[] };
      document.Statement.push({ Effect: 'Allow', Action, Resource, ...more });
    },
    says,
  };
}

/** Every statement of a policy that allows, or denies, changed. */
function changes(
  title: string,
  applies: Break['applies'],
  document: string,
  effect: 'Allow' | 'Deny',
  change: (statement: Statement) => void,
  says: RegExp,
  names?: Break['names'],
): Break {
  return {
    title,
    applies,
    change: ({ properties }) => {
      const all = list(at(properties, ...document.split('.'), 'Statement')) as Statement[];
      for (const statement of all) if (statement.Effect === effect) change(statement);
    },
    says,
    ...(names && { names }),
  };
}

/** A statement more, in the policy of a resource. */
function adds(title: string, applies: Break['applies'], document: string, statement: object, says: RegExp): Break {
  return {
    title,
    applies,
    change: ({ properties }) => {
      (at(properties, ...document.split('.')) as { Statement: object[] }).Statement.push(statement);
    },
    says,
  };
}

const allowsIn = typed(isQueuePolicy, ({ properties }) =>
  list(at(properties.PolicyDocument, 'Statement')).some((each) => at(each, 'Effect') === 'Allow'),
);
const table = { 'Fn::GetAtt': ['Table', 'Arn'] };
const withTable = (each: Break): Break => ({
  ...each,
  applies: (target) => isFunctionRole(target) && target.id !== 'ReemitRole' && target.resources.Table !== undefined,
});
const variable = (title: string, name: string, value: unknown, says = new RegExp(`^Environment has ${name}, which`)) =>
  setting(title, isFunction, `Environment.Variables.${name}`, value, says);
const isConsumer = typed(
  isFunction,
  ({ properties }) => at(properties.Environment, 'Variables', 'MILLRACE_MAX_RECEIVE_COUNT') !== undefined,
);
const sendsMail = typed(isRole, ({ properties }) => JSON.stringify(properties).includes('ses:SendEmail'));
const sendsText = typed(isRole, ({ properties }) => JSON.stringify(properties).includes('sns:Publish'));

/** Of a role: what lets it put variants on the analytics bus. */
function variantStatement({ properties, service }: Target): Statement | undefined {
  const statements = list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[];
  return statements.find(({ Resource }) => isAnalyticsBus(Resource, service.stage));
}

/** A role that may make codes with the key of pseudonyms. */
const makesCodes = typed(isRole, ({ properties, service }) =>
  (list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]).some(({ Resource }) =>
    isPseudonymKey(Resource, service.stage),
  ),
);

const knowsPseudonymKey = typed(
  isFunction,
  ({ properties }) => at(properties.Environment, 'Variables', 'MILLRACE_PSEUDONYM_KEY_ARN') !== undefined,
);

/** Who may do what: roles, policies of resources, variables. */
export const access: Breaks = {
  'permitted-actions': [
    withTable(grants('delete the table', 'dynamodb:DeleteTable', table, /dynamodb:DeleteTable on .*it is not listed/)),
    withTable(grants('change the table', 'dynamodb:UpdateTable', table, /dynamodb:UpdateTable on .*it is not listed/)),
    withTable(grants('switch recovery off', 'dynamodb:UpdateContinuousBackups', table, /UpdateContinuousBackups on/)),
    withTable(grants('read every row', 'dynamodb:Scan', table, /dynamodb:Scan on .*it is not listed/)),
    {
      ...grants('delete rows', 'dynamodb:DeleteItem', table, /DeleteItem on .*a table of idempotency records/),
      applies: (target) =>
        isFunctionRole(target) &&
        !['orders', 'reservations'].includes(target.service.name) && // they may: rows of what is open and free
        target.id !== 'ReemitRole' &&
        target.resources.Table !== undefined,
    },
    withTable(grants('delete rows in batches', 'dynamodb:BatchWriteItem', table, /BatchWriteItem on .*not listed/)),
    withTable(grants('export the table', 'dynamodb:ExportTableToPointInTime', table, /ExportTableToPointInTime on/)),
    withTable(grants('query by PartiQL', 'dynamodb:PartiQLDelete', table, /PartiQLDelete on .*not listed/)),
    withTable(grants('put a policy on the table', 'dynamodb:PutResourcePolicy', table, /PutResourcePolicy on/)),
    grants('empty queues', 'sqs:PurgeQueue', 'arn', /sqs:PurgeQueue on .*not listed/),
    grants('change queues', 'sqs:SetQueueAttributes', 'arn', /sqs:SetQueueAttributes on .*not listed/),
    grants('hand its role on', 'iam:PassRole', 'arn', /iam:PassRole on .*the role of a group's schedules/),
    grants('make itself more', 'iam:PutRolePolicy', 'arn', /iam:PutRolePolicy on .*not listed/),
    grants('become another role', 'sts:AssumeRole', stranger, /sts:AssumeRole on .*not listed/),
    grants('decrypt anything', 'kms:Decrypt', '*', /kms:Decrypt on "\*"/),
    grants('read secrets', 'secretsmanager:GetSecretValue', 'arn', /GetSecretValue on .*not listed/),
    grants('read parameters', 'ssm:GetParameter', 'arn', /ssm:GetParameter on .*not listed/),
    grants('change functions', 'lambda:UpdateFunctionCode', 'arn', /UpdateFunctionCode on .*not listed/),
    grants(
      'call functions',
      'lambda:InvokeFunction',
      'arn',
      /lambda:InvokeFunction on .*the alias of a durable function/,
    ),
    grants(
      "another function's executions",
      'lambda:CheckpointDurableExecution',
      { 'Fn::Sub': 'arn:aws:lambda:us-east-1:1:function:x:*/durable-execution/*/*' },
      /CheckpointDurableExecution on .*own executions/,
    ),
    {
      title: 'a durable function that may not store what it has done',
      applies: typed(isRole, ({ id }) => id === 'DurableCheckoutRole'),
      change: ({ properties }) => {
        for (const each of list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]) {
          each.Action = list(each.Action).filter((action) => action !== 'lambda:CheckpointDurableExecution');
        }
      },
      says: /does not allow lambda:CheckpointDurableExecution/,
    },
    grants('delete logs', 'logs:DeleteLogGroup', 'arn', /logs:DeleteLogGroup on .*not listed/),
    grants('delete rules', 'events:DeleteRule', 'arn', /events:DeleteRule on .*not listed/),
    grants('delete the archive', 'events:DeleteArchive', 'arn', /events:DeleteArchive on .*not listed/),
    grants('change what is deployed', 's3:PutObject', 'arn', /s3:PutObject on .*not listed/),
    grants('switch alarms off', 'cloudwatch:DisableAlarmActions', 'arn', /DisableAlarmActions on .*not listed/),
    grants(
      "another account's table",
      'dynamodb:GetItem',
      'arn:aws:dynamodb:us-east-1:999999999999:table/x',
      /GetItem on/,
    ),
    grants(
      "another account's bus",
      'events:PutEvents',
      'arn:aws:events:us-east-1:999999999999:event-bus/x',
      /PutEvents on/,
    ),
    {
      title: 'put variants without being a relay',
      applies: (target) => isFunctionRole(target) && target.id !== 'RelayRole',
      change: ({ properties, service }) => {
        const document = at(list(properties.Policies)[0], 'PolicyDocument') as { Statement: object[] };
        const Resource = { 'Fn::ImportValue': `millrace-${service.stage}:AnalyticsBusArn` };
        document.Statement.push({ Effect: 'Allow', Action: 'events:PutEvents', Resource });
      },
      says: /events:PutEvents on .*AnalyticsBusArn.*the analytics bus, for a relay/,
    },
    {
      title: 'make pseudonyms without being a relay, or without a contract that asks for some',
      applies: (target) => isFunctionRole(target) && !makesCodes(target),
      change: ({ properties, service }) => {
        const document = at(list(properties.Policies)[0], 'PolicyDocument') as { Statement: object[] };
        const Resource = { 'Fn::ImportValue': `millrace-${service.stage}:PseudonymKeyArn` };
        document.Statement.push({ Effect: 'Allow', Action: 'kms:GenerateMac', Resource });
      },
      says: /kms:GenerateMac on .*PseudonymKeyArn.*for a relay whose contracts ask for some/,
    },
    grants('make codes with the key of the data', 'kms:GenerateMac', { 'Fn::ImportValue': 'k' }, /kms:GenerateMac on/),
    grants('verify codes', 'kms:VerifyMac', { 'Fn::ImportValue': 'k' }, /kms:VerifyMac on .*it is not listed/),
    {
      title: 'a relay that may not make pseudonyms',
      applies: makesCodes,
      change: ({ properties, service }) => {
        const document = at(list(properties.Policies)[0], 'PolicyDocument') as { Statement: Statement[] };
        document.Statement = document.Statement.filter(({ Resource }) => !isPseudonymKey(Resource, service.stage));
      },
      says: /does not allow kms:GenerateMac, without which its variants have no pseudonyms/,
    },
    grants("another function's logs", 'logs:PutLogEvents', 'arn:aws:logs:us-east-1:1:log-group:x', /PutLogEvents on/),
    {
      title: 'write for a GET',
      applies: typed(isRole, ({ id }) => /^Get/.test(id)),
      change: ({ properties }) => {
        const statement = list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement'))[1] as Statement;
        statement.Action = [...list(statement.Action), 'dynamodb:PutItem'];
      },
      says: /dynamodb:PutItem for a function that only answers GET$/,
    },
    {
      title: 'a consumer that may not delete what it has handled',
      applies: (target) => isFunctionRole(target) && JSON.stringify(target.properties).includes('sqs:ReceiveMessage'),
      change: ({ properties }) => {
        for (const each of list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]) {
          each.Action = list(each.Action).filter((action) => action !== 'sqs:DeleteMessage');
        }
      },
      says: /^does not allow sqs:DeleteMessage on \w+Queue$/,
    },
  ],
  'function-roles': [
    {
      title: 'a role for the functions of another account',
      applies: isFunction,
      change: (target) =>
        trust(target).push({ Effect: 'Allow', Principal: { AWS: stranger }, Action: 'sts:AssumeRole' }),
      says: /can be assumed by .*999999999999/,
    },
    {
      title: 'a role for machines, too',
      applies: isFunction,
      change: (target) => {
        for (const each of trust(target)) each.Principal = { Service: ['lambda.amazonaws.com', 'ec2.amazonaws.com'] };
      },
      says: /can be assumed by .*ec2\.amazonaws\.com/,
    },
    {
      title: 'a role for everybody else',
      applies: isFunction,
      change: (target) => {
        for (const each of trust(target))
          Object.assign(each, { Principal: undefined, NotPrincipal: { AWS: stranger } });
      },
      says: /not by Lambda alone$/,
    },
    {
      title: 'a role by web identity',
      applies: isFunction,
      change: (target) => {
        for (const each of trust(target)) each.Action = 'sts:AssumeRoleWithWebIdentity';
      },
      says: /not by Lambda alone$/,
    },
  ],
  'no-wildcards': [
    {
      title: 'actions by a ?',
      applies: isRole,
      change: ({ properties }) => {
        const statement = list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement'))[0] as Statement;
        statement.Action = [...list(statement.Action), 'dynamodb:?elete?tem'];
      },
      says: /Action "dynamodb:\?elete\?tem"$/,
    },
    {
      title: 'resources by ?',
      applies: isRole,
      change: ({ properties }) => {
        const statement = list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement'))[0] as Statement;
        statement.Resource = 'arn:aws:dynamodb:us-east-1:000000000000:table/millrace-??????-prod';
      },
      says: /Resource "arn:aws:dynamodb:.*\?"?/,
    },
  ],
  'own-events': [
    {
      title: 'every source for the re-emitter, of other systems as well',
      applies: typed(isRole, ({ id }) => id === 'ReemitRole'),
      change: ({ properties }) => {
        for (const each of list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]) {
          if (list(each.Action).includes('events:PutEvents')) delete each.Condition;
        }
      },
      says: /PutEvents with undefined$/,
    },
    {
      title: "another service's detail-type",
      applies: typed(isRole, ({ id }) => id === 'RelayRole'),
      change: ({ properties }) => {
        for (const each of list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]) {
          const types = at(each.Condition, 'StringEquals', 'events:detail-type') as string[] | undefined;
          types?.push('SomebodyElse.v1');
        }
      },
      says: /detail-type \["SomebodyElse\.v1"\], which no contract of the service defines$/,
    },
    {
      title: 'a variant of an event that stays inside',
      applies: typed(isRole, (target) => target.id === 'RelayRole' && variantStatement(target) !== undefined),
      change: (target) => {
        const types = at(variantStatement(target)?.Condition, 'StringEquals', 'events:detail-type') as string[];
        types.push('SomebodyElse.v1');
      },
      says: /detail-type \["SomebodyElse\.v1"\], which no contract of the service lets leave for analytics$/,
    },
  ],
  'outgoing-messages': [
    {
      title: 'mail in any name',
      applies: sendsMail,
      change: ({ properties }) => {
        for (const each of list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[]) {
          if (list(each.Action).includes('ses:SendEmail')) delete each.Condition;
        }
      },
      says: /ses:SendEmail not only from shop@millrace\.example$/,
    },
    {
      title: 'messages to topics',
      applies: sendsText,
      change: ({ properties }) => {
        const document = at(list(properties.Policies)[0], 'PolicyDocument') as { Statement: Statement[] };
        document.Statement = document.Statement.filter(({ Effect }) => Effect !== 'Deny');
      },
      says: /^sns:Publish not denied for topics$/,
    },
  ],
  'bus-policy': [
    setting(
      'a bus without a policy',
      isBus,
      'Policy',
      undefined,
      /^Policy does not deny millrace\.orders to all others$/,
    ),
    adds(
      'a bus for everybody',
      isBus,
      'Policy',
      { Sid: 'All', Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: '*' },
      /^Policy has All \(Allow\)/,
    ),
    adds(
      'a bus for another account',
      isBus,
      'Policy',
      { Sid: 'Partner', Effect: 'Allow', Principal: { AWS: stranger }, Action: 'events:PutEvents', Resource: '*' },
      /^Policy has Partner \(Allow\)/,
    ),
    adds(
      'a bus whose rules another account may delete',
      isBus,
      'Policy',
      { Effect: 'Allow', Principal: { AWS: stranger }, Action: 'events:DeleteRule', Resource: '*' },
      /^Policy has a statement \(Allow\)/,
    ),
    changes(
      'any role may put any event',
      isBus,
      'Policy',
      'Deny',
      (statement) => Object.assign(statement.Condition ?? {}, { ArnNotLike: { 'aws:PrincipalArn': ['*'] } }),
      /^Policy does not deny millrace\.payments/,
    ),
    changes(
      'a denial for one account alone',
      isBus,
      'Policy',
      'Deny',
      (statement) => {
        statement.Principal = { AWS: stranger };
      },
      /^Policy does not deny millrace\.inventory/,
    ),
    changes(
      'a denial that never applies',
      isBus,
      'Policy',
      'Deny',
      (statement) => Object.assign(statement.Condition ?? {}, { Bool: { 'aws:SecureTransport': 'false' } }),
      /^Policy does not deny millrace\.fulfillment/,
    ),
  ],
  'resource-policies': [
    changes(
      'a queue that another account may fill',
      allowsIn,
      'PolicyDocument',
      'Allow',
      (statement) => {
        statement.Principal = { AWS: stranger };
      },
      /names no rule or topic/,
    ),
    changes(
      'a queue that its sender may empty',
      allowsIn,
      'PolicyDocument',
      'Allow',
      (statement) => {
        statement.Action = ['sqs:SendMessage', 'sqs:PurgeQueue'];
      },
      /allows it more than to send/,
    ),
    changes(
      'a queue for rules whose names are alike',
      allowsIn,
      'PolicyDocument',
      'Allow',
      (statement) => {
        statement.Condition = { ArnLike: { 'aws:SourceArn': 'arn:aws:events:*:*:rule/*' } };
      },
      /names no rule or topic/,
    ),
    adds(
      'a queue that everybody may read',
      isQueuePolicy,
      'PolicyDocument',
      { Sid: 'Read', Effect: 'Allow', Principal: '*', Action: 'sqs:ReceiveMessage', Resource: '*' },
      /^Read names no rule or topic/,
    ),
    adds(
      'a topic that everybody may read',
      'AWS::SNS::TopicPolicy',
      'PolicyDocument',
      { Sid: 'Read', Effect: 'Allow', Principal: '*', Action: 'sns:Subscribe', Resource: '*' },
      /^Read does not say whose alarms/,
    ),
    adds(
      'a bucket that everybody may read',
      'AWS::S3::BucketPolicy',
      'PolicyDocument',
      { Sid: 'Read', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' },
      /^Read lets somebody in/,
    ),
    adds(
      'a bucket that another account may fill',
      'AWS::S3::BucketPolicy',
      'PolicyDocument',
      { Effect: 'Allow', Principal: { AWS: stranger }, Action: 's3:PutObject', Resource: '*' },
      /^Allow lets somebody in/,
    ),
    adds(
      'a key that everybody may decrypt with',
      isKey,
      'KeyPolicy',
      { Sid: 'All', Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt', Resource: '*' },
      /^All does not say for which account, or is for somebody else$/,
    ),
    adds(
      'a key that another account may decrypt with',
      isKey,
      'KeyPolicy',
      { Effect: 'Allow', Principal: { AWS: stranger }, Action: 'kms:Decrypt', Resource: '*' },
      /^Allow does not say for which account/,
    ),
    ...['rules that fill queues', 'the archive', 'the alarm topic', 'CloudWatch Logs'].map((who, index) => ({
      title: `a key for ${who} of anybody`,
      applies: ({ id }: Target) => id === 'DataKey',
      change: ({ properties }: Target) => {
        const statement = list(at(properties.KeyPolicy, 'Statement'))[[1, 3, 4, 5][index] ?? 0] as Statement;
        delete statement.Condition;
      },
      says: new RegExp(`^may not be used by ${who}, or not for this stage alone$`),
    })),
    adds(
      'pseudonyms for a service of AWS',
      ({ id }) => id === 'PseudonymKey',
      'KeyPolicy',
      {
        Sid: 'Logs',
        Effect: 'Allow',
        Principal: { Service: 'logs.amazonaws.com' },
        Action: 'kms:GenerateMac',
        Resource: '*',
      },
      /^Logs does not say for which account, or is for somebody else$/,
    ),
    setting(
      'a key that nobody may administer',
      isKey,
      'KeyPolicy.Statement',
      [],
      /^the account may not administer the key/,
    ),
    setting(
      "a function for another account's API",
      'AWS::Lambda::Permission',
      'SourceArn',
      'arn:aws:execute-api:us-east-1:999999999999:x/*',
      /may invoke for anybody/,
    ),
  ],
  'tls-only': [
    changes(
      'TLS for one account alone',
      isQueuePolicy,
      'PolicyDocument',
      'Deny',
      (statement) => {
        statement.Principal = { AWS: stranger };
      },
      /denies sqs:\* without aws:SecureTransport$/,
      ({ properties }: Target) => referenceTo(list(properties.Queues)[0]) ?? '',
    ),
    changes(
      'TLS for sending alone',
      isQueuePolicy,
      'PolicyDocument',
      'Deny',
      (statement) => {
        statement.Action = 'sqs:SendMessage';
      },
      /denies sqs:\* without aws:SecureTransport$/,
      ({ properties }: Target) => referenceTo(list(properties.Queues)[0]) ?? '',
    ),
    changes(
      'a bucket whose objects need no TLS',
      'AWS::S3::BucketPolicy',
      'PolicyDocument',
      'Deny',
      (statement) => {
        statement.Resource = list(statement.Resource).slice(1);
      },
      /denies s3:\* without aws:SecureTransport$/,
      ({ properties }: Target) => referenceTo(properties.Bucket) ?? '',
    ),
  ],
  'function-environment': [
    variable('a key of AWS', 'AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
    variable('a key of the payment provider', 'PAYMENT_API_KEY', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'),
    variable('a password by another name', 'MILLRACE_DATABASE', 'postgres://admin:secret@db.example'),
    variable(
      'a secret in the place of a table',
      'MILLRACE_TABLE',
      'sk_live_4eC39Hq',
      /^MILLRACE_TABLE has a value that it may not have$/,
    ),
    setting(
      'a relay that does not know the analytics bus',
      typed(
        isFunction,
        ({ properties }) => at(properties.Environment, 'Variables', 'MILLRACE_ANALYTICS_BUS') !== undefined,
      ),
      'Environment.Variables.MILLRACE_ANALYTICS_BUS',
      undefined,
      /^MILLRACE_ANALYTICS_BUS is missing, or not that of its own queue$/,
    ),
    setting(
      'a relay that does not know the key of pseudonyms',
      knowsPseudonymKey,
      'Environment.Variables.MILLRACE_PSEUDONYM_KEY_ARN',
      undefined,
      /^MILLRACE_PSEUDONYM_KEY_ARN is missing, or not that of its own queue$/,
    ),
    setting(
      'pseudonyms by another key',
      knowsPseudonymKey,
      'Environment.Variables.MILLRACE_PSEUDONYM_KEY_ARN',
      { 'Fn::ImportValue': 'millrace-prod:DataKeyArn' },
      /^MILLRACE_PSEUDONYM_KEY_ARN has a value that it may not have/,
    ),
    variable('code before the handler', 'NODE_OPTIONS', '--require /tmp/spy.js', /^NODE_OPTIONS has a value/),
    variable('a debugger', 'NODE_OPTIONS', '--enable-source-maps --inspect=0.0.0.0', /^NODE_OPTIONS has a value/),
    variable('certificates that nobody checks', 'NODE_TLS_REJECT_UNAUTHORIZED', '0'),
    variable('an authority of its own', 'NODE_EXTRA_CA_CERTS', '/tmp/ca.pem'),
    variable('a wrapper around the runtime', 'AWS_LAMBDA_EXEC_WRAPPER', '/opt/wrapper'),
    variable('requests through a proxy', 'HTTPS_PROXY', 'http://proxy.example'),
    variable('AWS somewhere else', 'AWS_ENDPOINT_URL', 'https://aws.example'),
    variable('events in the log', 'POWERTOOLS_LOGGER_LOG_EVENT', 'true'),
    variable('a development mode', 'POWERTOOLS_DEV', 'true'),
    variable('every message in the log', 'POWERTOOLS_LOG_LEVEL', 'DEBUG', /^POWERTOOLS_LOG_LEVEL has a value/),
    variable("another stage's name", 'MILLRACE_STAGE', 'dev', /^MILLRACE_STAGE has a value/),
    {
      title: "another consumer's queue",
      applies: isConsumer,
      change: ({ properties }) => {
        const variables = at(properties.Environment, 'Variables') as Record<string, unknown>;
        variables.MILLRACE_CONSUMER_QUEUE_URL = variables.MILLRACE_CONSUMER_DLQ_URL;
      },
      says: /^MILLRACE_CONSUMER_QUEUE_URL is missing, or not that of its own queue$/,
    },
    {
      title: 'fewer attempts than the queue makes',
      applies: isConsumer,
      change: ({ properties }) => {
        Object.assign(at(properties.Environment, 'Variables') as object, { MILLRACE_MAX_RECEIVE_COUNT: '1' });
      },
      says: /^MILLRACE_MAX_RECEIVE_COUNT is missing, or not that of its own queue$/,
    },
  ],
};

function trust({ properties, resources }: Target): Statement[] {
  const role = resources[referenceTo(properties.Role) ?? '']?.Properties;
  return at(role, 'AssumeRolePolicyDocument', 'Statement') as Statement[];
}
