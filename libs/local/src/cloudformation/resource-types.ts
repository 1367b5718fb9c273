import { createHash } from 'node:crypto';

/** What a resource's Ref and attributes are computed from. */
export interface ResourceIdentity {
  stackName: string;
  logicalId: string;
  /** The physical name: the template's, or one CloudFormation would have made up. */
  name: string;
  region: string;
  accountId: string;
  /** Origin of the AWS port, e.g. `http://127.0.0.1:4566`; queue URLs stand on it. */
  awsUrl: string;
  /** Reads one resolved property of the resource. */
  property: (name: string) => unknown;
}

type Attribute = (resource: ResourceIdentity) => string;

/**
 * How one resource type behaves on this machine.
 * `created` types exist in the runtime; `inert` types are accepted and have no effect here, for the reason given.
 */
export interface ResourceType {
  /** The property that names the resource. Without one the physical id is made up. */
  nameProperty?: string;
  /** What Ref gives; the name unless stated. */
  ref?: Attribute;
  attributes: Record<string, Attribute>;
  /** Attributes that are known only after the resource has been created, with a value of the same form to check templates by. */
  attributesAfterCreation?: Record<string, Attribute>;
  /** Why the type has no effect on this machine. Types without it are created. */
  inert?: string;
}

const arn =
  (service: string, resource: (identity: ResourceIdentity) => string): Attribute =>
  (identity) =>
    `arn:aws:${service}:${identity.region}:${identity.accountId}:${resource(identity)}`;

/** A stable stand-in for the ids AWS draws at random: same stack and logical id, same value on every start. */
function digest({ stackName, logicalId }: Pick<ResourceIdentity, 'stackName' | 'logicalId'>): string {
  return createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex');
}

const shortId: Attribute = (identity) => digest(identity).slice(0, 10);

const uuid: Attribute = (identity) => {
  const hex = digest(identity);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

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
const firstVersion: Attribute = arn('lambda', (r) => {
  const name = String(r.property('FunctionName'));
  return `function:${name.slice(name.lastIndexOf(':') + 1)}:1`;
});
const bucketDomain: Attribute = ({ name }) => `${name}.s3.amazonaws.com`;

/**
 * Every resource type the runtime knows, with the return values of its reference page.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arn('sqs', (r) => r.name), QueueName: (r) => r.name, QueueUrl: queueUrl },
  },
  'AWS::DynamoDB::Table': {
    nameProperty: 'TableName',
    attributes: { Arn: arn('dynamodb', (r) => `table/${r.name}`) },
    attributesAfterCreation: { StreamArn: arn('dynamodb', (r) => `table/${r.name}/stream/not-created-yet`) },
  },
  'AWS::SQS::QueuePolicy': { attributes: { Id: uuid } },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: arn('sns', (r) => r.name),
    attributes: { TopicArn: arn('sns', (r) => r.name), TopicName: (r) => r.name },
  },
  'AWS::SNS::TopicPolicy': { attributes: { Id: uuid } },
  'AWS::SNS::Subscription': {
    ref: (r) => `${String(r.property('TopicArn'))}:${uuid(r)}`,
    attributes: { Arn: (r) => `${String(r.property('TopicArn'))}:${uuid(r)}` },
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
    attributes: { Arn: arn('events', (r) => `event-bus/${r.name}`), Name: (r) => r.name },
  },
  'AWS::Events::EventBusPolicy': { ref: uuid, attributes: {} },
  'AWS::Events::Archive': {
    nameProperty: 'ArchiveName',
    attributes: { Arn: arn('events', (r) => `archive/${r.name}`) },
  },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    attributes: {
      Arn: arn('events', (r) => {
        const bus = eventBusOf(r);
        return bus === 'default' ? `rule/${r.name}` : `rule/${bus}/${r.name}`;
      }),
    },
  },
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    attributes: { Arn: arn('lambda', (r) => `function:${r.name}`) },
  },
  'AWS::Lambda::EventSourceMapping': {
    ref: uuid,
    attributes: { Id: uuid, EventSourceMappingArn: arn('lambda', (r) => `event-source-mapping:${uuid(r)}`) },
  },
  'AWS::ApiGatewayV2::Api': {
    ref: shortId,
    attributes: {
      ApiId: shortId,
      ApiEndpoint: (r) => `https://${shortId(r)}.execute-api.${r.region}.amazonaws.com`,
    },
  },
  'AWS::ApiGatewayV2::Stage': { nameProperty: 'StageName', attributes: {} },
  'AWS::ApiGatewayV2::Route': { ref: shortId, attributes: { RouteId: shortId } },
  'AWS::ApiGatewayV2::Authorizer': { ref: shortId, attributes: { AuthorizerId: shortId } },
  'AWS::ApiGatewayV2::Integration': { ref: shortId, attributes: { IntegrationId: shortId } },
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arn('cloudwatch', (r) => `alarm:${r.name}`) },
  },

  'AWS::Lambda::Version': {
    ref: firstVersion,
    attributes: { Version: () => '1', FunctionArn: firstVersion },
    inert: 'the code on disk is the only version',
  },
  'AWS::Lambda::Permission': { ref: uuid, attributes: { Id: uuid }, inert: FREELY_INVOKED },
  'AWS::IAM::Role': {
    nameProperty: 'RoleName',
    attributes: {
      Arn: (r) => `arn:aws:iam::${r.accountId}:role/${r.name}`,
      RoleId: (r) => `AROA${digest(r).slice(0, 17).toUpperCase()}`,
    },
    inert: NOT_CREATED,
  },
  'AWS::IAM::Policy': { nameProperty: 'PolicyName', attributes: { Id: uuid }, inert: NOT_CREATED },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    ref: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}`,
    attributes: { PolicyArn: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}` },
    inert: NOT_CREATED,
  },
  'AWS::S3::BucketPolicy': { attributes: { Id: uuid }, inert: NOT_ENFORCED },
  'AWS::EventSchemas::RegistryPolicy': { ref: uuid, attributes: { Id: uuid }, inert: NOT_ENFORCED },
  'AWS::KMS::Key': {
    ref: uuid,
    attributes: { KeyId: uuid, Arn: arn('kms', (r) => `key/${uuid(r)}`) },
    inert: NOT_ENCRYPTED,
  },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    attributes: { Arn: arn('logs', (r) => `log-group:${r.name}:*`) },
    inert: 'log lines go to the terminal',
  },
  'AWS::CloudWatch::CompositeAlarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arn('cloudwatch', (r) => `alarm:${r.name}`) },
    inert: NO_CLOUDWATCH,
  },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName', attributes: {}, inert: NO_CLOUDWATCH },
  'AWS::EventSchemas::Registry': {
    nameProperty: 'RegistryName',
    ref: arn('schemas', (r) => `registry/${r.name}`),
    attributes: { RegistryArn: arn('schemas', (r) => `registry/${r.name}`), RegistryName: (r) => r.name },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Schema': {
    nameProperty: 'SchemaName',
    ref: arn('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
    attributes: {
      SchemaArn: arn('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
      SchemaName: (r) => r.name,
      SchemaVersion: () => '1',
    },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Discoverer': {
    ref: arn('schemas', (r) => `discoverer/${uuid(r)}`),
    attributes: { DiscovererArn: arn('schemas', (r) => `discoverer/${uuid(r)}`), DiscovererId: uuid },
    inert: NO_REGISTRY,
  },
};

/** The physical name CloudFormation would make up for a resource without one, with a stable end instead of a random one. */
export function generatedName(stackName: string, logicalId: string): string {
  return `${stackName}-${logicalId}-${digest({ stackName, logicalId }).slice(0, 12).toUpperCase()}`;
}

/** A stand-in for an attribute of a type that is not known: it names what it stands for. */
export function unknownTypeAttribute(identity: ResourceIdentity, type: string, attribute: string): string {
  const service = type.split('::')[1]?.toLowerCase() ?? 'unknown';
  return attribute === 'Arn' ? arn(service, (r) => r.name)(identity) : `${identity.name}.${attribute}`;
}
