import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import { hasOwnKey } from '../shape.ts';
import {
  assumableBy,
  at,
  type Entry,
  entriesOf,
  isSame,
  list,
  referenceTo,
  stageArn,
  viewStreamOf,
} from '../template.ts';
import { isPrompt } from '../wanted-alarm.ts';
import { catalog, readsViews } from './lake-catalog.ts';

const STREAM = 'AWS::KinesisFirehose::DeliveryStream';

/**
 * The lake gets the variants of all contracts that have one, the views of visitors where they are on, and nothing else; its tables have the
 * same types; its roles do what they are for and no more; and somebody is told when nothing arrives.
 * https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
 * https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
 */
export const lake: Rule = {
  name: 'lake',
  why: 'what the lake does not get, or its table does not know, is missing in every figure, and no query says so',
  check(service, workspace) {
    return entriesOf(service, STREAM).flatMap((stream) => [
      ...streamRole(stream, service, workspace),
      ...(readsViews(stream) ? [] : ruleOf(stream, service, workspace)),
      ...log(stream, service),
      ...catalog(stream, service, workspace),
      ...alarms(stream, service),
    ]);
  },
};

/** True if a rule hands its events to a delivery stream of its template. */
export function feedsLake({ properties }: Pick<Entry, 'properties'>, service: CompiledService): boolean {
  return list(properties.Targets).some((target) => typeOf(at(target, 'Arn'), service) === STREAM);
}

/** The roles of delivery streams, and of the rules that feed them. */
export function rolesOfLake(service: CompiledService): (string | undefined)[] {
  return [
    ...entriesOf(service, STREAM).flatMap(({ properties }) => [
      referenceTo(at(properties.ExtendedS3DestinationConfiguration, 'RoleARN')),
      referenceTo(at(properties.KinesisStreamSourceConfiguration, 'RoleARN')),
    ]),
    ...entriesOf(service, 'AWS::Events::Rule')
      .filter((rule) => feedsLake(rule, service))
      .flatMap(({ properties }) => list(properties.Targets).map((target) => referenceTo(at(target, 'RoleArn')))),
  ];
}

function streamRole({ id, properties }: Entry, service: CompiledService, workspace: CompiledWorkspace): Finding[] {
  const destination = properties.ExtendedS3DestinationConfiguration;
  const role = roleOf(at(destination, 'RoleARN'), service);
  const bucket = referenceTo(at(destination, 'BucketARN'));
  const below = (prefix: string) => ({ 'Fn::Sub': `\${${bucket}.Arn}/${prefix}/*` });
  const group = `log-group:/aws/kinesisfirehose/${properties.DeliveryStreamName}:log-stream:delivery`;
  const isOfViews = readsViews({ properties });
  const source = at(properties.KinesisStreamSourceConfiguration, 'RoleARN');
  const reading = ['DescribeStream', 'GetShardIterator', 'GetRecords', 'ListShards'].map((name) => `kinesis:${name}`);
  const statements = [
    {
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload'],
      Resource: [below(isOfViews ? 'views' : 'events'), below('errors')],
    },
    {
      Effect: 'Allow',
      Action: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      Resource: { 'Fn::GetAtt': [bucket, 'Arn'] },
    },
    { Effect: 'Allow', Action: 'logs:PutLogEvents', Resource: stageArn('logs', group) },
    ...(isOfViews ? [{ Effect: 'Allow', Action: reading, Resource: viewStreamOf(service.stage) }] : []),
    ...(hasOwnKey({ workspace })
      ? [{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: dataKey(service) }]
      : []),
  ];
  const trust = assumableBy('firehose.amazonaws.com', {
    StringEquals: { 'sts:ExternalId': { Ref: 'AWS::AccountId' } },
  });
  return [
    ...(isSame(role?.AssumeRolePolicyDocument, trust) ? [] : ['its role is not for Firehose of this account alone']),
    ...(isSame(role?.Policies, [policy('delivery', statements)])
      ? []
      : [
          `its role does not allow to write below ${isOfViews ? 'views' : 'events'}/ and errors/ of its bucket and to log, or allows more`,
        ]),
    ...(!isOfViews || isSame(source, at(destination, 'RoleARN'))
      ? []
      : ['it reads the stream of views with another role than its own']),
  ].map((problem) => ({ resource: id, problem }));
}

/** What it cannot deliver is told in a log of its own, which its alarms name. */
function log({ id, properties }: Entry, { template }: CompiledService): Finding[] {
  const options = at(properties.ExtendedS3DestinationConfiguration, 'CloudWatchLoggingOptions');
  const group = referenceTo(at(options, 'LogGroupName')) ?? '';
  const stream = referenceTo(at(options, 'LogStreamName')) ?? '';
  const isOwn =
    template.Resources?.[group]?.Properties?.LogGroupName === `/aws/kinesisfirehose/${properties.DeliveryStreamName}` &&
    referenceTo(template.Resources?.[stream]?.Properties?.LogGroupName) === group;
  return isOwn ? [] : [{ resource: id, problem: 'its log is not its own' }];
}

function ruleOf(stream: Entry, service: CompiledService, { exampleEvents }: CompiledWorkspace): Finding[] {
  const target = { 'Fn::GetAtt': [stream.id, 'Arn'] };
  const rules = entriesOf(service, 'AWS::Events::Rule').filter((rule) => feedsLake(rule, service));
  const variants = exampleEvents.filter(({ variant }) => variant !== undefined);
  const wanted = new Set(variants.map(({ detailType }) => detailType));
  return [
    ...(rules.length === 1 ? [] : [{ resource: stream.id, problem: `${rules.length} rules feed it, not one` }]),
    ...rules.flatMap(({ id, properties }) => {
      const named = list(at(properties.EventPattern, 'detail-type')).map(String);
      const [first] = list(properties.Targets);
      const role = roleOf(at(first, 'RoleArn'), service);
      const arn = stageArn('events', `rule/millrace-${service.stage}-analytics/${properties.Name}`);
      const trust = assumableBy('events.amazonaws.com', {
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnEquals: { 'aws:SourceArn': arn },
      });
      const put = { Effect: 'Allow', Action: ['firehose:PutRecord', 'firehose:PutRecordBatch'], Resource: target };
      return [
        ...[...wanted].filter((type) => !named.includes(type)).map((type) => `does not take ${type} to the lake`),
        ...named.filter((type) => !wanted.has(type)).map((type) => `takes ${type}, which has no analytics variant`),
        ...(isSame(at(properties.EventPattern, 'detail'), { metadata: { category: ['transformed'] } })
          ? []
          : ['takes events that are not variants: personal data would be in the lake']),
        ...(isSame(at(first, 'Arn'), target) ? [] : ['feeds the views']),
        ...(isSame(role?.AssumeRolePolicyDocument, trust) ? [] : ['its role is not for this rule alone']),
        ...(isSame(role?.Policies, [policy('rule', [put])])
          ? []
          : ['its role does not allow to put into the stream, or allows more']),
      ].map((problem) => ({ resource: id, problem }));
    }),
  ];
}

/** https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
function alarms({ id, properties }: Entry, service: CompiledService): Finding[] {
  const dimensions = [{ Name: 'DeliveryStreamName', Value: { Ref: id } }];
  const all = entriesOf(service, 'AWS::CloudWatch::Alarm')
    .map((alarm) => alarm.properties)
    .filter(({ Namespace, Dimensions, Period }) => {
      return Namespace === 'AWS/Firehose' && isSame(Dimensions, dimensions) && Period === 60;
    });
  const isLate = all.some(
    (alarm) =>
      alarm.MetricName === 'DeliveryToS3.DataFreshness' &&
      alarm.Statistic === 'Maximum' &&
      isPrompt(alarm, { threshold: [1350, 3600], minutes: [3, 10] }),
  );
  const isFailing = all.some(
    ({
      MetricName,
      Statistic,
      Threshold,
      ComparisonOperator,
      TreatMissingData,
      EvaluationPeriods,
      DatapointsToAlarm,
    }) =>
      isSame(
        [MetricName, Statistic, Threshold, ComparisonOperator, TreatMissingData, EvaluationPeriods, DatapointsToAlarm],
        ['DeliveryToS3.Success', 'Average', 1, 'LessThanThreshold', 'notBreaching', 5, 2],
      ),
  );
  const isBehind = all.some(
    (alarm) =>
      alarm.MetricName === 'KinesisMillisBehindLatest' &&
      alarm.Statistic === 'Maximum' &&
      isPrompt(alarm, { threshold: [60_000, 3_600_000], minutes: [3, 10] }),
  );
  return [
    ...(isBehind || !readsViews({ properties }) ? [] : ['no alarm goes off when views are not read']),
    ...(isLate ? [] : ['no alarm goes off when events wait']),
    ...(isFailing ? [] : ['no alarm goes off when deliveries fail']),
  ].map((problem) => ({ resource: id, problem }));
}

function policy(PolicyName: string, Statement: object[]): object {
  return { PolicyName, PolicyDocument: { Version: '2012-10-17', Statement } };
}

function roleOf(reference: unknown, { template }: CompiledService): Record<string, unknown> | undefined {
  return template.Resources?.[referenceTo(reference) ?? '']?.Properties;
}

function typeOf(reference: unknown, { template }: CompiledService): string | undefined {
  return template.Resources?.[referenceTo(reference) ?? '']?.Type;
}

function dataKey({ stage }: CompiledService): object {
  return { 'Fn::ImportValue': `millrace-${stage}:DataKeyArn` };
}
