import type { Rule } from '../rule.ts';
import { at, entries, entriesOf, list, referenceTo, statementsOf } from '../template.ts';

/** The policy that protects a resource, by the resource's type, and the property that says which one. */
const policies: Readonly<Record<string, { type: string; names: string; actions: readonly string[] }>> = {
  'AWS::SQS::Queue': { type: 'AWS::SQS::QueuePolicy', names: 'Queues', actions: ['sqs:*'] },
  // The API refuses sns:* in a topic's policy: it has actions that are no topic's.
  'AWS::SNS::Topic': { type: 'AWS::SNS::TopicPolicy', names: 'Topics', actions: ['sns:Publish'] },
  'AWS::S3::Bucket': { type: 'AWS::S3::BucketPolicy', names: 'Bucket', actions: ['s3:*'] },
};

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html */
export const tlsOnly: Rule = {
  name: 'tls-only',
  why: 'without TLS, whoever is on the wire reads along',
  check(service) {
    return entries(service).flatMap(({ id, type }) => {
      const policy = policies[type];
      if (!policy) return [];
      const refusesPlaintext = entriesOf(service, policy.type)
        .filter(({ properties }) => list(properties[policy.names]).some((name) => referenceTo(name) === id))
        .flatMap(({ properties }) => statementsOf(properties.PolicyDocument))
        .some(
          ({ Effect, Principal, Action, Condition }) =>
            Effect === 'Deny' &&
            Principal === '*' &&
            list(Action).some((action) => policy.actions.includes(String(action))) &&
            String(at(Condition, 'Bool', 'aws:SecureTransport')) === 'false',
        );
      return refusesPlaintext
        ? []
        : [{ resource: id, problem: `no ${policy.type} denies ${policy.actions} without aws:SecureTransport` }];
    });
  },
};
