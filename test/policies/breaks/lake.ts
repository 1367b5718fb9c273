import { at, list } from '../template.ts';
import { type Breaks, setting, type Target, typed } from './break.ts';

const isStream = 'AWS::KinesisFirehose::DeliveryStream';
const isTable = typed('AWS::Glue::Table', ({ id }) => id === 'EventsTable');
const isViewsTable = typed('AWS::Glue::Table', ({ id }) => id === 'ViewsTable');
const isRule = typed('AWS::Events::Rule', ({ properties }) => at(list(properties.Targets)[0], 'Id') === 'lake');
const roleWith = (name: string) =>
  typed('AWS::IAM::Role', ({ properties }) => at(list(properties.Policies)[0], 'PolicyName') === name);
/** The roles of both delivery streams; one of them reads views. */
const isStreamRole = typed(
  'AWS::IAM::Role',
  (target) => roleWith('delivery')(target) && target.id === 'LakeStreamRole',
);
const isViewsRole = typed('AWS::IAM::Role', ({ id }) => id === 'ViewsStreamRole');
const isViews = typed(isStream, ({ id }) => id === 'ViewsStream');
const isViewsAlarm = (metric: string) =>
  typed('AWS::CloudWatch::Alarm', ({ id, properties }) => properties.MetricName === metric && id.startsWith('Views'));
const isRuleRole = roleWith('rule');
const idOf =
  (applies: (target: Target) => boolean) =>
  ({ resources, service }: Target): string =>
    Object.keys(resources).find((id) => {
      const resource = resources[id];
      const properties = resource?.Properties ?? {};
      return resource !== undefined && applies({ id, resource, properties, resources, service });
    }) ?? '';
const stream = idOf(({ id, resource }) => resource.Type === isStream && id === 'LakeStream');
const views = () => 'ViewsStream';
const rule = idOf(isRule);

const statements = 'Policies.0.PolicyDocument.Statement';
const condition = 'AssumeRolePolicyDocument.Statement.0.Condition';

export const lake: Breaks = {
  lake: [
    setting(
      'a type that is left out',
      isRule,
      'EventPattern.detail-type.0',
      'OrderConfirmed.v1',
      /does not take OrderPlaced/,
    ),
    setting(
      'a type without a variant',
      isRule,
      'EventPattern.detail-type.0',
      'StartCheckout.v1',
      /has no analytics variant/,
    ),
    setting(
      'events with personal data',
      isRule,
      'EventPattern.detail',
      undefined,
      /personal data would be in the lake/,
    ),
    setting('every account', isStreamRole, condition, undefined, /not for Firehose of this account alone/, stream),
    setting('the whole bucket', isStreamRole, `${statements}.0.Resource.0`, '*', /or allows more/, stream),
    setting('to delete', isStreamRole, `${statements}.0.Action.1`, 's3:DeleteObject', /or allows more/, stream),
    setting('every rule', isRuleRole, condition, undefined, /its role is not for this rule alone/, rule),
    setting('every stream', isRuleRole, `${statements}.0.Resource`, '*', /or allows more/, rule),
    setting('no partitions', isTable, 'TableInput.Parameters', {}, /has no partitions of OrderPlaced/),
    setting('other partitions', isTable, 'TableInput.PartitionKeys.0.Name', 'day', /not those of the prefix/),
    setting(
      'other columns',
      isTable,
      'TableInput.StorageDescriptor.Columns.2.Name',
      'data',
      /not those that the queries read/,
    ),
    setting(
      'elsewhere',
      isTable,
      'TableInput.StorageDescriptor.Location',
      's3://elsewhere/',
      /is not where the stream/,
    ),
    setting(
      'results elsewhere',
      'AWS::Athena::WorkGroup',
      'WorkGroupConfiguration.ResultConfiguration.OutputLocation',
      's3://elsewhere/',
      /keeps results elsewhere/,
    ),
    setting('another query', 'AWS::Athena::NamedQuery', 'QueryString', 'SELECT 1', /is not the text of/),
    setting('a query without a file', 'AWS::Athena::NamedQuery', 'Name', 'other', /has no file other.sql/),
    setting(
      'an alarm for days',
      typed('AWS::CloudWatch::Alarm', ({ id }) => id === 'LakeLateAlarm'),
      'Threshold',
      86_400,
      /when events wait/,
      stream,
    ),
    setting(
      'an alarm for successes',
      typed('AWS::CloudWatch::Alarm', ({ id }) => id === 'LakeFailingAlarm'),
      'ComparisonOperator',
      'GreaterThanThreshold',
      /when deliveries fail/,
      stream,
    ),
    setting(
      'every account, of views',
      isViewsRole,
      condition,
      undefined,
      /not for Firehose of this account alone/,
      views,
    ),
    setting(
      'the events for views',
      isViewsRole,
      `${statements}.0.Resource.0`,
      '*',
      /below views.*or allows more/,
      views,
    ),
    setting('every stream of Kinesis', isViewsRole, `${statements}.3.Resource`, '*', /or allows more/, views),
    setting('to write views', isViewsRole, `${statements}.3.Action.0`, 'kinesis:PutRecord', /or allows more/, views),
    setting(
      'another role that reads views',
      isViews,
      'KinesisStreamSourceConfiguration.RoleARN',
      { 'Fn::GetAtt': ['LakeStreamRole', 'Arn'] },
      /with another role/,
    ),
    setting('views of no day', isViewsTable, 'TableInput.Parameters', {}, /not by day$/),
    setting('views of another day', isViewsTable, 'TableInput.PartitionKeys.0.Name', 'day', /not those of the prefix/),
    setting(
      'a table over something else',
      isViewsTable,
      'TableInput.StorageDescriptor.Location',
      's3://elsewhere/',
      /is not where the stream/,
    ),
    setting('late views', isViewsAlarm('DeliveryToS3.DataFreshness'), 'Threshold', 86_400, /when events wait/, views),
    setting(
      'views that fail',
      isViewsAlarm('DeliveryToS3.Success'),
      'ComparisonOperator',
      'GreaterThanThreshold',
      /when deliveries fail/,
      views,
    ),
    setting(
      'views that are not read',
      isViewsAlarm('KinesisMillisBehindLatest'),
      'Threshold',
      0,
      /when views are not read/,
      views,
    ),
    setting('events for views', isRule, 'Targets.0.Arn', { 'Fn::GetAtt': ['ViewsStream', 'Arn'] }, /feeds the views/),
    setting(
      'the log of views',
      typed(isStream, ({ id }) => id === 'LakeStream'),
      'ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions.LogGroupName',
      { Ref: 'ViewsLogGroup' },
      /its log is not its own/,
    ),
  ],
};
