import type { Consumer } from './consumer.ts';
import type { CfnResource } from './osls.ts';

/**
 * The three things somebody must know of: a message the function could not handle, an event the rule could not deliver,
 * and a queue that is not being emptied.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export function alarms(consumer: Consumer): Record<string, CfnResource> {
  const { id, name, settings } = consumer;
  return {
    [`${id}DeadLetterQueueDepthAlarm`]: alarm(consumer, `${id}DeadLetterQueue`, {
      AlarmDescription: `${name} could not handle a message; its attributes in the dead-letter queue say why.`,
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 0,
      EvaluationPeriods: 1,
    }),
    [`${id}RuleDeadLetterQueueDepthAlarm`]: alarm(consumer, `${id}RuleDeadLetterQueue`, {
      AlarmDescription: `EventBridge could not deliver an event to the queue of ${name}.`,
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 0,
      EvaluationPeriods: 1,
    }),
    [`${id}QueueAgeAlarm`]: alarm(consumer, `${id}Queue`, {
      AlarmDescription: `${name} does not keep up: a message has waited for more than ${settings.ageAlarm} s.`,
      MetricName: 'ApproximateAgeOfOldestMessage',
      Threshold: settings.ageAlarm,
      // A single late message is no backlog.
      EvaluationPeriods: 3,
    }),
  };
}

function alarm({ platform }: Consumer, queueId: string, properties: Record<string, unknown>): CfnResource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      ...properties,
      Namespace: 'AWS/SQS',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queueId, 'QueueName'] } }],
      Statistic: 'Maximum',
      Period: 60,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [platform.alarmTopicArn],
    },
  };
}
