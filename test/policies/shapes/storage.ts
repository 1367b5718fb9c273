import {
  absent,
  between,
  computed,
  dataKey,
  each,
  hasOwnKey,
  judgedBy,
  matching,
  object,
  oneOf,
  optional,
  policy,
  reference,
  type Shape,
  type ShapeContext,
  type TypeShape,
  text,
  when,
} from '../shape.ts';
import { at, list, referenceTo } from '../template.ts';

const keys = each(object({ AttributeName: text, KeyType: oneOf('HASH', 'RANGE') }), { most: 2 });

/** Exactly the attributes that keys name. */
const keyAttributes: Shape = (value, path, context) => {
  const { KeySchema, GlobalSecondaryIndexes } = context.properties;
  const indexKeys = list(GlobalSecondaryIndexes).flatMap((index) => list(at(index, 'KeySchema')));
  const named = new Set([...list(KeySchema), ...indexKeys].map((key) => at(key, 'AttributeName')));
  const attribute = object({ AttributeName: oneOf(...named), AttributeType: oneOf('S') });
  const count =
    list(value).length === named.size ? [] : [`${path} has ${list(value).length} of ${named.size} attributes`];
  return [...each(attribute)(value, path, context), ...count];
};

/** The bucket of osls; every other one is a lake. */
const isDeploymentBucket = ({ id }: ShapeContext): boolean => id === 'ServerlessDeploymentBucket';

const lakeName: Shape = computed(({ service }) => ({
  'Fn::Sub': `millrace-${service.name}-${service.stage}-lake-\${AWS::AccountId}`,
}));

/** Events and views are kept as long as the stage says, and what else there is goes soon. */
const lakeLifecycle: Shape = computed(({ workspace }) => {
  const expire = (Id: string, ExpirationInDays: unknown) => ({
    ...{ Id, Status: 'Enabled', Prefix: `${Id}/`, ExpirationInDays },
  });
  return {
    Rules: [
      ...['events', 'views'].map((name) => expire(name, workspace.parameters.lakeRetentionDays)),
      ...[expire('errors', 30), expire('results', 7)],
      {
        ...{ Id: 'remains', Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ],
  };
});

/** Tables, the bucket that deployments go through, and the lake. */
export const storage: Readonly<Record<string, TypeShape>> = {
  'AWS::DynamoDB::Table': {
    properties: {
      TableName: (value, path, context) => oneOf(...tableNames(context))(value, path, context),
      BillingMode: oneOf('PAY_PER_REQUEST'), // a provisioned table throttles, and keeps its events back
      AttributeDefinitions: keyAttributes,
      KeySchema: keys,
      GlobalSecondaryIndexes: optional(
        each(
          object({
            IndexName: matching(/^[a-zA-Z]+$/),
            KeySchema: each(object({ AttributeName: text, KeyType: oneOf('HASH', 'RANGE') }), { least: 2, most: 2 }),
            // Never ALL: an index would hold the data of events once more.
            Projection: object({
              ProjectionType: oneOf('INCLUDE'),
              NonKeyAttributes: each(matching(/^(?!data$)[a-zA-Z]+$/)),
            }),
          }),
        ),
      ),
      // The relay is told of every new row and needs its new image; a stream that nobody reads shows rows to whoever may.
      StreamSpecification: when(isRelayed, oneOf({ StreamViewType: 'NEW_IMAGE' }), absent),
      TimeToLiveSpecification: judgedBy('row-expiry'),
      SSESpecification: when(
        hasOwnKey,
        object({ SSEEnabled: oneOf(true), SSEType: oneOf('KMS'), KMSMasterKeyId: dataKey }),
        oneOf({ SSEEnabled: true }),
      ),
      PointInTimeRecoverySpecification: object({ PointInTimeRecoveryEnabled: judgedBy('protected-tables') }),
      DeletionProtectionEnabled: judgedBy('protected-tables'),
    },
    removal: computed(({ workspace }) => workspace.parameters.removalPolicy),
  },
  'AWS::Kinesis::Stream': {
    properties: {
      Name: computed(({ service }) => `millrace-${service.name}-${service.stage}`),
      ShardCount: between(1, 100), // each is paid by the hour
      RetentionPeriodHours: oneOf(24), // longer costs more, and marks of consumers would have to outlive it
      StreamEncryption: object({
        EncryptionType: oneOf('KMS'),
        KeyId: when(hasOwnKey, dataKey, oneOf('alias/aws/kinesis')),
      }),
    },
  },
  'AWS::S3::Bucket': {
    properties: {
      BucketName: when(isDeploymentBucket, absent, lakeName),
      BucketEncryption: when(
        (context) => isDeploymentBucket(context) || !hasOwnKey(context),
        oneOf({ ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] }),
        object({
          ServerSideEncryptionConfiguration: each(
            object({
              ServerSideEncryptionByDefault: object({ SSEAlgorithm: oneOf('aws:kms'), KMSMasterKeyID: dataKey }),
              BucketKeyEnabled: oneOf(true), // a request to KMS for each object is dearer than the object
            }),
            { most: 1 },
          ),
        }),
      ),
      OwnershipControls: when(
        isDeploymentBucket,
        absent,
        oneOf({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] }),
      ),
      LifecycleConfiguration: when(isDeploymentBucket, absent, lakeLifecycle),
      PublicAccessBlockConfiguration: oneOf({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      }),
      // What was deployed, and by whom it was replaced.
      VersioningConfiguration: oneOf({ Status: 'Enabled' }),
    },
    removal: when(
      isDeploymentBucket,
      absent,
      computed(({ workspace }) => workspace.parameters.removalPolicy),
    ),
  },
  'AWS::S3::BucketPolicy': {
    properties: {
      Bucket: reference('AWS::S3::Bucket'),
      PolicyDocument: policy(
        'resource-policies',
        when(({ id }) => id === 'ServerlessDeploymentBucketPolicy', absent, oneOf('2012-10-17')),
      ),
    },
  },
};

function tableNames({ service: { name, stage } }: ShapeContext): string[] {
  return ['', '-idempotency', '-projections'].map((suffix) => `millrace-${name}-${stage}${suffix}`);
}

function isRelayed({ id, service }: ShapeContext): boolean {
  return Object.values(service.template.Resources ?? {}).some(
    ({ Type, Properties }) =>
      Type === 'AWS::Lambda::EventSourceMapping' && referenceTo(Properties?.EventSourceArn) === id,
  );
}
