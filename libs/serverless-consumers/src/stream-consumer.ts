import { alarm } from './alarms.ts';
import { functionResourceName } from './names.ts';
import type { CfnResource } from './osls.ts';
import type { Platform } from './platform.ts';
import { onlyOverTls, queue, queuePolicy } from './queue-resources.ts';
import type { StreamSettings } from './stream-options.ts';

/** One `consume` of a stream with everything its resources are made of. */
export interface StreamConsumer {
  /** Prefix of the logical ids: `OnView`. */
  id: string;
  /** Logical id of the function. */
  functionId: string;
  /** Where it stands in serverless.yml. */
  key: string;
  /** `live-figures.onView`, as it calls itself in logs and dead letters. */
  name: string;
  /** `millrace-live-figures-dev-onView` */
  functionName: string;
  /** What physical names begin with: `millrace-live-figures-dev-on-view`. */
  base: string;
  settings: StreamSettings;
  platform: Platform;
}

/** The name of the queue for what a stream's consumer could not handle. */
export function streamDeadLetterQueueName(service: string, stage: string, functionKey: string): string {
  return `${functionResourceName(service, stage, functionKey)}-dlq`;
}

/**
 * Everything a `consume` of a stream becomes, but the function and its role: the mapping, the queue for what is given up, and
 * alarms. A stream has no redrive policy, so the mapping says how often a record is tried and where its position goes then.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export function streamConsumerResources(consumer: StreamConsumer): Record<string, CfnResource> {
  const { id, functionId, base, settings } = consumer;
  return {
    [`${id}DeadLetterQueue`]: queue(`${base}-dlq`, settings.deadLetterRetention, {
      RedriveAllowPolicy: { redrivePermission: 'denyAll' },
    }),
    [`${id}DeadLetterQueuePolicy`]: queuePolicy(`${id}DeadLetterQueue`, [onlyOverTls]),
    [`${id}EventSourceMapping`]: {
      Type: 'AWS::Lambda::EventSourceMapping',
      // Lambda checks the role's permissions when the mapping is created.
      DependsOn: [`${id}Role`],
      Properties: {
        EventSourceArn: settings.stream.arn,
        FunctionName: { 'Fn::GetAtt': [functionId, 'Arn'] },
        Enabled: true,
        // What was stored before the mapping is handled, too.
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: settings.batchSize,
        MaximumBatchingWindowInSeconds: settings.batchWindow,
        ParallelizationFactor: settings.parallelizationFactor,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: settings.maximumRetryAttempts,
        MaximumRecordAgeInSeconds: settings.maximumRecordAge,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [`${id}DeadLetterQueue`, 'Arn'] } } },
      },
    },
    ...streamAlarms(consumer),
  };
}

/** What the handler reads from its environment. */
export function streamConsumerEnvironment({ id, name }: StreamConsumer): Record<string, unknown> {
  return { MILLRACE_CONSUMER: name, MILLRACE_CONSUMER_DLQ_URL: { Ref: `${id}DeadLetterQueue` } };
}

/** Lambda waits longer and longer between two attempts, so three bad minutes of ten are enough. */
const troubled = { EvaluationPeriods: 10, DatapointsToAlarm: 3, Threshold: 0 };

/**
 * The five things somebody must know of: a record that was given up, a consumer that does not keep up, that fails, that may
 * not run, or that does not read.
 * https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
 */
function streamAlarms({ id, name, functionName, base, settings, platform }: StreamConsumer) {
  const ofFunction = (MetricName: string, Statistic: string) => ({
    Namespace: 'AWS/Lambda',
    MetricName,
    Dimensions: [{ Name: 'FunctionName', Value: functionName }],
    Statistic,
    Period: 60,
  });
  const named = (suffix: string, properties: Record<string, unknown>) => alarm({ base, platform, suffix, properties });
  return {
    [`${id}DeadLetterQueueDepthAlarm`]: named('dlq-depth', {
      AlarmDescription:
        `${name} could not handle a record. Its queue ${base}-dlq has the record with attributes that say why, or its ` +
        'position in the stream, which keeps it for a day.',
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [`${id}DeadLetterQueue`, 'QueueName'] } }],
      Statistic: 'Maximum',
      Period: 60,
      Threshold: 0,
      EvaluationPeriods: 1,
    }),
    [`${id}StreamAgeAlarm`]: named('age', {
      AlarmDescription:
        `${name} does not keep up: a record has waited for more than ${settings.ageAlarm} s. Its log says what fails; or more ` +
        'comes than it can handle: add shards or raise parallelizationFactor.',
      ...ofFunction('IteratorAge', 'Maximum'),
      Threshold: settings.ageAlarm * 1000,
      EvaluationPeriods: 3,
    }),
    [`${id}StreamFailingAlarm`]: named('failing', {
      AlarmDescription: `${name} fails as a whole, again and again. Its log says why; the stream keeps the records for a day.`,
      ...ofFunction('Errors', 'Sum'),
      ...troubled,
    }),
    [`${id}StreamThrottledAlarm`]: named('throttled', {
      AlarmDescription: `${name} may not run: it, or the account, has no concurrency left. The stream keeps the records for a day.`,
      ...ofFunction('Throttles', 'Sum'),
      ...troubled,
    }),
    // Lambda reads each shard once a second, whatever is in it: no data means no read.
    [`${id}StreamStoppedAlarm`]: {
      ...named('stopped', {
        AlarmDescription:
          `The stream of ${name} has not been read for ten minutes, and keeps its records for a day. Is the event source mapping ` +
          'enabled, and may the role read the stream?',
        Namespace: 'AWS/Kinesis',
        MetricName: 'GetRecords.Success',
        Dimensions: [{ Name: 'StreamName', Value: settings.stream.name }],
        Statistic: 'SampleCount',
        Period: 60,
        Threshold: 1,
        EvaluationPeriods: 10,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
      }),
    },
  };
}
