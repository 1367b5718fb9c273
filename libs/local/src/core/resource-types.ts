import {
  type Attribute,
  arnOf,
  type ResourceIdentity,
  type ResourceType,
  stableDigest,
  stableId,
  stableUuid,
} from '@millrace/cloudformation';

/**
 * How one resource type behaves on this machine.
 * `created` types exist in the runtime; `inert` types are accepted and have no effect here, for the reason given.
 */
export interface LocalResourceType extends ResourceType {
  /** Why the type has no effect on this machine. Types without it are created. */
  inert?: string;
}

const eventBusOf = (identity: ResourceIdentity): string => {
  const name = String(identity.property('EventBusName') ?? 'default');
  return name.startsWith('arn:') ? name.slice(name.lastIndexOf('/') + 1) : name;
};

const NOT_ENFORCED = 'of the policies of resources, those of buses, queues and topics are enforced on this machine';
const FREELY_INVOKED = 'HTTP APIs and rules may invoke every function on this machine';
const NOT_CREATED = 'it is read where permissions are enforced, and not created';
const NO_CLOUDWATCH = 'of CloudWatch, only metric alarms are on this machine';
const NOT_ENCRYPTED = 'nothing is encrypted on this machine';
const NO_REGISTRY = 'schemas are not served on this machine';

const queueUrl: Attribute = ({ awsUrl, accountId, name }) => `${awsUrl}/${accountId}/${name}`;
/** `FunctionName` may be a name or an ARN; a version's ARN is the function's with `:1` behind it. */
const firstVersion: Attribute = arnOf('lambda', (r) => {
  const name = String(r.property('FunctionName'));
  return `function:${name.slice(name.lastIndexOf(':') + 1)}:1`;
});
const bucketDomain: Attribute = ({ name }) => `${name}.s3.amazonaws.com`;

/**
 * Every resource type the runtime knows, with the return values of its reference page.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
export const RESOURCE_TYPES: Readonly<Record<string, LocalResourceType>> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arnOf('sqs', (r) => r.name), QueueName: (r) => r.name, QueueUrl: queueUrl },
  },
  'AWS::DynamoDB::Table': {
    nameProperty: 'TableName',
    attributes: { Arn: arnOf('dynamodb', (r) => `table/${r.name}`) },
    attributesAfterCreation: { StreamArn: arnOf('dynamodb', (r) => `table/${r.name}/stream/not-created-yet`) },
  },
  'AWS::SQS::QueuePolicy': { attributes: { Id: stableUuid } },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: arnOf('sns', (r) => r.name),
    attributes: { TopicArn: arnOf('sns', (r) => r.name), TopicName: (r) => r.name },
  },
  'AWS::SNS::TopicPolicy': { attributes: { Id: stableUuid } },
  'AWS::SNS::Subscription': {
    ref: (r) => `${String(r.property('TopicArn'))}:${stableUuid(r)}`,
    attributes: { Arn: (r) => `${String(r.property('TopicArn'))}:${stableUuid(r)}` },
  },
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    attributes: {
      Arn: (r) => `arn:aws:s3:::${r.name}`,
      DomainName: bucketDomain,
      RegionalDomainName: (r) => `${r.name}.s3.${r.region}.amazonaws.com`,
    },
  },
  'AWS::SSM::Parameter': {
    nameProperty: 'Name',
    attributes: { Type: (r) => String(r.property('Type')), Value: (r) => String(r.property('Value')) },
  },
  'AWS::Events::EventBus': {
    nameProperty: 'Name',
    attributes: { Arn: arnOf('events', (r) => `event-bus/${r.name}`), Name: (r) => r.name },
  },
  'AWS::Events::EventBusPolicy': { ref: stableUuid, attributes: {} },
  'AWS::Events::Archive': {
    nameProperty: 'ArchiveName',
    attributes: { Arn: arnOf('events', (r) => `archive/${r.name}`) },
  },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('events', (r) => {
        const bus = eventBusOf(r);
        return bus === 'default' ? `rule/${r.name}` : `rule/${bus}/${r.name}`;
      }),
    },
  },
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    attributes: { Arn: arnOf('lambda', (r) => `function:${r.name}`) },
  },
  'AWS::Lambda::EventSourceMapping': {
    ref: stableUuid,
    attributes: {
      Id: stableUuid,
      EventSourceMappingArn: arnOf('lambda', (r) => `event-source-mapping:${stableUuid(r)}`),
    },
  },
  'AWS::ApiGatewayV2::Api': {
    ref: stableId,
    attributes: {
      ApiId: stableId,
      ApiEndpoint: (r) => `https://${stableId(r)}.execute-api.${r.region}.amazonaws.com`,
    },
  },
  'AWS::ApiGatewayV2::Stage': { nameProperty: 'StageName', attributes: {} },
  'AWS::ApiGatewayV2::Route': { ref: stableId, attributes: { RouteId: stableId } },
  'AWS::ApiGatewayV2::Authorizer': { ref: stableId, attributes: { AuthorizerId: stableId } },
  'AWS::ApiGatewayV2::Integration': { ref: stableId, attributes: { IntegrationId: stableId } },
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arnOf('cloudwatch', (r) => `alarm:${r.name}`) },
  },

  'AWS::Lambda::Version': {
    ref: firstVersion,
    attributes: { Version: () => '1', FunctionArn: firstVersion },
    inert: 'the code on disk is the only version',
  },
  'AWS::Lambda::Permission': { ref: stableUuid, attributes: { Id: stableUuid }, inert: FREELY_INVOKED },
  'AWS::IAM::Role': {
    nameProperty: 'RoleName',
    attributes: {
      Arn: (r) => `arn:aws:iam::${r.accountId}:role/${r.name}`,
      RoleId: (r) => `AROA${stableDigest(r).slice(0, 17).toUpperCase()}`,
    },
    inert: NOT_CREATED,
  },
  'AWS::IAM::Policy': { nameProperty: 'PolicyName', attributes: { Id: stableUuid }, inert: NOT_CREATED },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    ref: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}`,
    attributes: { PolicyArn: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}` },
    inert: NOT_CREATED,
  },
  'AWS::S3::BucketPolicy': { attributes: { Id: stableUuid }, inert: NOT_ENFORCED },
  'AWS::EventSchemas::RegistryPolicy': { ref: stableUuid, attributes: { Id: stableUuid }, inert: NOT_ENFORCED },
  'AWS::KMS::Key': {
    ref: stableUuid,
    attributes: { KeyId: stableUuid, Arn: arnOf('kms', (r) => `key/${stableUuid(r)}`) },
    inert: NOT_ENCRYPTED,
  },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    attributes: { Arn: arnOf('logs', (r) => `log-group:${r.name}:*`) },
    inert: 'log lines go to the terminal',
  },
  'AWS::CloudWatch::CompositeAlarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arnOf('cloudwatch', (r) => `alarm:${r.name}`) },
    inert: NO_CLOUDWATCH,
  },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName', attributes: {}, inert: NO_CLOUDWATCH },
  'AWS::EventSchemas::Registry': {
    nameProperty: 'RegistryName',
    ref: arnOf('schemas', (r) => `registry/${r.name}`),
    attributes: { RegistryArn: arnOf('schemas', (r) => `registry/${r.name}`), RegistryName: (r) => r.name },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Schema': {
    nameProperty: 'SchemaName',
    ref: arnOf('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
    attributes: {
      SchemaArn: arnOf('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
      SchemaName: (r) => r.name,
      SchemaVersion: () => '1',
    },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Discoverer': {
    ref: arnOf('schemas', (r) => `discoverer/${stableUuid(r)}`),
    attributes: { DiscovererArn: arnOf('schemas', (r) => `discoverer/${stableUuid(r)}`), DiscovererId: stableUuid },
    inert: NO_REGISTRY,
  },
};
