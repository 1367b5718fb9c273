import type { Rule } from '../rule.ts';
import { asynchronousHops, at, type Entry, entriesOf, list, referenceTo } from '../template.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
export const deadLetterAlarms: Rule = {
  name: 'dead-letter-alarms',
  why: 'a dead letter that nobody hears of is lost with a delay',
  check(service) {
    const deadLetters = new Set(
      asynchronousHops(service)
        .map(({ target }) => referenceTo(target))
        .filter((id) => id !== undefined),
    );
    // Filled by functions, which no property of the template tells.
    for (const { id, properties } of entriesOf(service, 'AWS::SQS::Queue')) {
      if (/-(dlq(\.fifo)?|parking)$/.test(String(properties.QueueName))) deadLetters.add(id);
    }
    const alarms = entriesOf(service, 'AWS::CloudWatch::Alarm');
    const watched = new Set(alarms.filter(goesWithTheFirstLetter).map(watchedQueue));
    return [
      ...[...deadLetters]
        .filter((id) => !watched.has(id))
        .map((id) => ({ resource: id, problem: 'no alarm goes off with its first message' })),
      ...alarms
        .filter(({ properties }) => !tells(properties.AlarmActions) || !tells(properties.OKActions))
        .map(({ id }) => ({ resource: id, problem: 'AlarmActions and OKActions do not both tell the alarm topic' })),
    ];
  },
};

function goesWithTheFirstLetter({ properties }: Entry): boolean {
  const { Namespace, MetricName, Statistic, Threshold, ComparisonOperator, ActionsEnabled } = properties;
  const { Period, EvaluationPeriods, TreatMissingData } = properties;
  return (
    Namespace === 'AWS/SQS' &&
    MetricName === 'ApproximateNumberOfMessagesVisible' &&
    Statistic === 'Maximum' &&
    Period === 60 &&
    EvaluationPeriods === 1 &&
    TreatMissingData === 'notBreaching' &&
    Threshold === 0 &&
    ComparisonOperator === 'GreaterThanThreshold' &&
    ActionsEnabled !== false
  );
}

function watchedQueue({ properties }: Entry): string | undefined {
  const dimension = list(properties.Dimensions).find((each) => at(each, 'Name') === 'QueueName');
  return referenceTo(at(dimension, 'Value'));
}

function tells(actions: unknown): boolean {
  const [action, ...others] = list(actions);
  return (
    others.length === 0 &&
    (at(action, 'Ref') === 'AlarmTopic' || String(at(action, 'Fn::ImportValue')).endsWith(':AlarmTopicArn'))
  );
}
