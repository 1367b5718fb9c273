import type { CompiledService } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import {
  at,
  type Entry,
  entriesOf,
  isSame,
  list,
  referenceTo,
  type Statement,
  stageArn,
  statementsOf,
} from '../template.ts';
import { ratesOf } from './schedules.ts';

/**
 * A policy of a resource allows exactly what this template needs: the one service, for the one source, on the resource itself.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
export const resourcePolicies: Rule = {
  name: 'resource-policies',
  why: "a service that may send for anybody sends for another account's resources, too",
  check(service) {
    return [
      ...queuePolicies(service),
      ...senders(service),
      ...topicPolicies(service),
      ...bucketPolicies(service),
      ...keyPolicies(service),
      ...permissions(service),
    ];
  },
};

/** Who may send to a queue: the rule or topic that feeds it, or whose dead letters it takes. */
function queuePolicies(service: CompiledService): Finding[] {
  return entriesOf(service, 'AWS::SQS::QueuePolicy').flatMap(({ id, properties }) => {
    const queue = referenceTo(list(properties.Queues)[0]) ?? '';
    const arn = { 'Fn::GetAtt': [queue, 'Arn'] };
    return allowed(properties.PolicyDocument)
      .filter((statement) => {
        const source = referenceTo(at(statement.Condition, 'ArnEquals', 'aws:SourceArn')) ?? '';
        return !sendersOf(service, queue).some(
          (sender) => sender.id === source && isSame(unnamed(statement), sendStatement(sender, arn)),
        );
      })
      .map(({ Sid }) => ({
        resource: id,
        problem: `${Sid ?? 'Allow'} names no rule or topic of this template as aws:SourceArn, or allows it more than to send to ${queue}`,
      }));
  });
}

function sendStatement({ id, type }: Entry, Resource: unknown): Statement {
  const [Service, SourceArn] =
    type === 'AWS::SNS::Topic'
      ? ['sns.amazonaws.com', { Ref: id }]
      : ['events.amazonaws.com', { 'Fn::GetAtt': [id, 'Arn'] }];
  return {
    Effect: 'Allow',
    Principal: { Service },
    Action: 'sqs:SendMessage',
    Resource,
    Condition: { ArnEquals: { 'aws:SourceArn': SourceArn } },
  };
}

/** The rules that feed a queue or dead-letter into it, and the topics whose subscriptions do. */
function sendersOf(service: CompiledService, queue: string): Entry[] {
  const rules = entriesOf(service, 'AWS::Events::Rule').filter(({ properties }) =>
    list(properties.Targets).some((target) =>
      [at(target, 'Arn'), at(target, 'DeadLetterConfig', 'Arn')].some((arn) => referenceTo(arn) === queue),
    ),
  );
  const topics = entriesOf(service, 'AWS::SNS::Subscription')
    .filter(({ properties }) => referenceTo(at(properties.RedrivePolicy, 'deadLetterTargetArn')) === queue)
    .map(({ properties }) => referenceTo(properties.TopicArn));
  return [...rules, ...entriesOf(service, 'AWS::SNS::Topic').filter(({ id }) => topics.includes(id))];
}

/** Every sender is let in. */
function senders(service: CompiledService): Finding[] {
  const policies = entriesOf(service, 'AWS::SQS::QueuePolicy');
  return entriesOf(service, 'AWS::SQS::Queue').flatMap(({ id: queue }) =>
    sendersOf(service, queue)
      .filter(
        (sender) =>
          !policies
            .filter(({ properties }) => list(properties.Queues).some((each) => referenceTo(each) === queue))
            .flatMap(({ properties }) => allowed(properties.PolicyDocument))
            .some((statement) => isSame(unnamed(statement), sendStatement(sender, { 'Fn::GetAtt': [queue, 'Arn'] }))),
      )
      .map(({ id }) => ({ resource: id, problem: `may not send to ${queue}` })),
  );
}

function topicPolicies(service: CompiledService): Finding[] {
  return entriesOf(service, 'AWS::SNS::TopicPolicy').flatMap(({ id, properties }) => {
    const topic = list(properties.Topics)[0];
    const alarms = `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:millrace-*-${service.stage}-*`;
    const wanted = {
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: topic,
      Condition: {
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnLike: { 'aws:SourceArn': { 'Fn::Sub': alarms } },
      },
    };
    const statements = allowed(properties.PolicyDocument);
    return [
      ...(statements.length === 0 ? ['no alarm may publish'] : []),
      ...statements
        .filter((statement) => !isSame(unnamed(statement), wanted))
        .map(({ Sid }) => `${Sid ?? 'Allow'} does not say whose alarms or events`),
    ].map((problem) => ({ resource: id, problem }));
  });
}

function bucketPolicies(service: CompiledService): Finding[] {
  return entriesOf(service, 'AWS::S3::BucketPolicy').flatMap(({ id, properties }) =>
    allowed(properties.PolicyDocument).map(({ Sid }) => ({
      resource: id,
      problem: `${Sid ?? 'Allow'} lets somebody in: roles and those who deploy have permissions of their own`,
    })),
  );
}

/** A key is its account's, and of the services that the account uses it through. */
function keyPolicies(service: CompiledService): Finding[] {
  const root = {
    Effect: 'Allow',
    Principal: { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } },
    Action: 'kms:*',
    Resource: '*',
  };
  const forAlarms = {
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  };
  return entriesOf(service, 'AWS::KMS::Key').flatMap(({ id, properties }) => {
    const statements = statementsOf(properties.KeyPolicy);
    const users = usersOfKey[id]?.(service.stage) ?? { 'CloudWatch, for alarms': forAlarms };
    const has = (wanted: Statement) => statements.some((statement) => isSame(unnamed(statement), wanted));
    return [
      ...(has(root) ? [] : ['the account may not administer the key, and nobody can give that back']),
      ...Object.entries(users)
        .filter(([, wanted]) => !has(wanted))
        .map(([who]) => `may not be used by ${who}, or not for this stage alone`),
      ...statements
        .filter((statement) => ![root, ...Object.values(users)].some((wanted) => isSame(unnamed(statement), wanted)))
        .map(({ Sid }) => `${Sid ?? 'Allow'} does not say for which account, or is for somebody else`),
    ].map((problem) => ({ resource: id, problem }));
  });
}

/** Who uses a key beside the roles of the account, where that is not CloudWatch. */
const usersOfKey: Readonly<Record<string, (stage: string) => Record<string, Statement>>> = {
  DataKey: forData,
  PseudonymKey: () => ({}),
};

/** The services that encrypt the data of a stage, each for what belongs to that stage. */
function forData(stage: string): Record<string, Statement> {
  const account = { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } };
  const use = (Service: unknown, Action: string[], Condition?: Statement['Condition']): Statement => ({
    Effect: 'Allow',
    Principal: { Service },
    Action,
    Resource: '*',
    ...(Condition && { Condition }),
  });
  const dataKeys = ['kms:Decrypt', 'kms:GenerateDataKey'];
  return {
    'rules that fill queues': use('events.amazonaws.com', dataKeys, {
      StringEquals: account,
      ArnLike: {
        'aws:SourceArn': [`millrace-${stage}`, `millrace-${stage}-analytics`].map((bus) =>
          stageArn('events', `rule/${bus}/millrace-*-${stage}-*`),
        ) as unknown,
      },
    }),
    'EventBridge, to find it': use('events.amazonaws.com', ['kms:DescribeKey']),
    'the archive': use('events.amazonaws.com', [...dataKeys, 'kms:ReEncrypt*'], {
      StringEquals: {
        'kms:EncryptionContext:aws:events:event-bus:arn': stageArn('events', `event-bus/millrace-${stage}`),
      },
    }),
    'the alarm topic': use('sns.amazonaws.com', dataKeys, {
      StringEquals: account,
      ArnLike: { 'aws:SourceArn': stageArn('sns', `millrace-${stage}-alarms`) },
    }),
    'CloudWatch Logs': use(
      { 'Fn::Sub': `logs.\${AWS::Region}.amazonaws.com` },
      ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': stageArn('logs', `log-group:/aws/*/millrace-*-${stage}*`) } },
    ),
  };
}

function permissions(service: CompiledService): Finding[] {
  const apis = entriesOf(service, 'AWS::ApiGatewayV2::Api').map(({ id }) => ({
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        ':execute-api:',
        { Ref: 'AWS::Region' },
        ':',
        { Ref: 'AWS::AccountId' },
        ':',
        { Ref: id },
        '/*',
      ],
    ],
  }));
  const callers = ({ properties: { Principal, FunctionName } }: Entry): unknown[] =>
    Principal === 'apigateway.amazonaws.com'
      ? apis
      : ratesOf(service)
          .filter(({ properties }) => isSame(at(list(properties.Targets)[0], 'Arn'), FunctionName))
          .map(({ id }) => ({ 'Fn::GetAtt': [id, 'Arn'] }));
  const granted = entriesOf(service, 'AWS::Lambda::Permission');
  const strangers = granted
    .filter((permission) => !callers(permission).some((arn) => isSame(arn, permission.properties.SourceArn)))
    .map(({ id, properties }) => ({
      resource: id,
      problem: `${properties.Principal} may invoke for anybody: SourceArn is ${JSON.stringify(properties.SourceArn)}`,
    }));
  const silent = ratesOf(service)
    .filter(({ id }) => !granted.some(({ properties }) => referenceTo(properties.SourceArn) === id))
    .map(({ id }) => ({ resource: id, problem: 'may not call its function' }));
  return [...strangers, ...silent];
}

function allowed(document: unknown): Statement[] {
  return statementsOf(document).filter(({ Effect }) => Effect !== 'Deny');
}

/** A statement without its name, which means nothing. */
function unnamed({ Sid, ...statement }: Statement): Statement {
  return statement;
}
