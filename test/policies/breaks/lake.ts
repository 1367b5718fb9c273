import { at, list } from '../template.ts';
import { type Breaks, setting, type Target, typed } from './break.ts';

const isStream = 'AWS::KinesisFirehose::DeliveryStream';
const isTable = 'AWS::Glue::Table';
const isRule = typed('AWS::Events::Rule', ({ properties }) => at(list(properties.Targets)[0], 'Id') === 'lake');
const roleWith = (name: string) =>
  typed('AWS::IAM::Role', ({ properties }) => at(list(properties.Policies)[0], 'PolicyName') === name);
const isStreamRole = roleWith('delivery');
const isRuleRole = roleWith('rule');
const idOf =
  (applies: (target: Target) => boolean) =>
  ({ resources, service }: Target): string =>
    Object.keys(resources).find((id) => {
      const resource = resources[id];
      const properties = resource?.Properties ?? {};
      return resource !== undefined && applies({ id, resource, properties, resources, service });
    }) ?? '';
const stream = idOf(({ resource }) => resource.Type === isStream);
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
      typed('AWS::CloudWatch::Alarm', ({ properties }) => properties.MetricName === 'DeliveryToS3.DataFreshness'),
      'Threshold',
      86_400,
      /when events wait/,
      stream,
    ),
    setting(
      'an alarm for successes',
      typed('AWS::CloudWatch::Alarm', ({ properties }) => properties.MetricName === 'DeliveryToS3.Success'),
      'ComparisonOperator',
      'GreaterThanThreshold',
      /when deliveries fail/,
      stream,
    ),
  ],
};
