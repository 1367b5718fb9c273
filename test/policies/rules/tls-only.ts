import type { Finding, Rule } from '../rule.ts';
import { entries, entriesOf, isSame, list, referenceTo, type Statement, statementsOf } from '../template.ts';

/** The policy that protects a resource, by the resource's type, and the property that says which one. */
const policies: Readonly<Record<string, Policy>> = {
  'AWS::SQS::Queue': {
    type: 'AWS::SQS::QueuePolicy',
    names: 'Queues',
    action: 'sqs:*',
    resource: (id) => ({ 'Fn::GetAtt': [id, 'Arn'] }),
  },
  // The API refuses sns:* in a topic's policy: it has actions that are no topic's.
  'AWS::SNS::Topic': {
    type: 'AWS::SNS::TopicPolicy',
    names: 'Topics',
    action: 'sns:Publish',
    resource: (id) => ({ Ref: id }),
  },
  'AWS::S3::Bucket': {
    type: 'AWS::S3::BucketPolicy',
    names: 'Bucket',
    action: 's3:*',
    resource: (id) => ['/*', ''].map((suffix) => bucketArn(id, suffix)),
  },
};

interface Policy {
  type: string;
  names: string;
  action: string;
  resource: (id: string) => unknown;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html */
export const tlsOnly: Rule = {
  name: 'tls-only',
  why: 'without TLS, whoever is on the wire reads along',
  check(service) {
    return entries(service).flatMap(({ id, type }): Finding[] => {
      const policy = policies[type];
      if (!policy) return [];
      const own = entriesOf(service, policy.type).filter(({ properties }) =>
        list(properties[policy.names]).some((name) => referenceTo(name) === id),
      );
      // A second one replaces the first.
      if (own.length > 1) return [{ resource: id, problem: `has ${own.length} policies of ${policy.type}` }];
      const denials = own
        .flatMap(({ properties }) => statementsOf(properties.PolicyDocument))
        .filter(({ Effect }) => Effect === 'Deny');
      const wanted = withoutTls(policy, id);
      return [
        ...(denials.some((denial) => isSame(plain(denial), wanted))
          ? []
          : [{ resource: id, problem: `no ${policy.type} denies ${policy.action} without aws:SecureTransport` }]),
        // It may keep out whoever has to come in.
        ...denials
          .filter((denial) => !isSame(plain(denial), wanted))
          .map(({ Sid }) => ({ resource: id, problem: `${Sid ?? 'a statement'} denies something else` })),
      ];
    });
  },
};

function withoutTls({ action, resource }: Policy, id: string): object {
  return plain({
    Effect: 'Deny',
    Principal: '*',
    Action: action,
    Resource: resource(id),
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  });
}

/** Without its name, and with the condition as a text, as IAM reads both. */
function plain({ Sid, Condition, ...statement }: Statement): object {
  const Bool =
    Condition?.Bool && Object.fromEntries(Object.entries(Condition.Bool).map(([key, value]) => [key, String(value)]));
  return { ...statement, Condition: Bool ? { ...Condition, Bool } : Condition };
}

function bucketArn(id: string, suffix: string): object {
  return { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { Ref: id }, ...(suffix ? [suffix] : [])]] };
}
