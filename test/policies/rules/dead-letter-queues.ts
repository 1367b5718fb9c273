import type { Finding, Rule } from '../rule.ts';
import { asynchronousHops, at, entriesOf, referenceTo } from '../template.ts';

/**
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 * https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
 */
export const deadLetterQueues: Rule = {
  name: 'dead-letter-queues',
  why: 'what cannot be delivered is lost unless it has a place to go to',
  check(service) {
    const queues = new Map(entriesOf(service, 'AWS::SQS::Queue').map(({ id, properties }) => [id, properties]));
    return asynchronousHops(service).flatMap(({ resource, what, target }): Finding[] => {
      const name = referenceTo(target) ?? '';
      const deadLetters = queues.get(name);
      if (!deadLetters) return [{ resource, problem: `${what}: no dead-letter queue of this template` }];
      const kept = queues.get(resource)?.MessageRetentionPeriod ?? 0;
      if (Number(deadLetters.MessageRetentionPeriod) <= Number(kept)) {
        return [{ resource, problem: `${name} keeps messages no longer than their source, whose age they keep` }];
      }
      const allows = at(deadLetters, 'RedriveAllowPolicy', 'redrivePermission');
      if (allows !== 'byQueue' && allows !== 'denyAll') {
        return [{ resource: name, problem: 'RedriveAllowPolicy lets any queue dead-letter into it' }];
      }
      return [];
    });
  },
};
