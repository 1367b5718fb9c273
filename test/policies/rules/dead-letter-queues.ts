import type { Finding, Rule } from '../rule.ts';
import {
  asynchronousHops,
  attributeOf,
  entriesOf,
  isOnDefaultBus,
  isSame,
  referenceTo,
  stageArn,
} from '../template.ts';

/**
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 * https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
 */
export const deadLetterQueues: Rule = {
  name: 'dead-letter-queues',
  why: 'what cannot be delivered is lost unless it has a place to go to',
  exceptions: [
    {
      service: 'orders',
      resource: /^SweepTimeLimits(EventsRuleSchedule1|LambdaFunction)$/,
      problem: /no dead-letter queue of this template$/,
      reason: 'the next sweep does what one has not done; the rule schedules looks for the alarms that tell of it',
    },
    {
      service: 'reservations',
      resource: /^(SweepTimeLimits|GenerateSlots)(EventsRuleSchedule1|LambdaFunction)$/,
      problem: /no dead-letter queue of this template$/,
      reason: 'the next run does what one has not done; the rule schedules looks for the alarms that tell of it',
    },
  ],
  check(service) {
    const queues = new Map(entriesOf(service, 'AWS::SQS::Queue').map(({ id, properties }) => [id, properties]));
    const hops = asynchronousHops(service);
    // Whatever runs executions, those that fail are in one queue, under one alarm.
    const aboutExecutions = entriesOf(service, 'AWS::Events::Rule')
      .filter(({ properties }) => isOnDefaultBus(properties))
      .map(({ id }) => id);
    return hops.flatMap(({ resource, what, target }): Finding[] => {
      const name = referenceTo(target) ?? '';
      const deadLetters = queues.get(name);
      if (!deadLetters) return [{ resource, problem: `${what}: no dead-letter queue of this template` }];
      const kept = queues.get(resource)?.MessageRetentionPeriod ?? 0;
      if (Number(deadLetters.MessageRetentionPeriod) <= Number(kept)) {
        return [{ resource, problem: `${name} keeps messages no longer than their source, whose age they keep` }];
      }
      if (deadLetters.RedrivePolicy !== undefined || attributeOf(target) !== 'Arn') {
        return [{ resource, problem: `${what} is ${JSON.stringify(target)}, which is the queue of a consumer` }];
      }
      const users = hops.filter((hop) => referenceTo(hop.target) === name);
      if (users.length > 1 && !users.every((user) => aboutExecutions.includes(user.resource)))
        return [{ resource, problem: `${name} takes the dead letters of others, too` }];
      const source = queues.get(resource);
      // Only of queues: what EventBridge, SNS and Lambda send needs no such policy.
      const wanted = source
        ? { redrivePermission: 'byQueue', sourceQueueArns: [stageArn('sqs', source.QueueName)] }
        : { redrivePermission: 'denyAll' };
      return isSame(deadLetters.RedriveAllowPolicy, wanted)
        ? []
        : [{ resource: name, problem: 'RedriveAllowPolicy lets any queue dead-letter into it, or not its own' }];
    });
  },
};
