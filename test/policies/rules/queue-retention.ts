import type { Rule } from '../rule.ts';
import { at, entriesOf } from '../template.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
export const queueRetention: Rule = {
  name: 'queue-retention',
  why: 'SQS deletes a message that is too old, without a word',
  check(service, { parameters }) {
    return entriesOf(service, 'AWS::SQS::Queue').flatMap(({ id, properties }) => {
      const kept = Number(properties.MessageRetentionPeriod ?? 0);
      const attempts = Number(at(properties, 'RedrivePolicy', 'maxReceiveCount') ?? 0);
      // A weekend, or all attempts if they take longer. A dead letter waits for a person.
      const needed =
        properties.RedrivePolicy === undefined
          ? Number(parameters.deadLetterRetention)
          : Math.max(345_600, attempts * Number(properties.VisibilityTimeout));
      return kept >= needed && kept <= 1_209_600
        ? []
        : [
            {
              resource: id,
              problem: `MessageRetentionPeriod is ${properties.MessageRetentionPeriod} s, not ${needed} s or more`,
            },
          ];
    });
  },
};
