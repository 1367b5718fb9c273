import type { Consumer } from './consumer-definition.ts';
import type { CfnResource } from './osls.ts';
import type { Platform } from './platform.ts';

/** SQS reports once a minute. */
const periodSeconds = 60;

/**
 * The five things somebody must know of: a message the function could not handle, an event the rule could not deliver,
 * a queue that is emptied too slowly, one that is not emptied at all, and messages that are put off again and again because
 * a dependency is unavailable. Each tells the alarm topic when it begins and when it is over.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export function alarms(consumer: Consumer): Record<string, CfnResource> {
  const { id, name, names, settings, platform } = consumer;
  const minutes = stoppedAfterMinutes(settings.longestPause);
  const named = (suffix: string, properties: Record<string, unknown>) =>
    alarm({ base: names.rule, platform, suffix, properties });
  return {
    [`${id}DeadLetterQueueDepthAlarm`]: named('dlq-depth', {
      AlarmDescription:
        `${name} could not handle a message. It stands in ${names.deadLetterQueue} with attributes that say why; ` +
        'other messages go on.',
      ...statistic(`${id}DeadLetterQueue`, 'ApproximateNumberOfMessagesVisible', 'Maximum'),
      Threshold: 0,
      EvaluationPeriods: 1,
    }),
    [`${id}RuleDeadLetterQueueDepthAlarm`]: named('rule-dlq-depth', {
      AlarmDescription:
        `EventBridge could not deliver an event to the queue of ${name}, which has not seen it. It stands in ` +
        `${names.ruleDeadLetterQueue} with attributes that say why: the queue or its policy is not what the rule needs.`,
      ...statistic(`${id}RuleDeadLetterQueue`, 'ApproximateNumberOfMessagesVisible', 'Maximum'),
      Threshold: 0,
      EvaluationPeriods: 1,
    }),
    [`${id}QueueAgeAlarm`]: named('age', {
      AlarmDescription:
        `${name} does not keep up: a message in ${names.queue} has waited for more than ${settings.ageAlarm} s. ` +
        'Either more comes than maximumConcurrency lets through, or what it calls has become slow.',
      ...statistic(`${id}Queue`, 'ApproximateAgeOfOldestMessage', 'Maximum'),
      Threshold: settings.ageAlarm,
      // A single late message is no backlog.
      EvaluationPeriods: 3,
    }),
    [`${id}QueueStoppedAlarm`]: named('stopped', {
      AlarmDescription:
        `${name} has stopped: messages wait in ${names.queue} and none has been received for ${minutes} minutes. Its ` +
        'event source mapping is disabled, or may not read the queue, or the account has no concurrency left for it.',
      Metrics: [
        metric('waiting', `${id}Queue`, 'ApproximateNumberOfMessagesVisible', 'Minimum'),
        metric('received', `${id}Queue`, 'NumberOfMessagesReceived', 'Sum'),
        {
          Id: 'stopped',
          Label: 'Messages wait and none is received',
          Expression: 'IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)',
          ReturnData: true,
        },
      ],
      Threshold: 0,
      EvaluationPeriods: minutes,
    }),
    // Only a deferred message is delayed, and a FIFO queue has none.
    ...(!settings.fifo && {
      [`${id}QueueDeferringAlarm`]: named('deferring', {
        AlarmDescription:
          `${name} has deferred messages for ${deferringMinutes} minutes: what it depends on is busy or down, and its log says ` +
          'what. The messages come again by themselves, and become dead letters when their retention is nearly over.',
        ...statistic(`${id}Queue`, 'ApproximateNumberOfMessagesDelayed', 'Minimum'),
        Threshold: 0,
        EvaluationPeriods: deferringMinutes,
      }),
    }),
  };
}

/** A store that is busy for a moment is no reason to wake anyone. */
const deferringMinutes = 15;

/**
 * A consumer at work with all the concurrency it may have receives nothing until an invocation ends. Five minutes at
 * least, because the number of waiting messages is approximate.
 */
function stoppedAfterMinutes(longestPause: number): number {
  return Math.max(5, Math.ceil(longestPause / 60) + 1);
}

/** An alarm of a consumer, which goes off when something is above its threshold unless the properties say otherwise. */
export function alarm({
  base,
  platform,
  suffix,
  properties,
}: {
  /** `millrace-inventory-dev-on-order-placed` */
  base: string;
  platform: Platform;
  suffix: string;
  properties: Record<string, unknown>;
}): CfnResource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${base}-${suffix}`,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      ...properties,
      AlarmActions: [platform.alarmTopicArn],
      OKActions: [platform.alarmTopicArn],
    },
  };
}

function queueMetric(queueId: string, MetricName: string) {
  return {
    Namespace: 'AWS/SQS',
    MetricName,
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queueId, 'QueueName'] } }],
  };
}

function statistic(queueId: string, metricName: string, Statistic: string) {
  return { ...queueMetric(queueId, metricName), Statistic, Period: periodSeconds };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-metricdataquery.html */
function metric(Id: string, queueId: string, metricName: string, Stat: string) {
  return {
    Id,
    MetricStat: { Metric: queueMetric(queueId, metricName), Stat, Period: periodSeconds },
    ReturnData: false,
  };
}
