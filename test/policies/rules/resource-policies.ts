import type { Finding, Rule } from '../rule.ts';
import { at, entriesOf, list, referenceTo, type Statement, statementsOf } from '../template.ts';

/**
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
export const resourcePolicies: Rule = {
  name: 'resource-policies',
  why: "a service that may send for anybody sends for another account's resources, too",
  check(service) {
    const sources = new Set(
      [...entriesOf(service, 'AWS::Events::Rule'), ...entriesOf(service, 'AWS::SNS::Topic')].map(({ id }) => id),
    );
    const senders = new Map<string, Set<string>>();
    const findings: Finding[] = [];
    for (const { id, properties } of entriesOf(service, 'AWS::SQS::QueuePolicy')) {
      const allowed = statementsOf(properties.PolicyDocument).filter(({ Effect }) => Effect === 'Allow');
      for (const statement of allowed) {
        const source = referenceTo(at(statement.Condition, 'ArnEquals', 'aws:SourceArn')) ?? '';
        if (!isService(statement) || !sources.has(source)) {
          const problem = `${statement.Sid ?? 'Allow'} names no rule or topic of this template as aws:SourceArn`;
          findings.push({ resource: id, problem });
        }
        for (const queue of list(properties.Queues)) {
          const name = referenceTo(queue) ?? '';
          senders.set(name, (senders.get(name) ?? new Set()).add(source));
        }
      }
    }
    for (const { id, properties } of entriesOf(service, 'AWS::Events::Rule')) {
      for (const target of list(properties.Targets)) {
        for (const queue of [at(target, 'Arn'), at(target, 'DeadLetterConfig', 'Arn')]) {
          const name = referenceTo(queue);
          if (name === undefined || service.template.Resources?.[name]?.Type !== 'AWS::SQS::Queue') continue;
          if (!senders.get(name)?.has(id)) findings.push({ resource: id, problem: `may not send to ${name}` });
        }
      }
    }
    for (const { id, properties } of entriesOf(service, 'AWS::SNS::TopicPolicy')) {
      for (const statement of statementsOf(properties.PolicyDocument).filter(({ Effect }) => Effect === 'Allow')) {
        if (isService(statement) && at(statement.Condition, 'ArnLike', 'aws:SourceArn') !== undefined) continue;
        findings.push({ resource: id, problem: `${statement.Sid ?? 'Allow'} does not say whose alarms or events` });
      }
    }
    for (const { id, properties } of entriesOf(service, 'AWS::KMS::Key')) {
      for (const statement of statementsOf(properties.KeyPolicy).filter(isService)) {
        if (at(statement.Condition, 'StringEquals', 'aws:SourceAccount') !== undefined) continue;
        findings.push({ resource: id, problem: `${statement.Sid ?? 'Allow'} does not say for which account` });
      }
    }
    for (const { id, properties } of entriesOf(service, 'AWS::Lambda::Permission')) {
      if (properties.SourceArn !== undefined) continue;
      findings.push({ resource: id, problem: `${properties.Principal} may invoke for anybody: it has no SourceArn` });
    }
    return findings;
  },
};

function isService({ Principal }: Statement): boolean {
  return typeof at(Principal, 'Service') === 'string';
}
