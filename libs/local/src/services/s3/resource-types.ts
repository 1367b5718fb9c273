import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { stableUuid } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import type { S3 } from './api.ts';
import { S3Error } from './errors.ts';
import { configurationDocument, readConfiguration } from './notifications/configuration.ts';
import { compact } from './operations/context.ts';
import { settingDocuments } from './protocol/setting-documents.ts';
import type { XmlDocument } from './protocol/shapes.ts';
import { readDocument, type Structure, writeDocument } from './protocol/xml-shape.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Of osls, which uploads packages here when it deploys. Nothing is uploaded on this machine. */
const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';

export const s3ResourceTypes: Readonly<Record<string, ResourceType<S3>>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html */
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    attributes: {
      Arn: ({ name }) => `arn:aws:s3:::${name}`,
      DomainName: ({ name }) => `${name}.s3.amazonaws.com`,
      RegionalDomainName: ({ name, region }) => `${name}.s3.${region}.amazonaws.com`,
    },
    // Nothing is encrypted, and nothing public, on this machine.
    properties: [
      ...['BucketName', 'BucketEncryption', 'LifecycleConfiguration', 'NotificationConfiguration', 'OwnershipControls'],
      ...['PublicAccessBlockConfiguration', 'Tags', 'VersioningConfiguration'],
    ],
    isLeftOut: (logicalId) => logicalId === DEPLOYMENT_BUCKET,
    create: ({ name, properties }, s3) => createBucket(s3, name, properties),
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html */
  'AWS::S3::BucketPolicy': {
    attributes: { Id: stableUuid },
    properties: ['Bucket', 'PolicyDocument'],
    isLeftOut: (logicalId) => logicalId === `${DEPLOYMENT_BUCKET}Policy`,
    create: async ({ properties: { Bucket, PolicyDocument } }, s3) => {
      const Policy = typeof PolicyDocument === 'string' ? PolicyDocument : JSON.stringify(PolicyDocument);
      await s3.call('PutBucketPolicy', { Bucket: String(Bucket), Policy });
    },
  },
};

async function createBucket(s3: S3, name: string, properties: Properties): Promise<void> {
  const location = s3.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: s3.region } };
  await s3.call('CreateBucket', { Bucket: name, ...location }).catch((error: unknown) => {
    if (!(error instanceof S3Error && error.code === 'BucketAlreadyOwnedByYou')) throw error;
  });
  const of = (property: string): Properties | undefined => properties[property] as Properties | undefined;
  const settings: [setting: string, document: Structure | undefined, remove?: string][] = [
    ['BucketVersioning', of('VersioningConfiguration')],
    ['BucketEncryption', convert(of('BucketEncryption'), encryption), 'DeleteBucketEncryption'],
    ['PublicAccessBlock', of('PublicAccessBlockConfiguration')],
    ['BucketOwnershipControls', of('OwnershipControls')],
    ['BucketCors', convert(of('CorsConfiguration'), cors), 'DeleteBucketCors'],
    ['BucketLifecycleConfiguration', convert(of('LifecycleConfiguration'), lifecycle), 'DeleteBucketLifecycle'],
    // A resource of its own, which may have been taken out of the template.
    ['BucketPolicy', undefined, 'DeleteBucketPolicy'],
    ['BucketTagging', convert(properties.Tags, (tags) => ({ TagSet: tags })), 'DeleteBucketTagging'],
  ];
  for (const [setting, document, remove] of settings) {
    if (document) await s3.call(`Put${setting}`, { Bucket: name, ...typed(setting, document) });
    else if (remove !== undefined) await s3.call(remove, { Bucket: name });
  }
  await configureNotifications(s3, name, notification(of('NotificationConfiguration') ?? {}));
}

/** A configuration that has not changed is not put again: targets would get a test event at every start. */
async function configureNotifications(s3: S3, Bucket: string, document: Structure): Promise<void> {
  const current = await s3.call('GetBucketNotificationConfiguration', { Bucket });
  const input = typed('BucketNotificationConfiguration', document);
  const configuration = readConfiguration(input.NotificationConfiguration as Structure, randomUUID);
  if (isDeepStrictEqual(withoutIds(current), withoutIds(configurationDocument(configuration)))) return;
  await s3.call('PutBucketNotificationConfiguration', { Bucket, ...input });
}

function withoutIds(document: Structure): unknown {
  return JSON.parse(JSON.stringify(document, (name, value) => (name === 'Id' ? undefined : value)));
}

/** A document with the types of the API: templates may have numbers and booleans as texts. */
function typed(setting: string, document: Structure): Structure {
  const definition = settingDocuments[setting] as XmlDocument;
  return { [definition.root]: readDocument(definition, writeDocument(definition, document)) };
}

function convert<T>(value: T | undefined, to: (value: T) => Structure): Structure | undefined {
  return value === undefined ? undefined : to(value);
}

const list = (value: unknown): Properties[] => (Array.isArray(value) ? value : []);

function renamed(value: Properties, names: Readonly<Record<string, string>>): Structure {
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [names[name] ?? name, part]));
}

function encryption({ ServerSideEncryptionConfiguration: rules }: Properties): Structure {
  const names = { ServerSideEncryptionByDefault: 'ApplyServerSideEncryptionByDefault' };
  return { Rules: list(rules).map((rule) => renamed(rule, names)) };
}

function cors({ CorsRules }: Properties): Structure {
  const names = { Id: 'ID', MaxAge: 'MaxAgeSeconds', ExposedHeaders: 'ExposeHeaders' };
  return { CORSRules: list(CorsRules).map((rule) => renamed(rule, names)) };
}

/** CloudFormation has conditions and actions of a rule side by side. */
function lifecycle({ Rules }: Properties): Structure {
  return {
    Rules: list(Rules).map((rule) => {
      const { Id, Status, Prefix, TagFilters, ObjectSizeGreaterThan, ObjectSizeLessThan } = rule;
      const conditions = compact({ Prefix, Tags: TagFilters, ObjectSizeGreaterThan, ObjectSizeLessThan });
      const isSimple = Object.keys(conditions).length <= 1 && TagFilters === undefined;
      const transitions = [
        ...list(rule.Transitions),
        ...(rule.Transition === undefined ? [] : [rule.Transition as Properties]),
      ];
      const { NoncurrentVersionTransitions, NoncurrentVersionExpirationInDays: noncurrentDays } = rule;
      return compact({
        ID: Id,
        Status,
        Filter: isSimple ? conditions : { And: conditions },
        Expiration: expiration(rule),
        Transitions: transitions.length === 0 ? undefined : transitions.map(transition),
        NoncurrentVersionExpiration:
          noncurrentDays === undefined ? rule.NoncurrentVersionExpiration : { NoncurrentDays: noncurrentDays },
        NoncurrentVersionTransitions:
          NoncurrentVersionTransitions === undefined
            ? undefined
            : list(NoncurrentVersionTransitions).map(noncurrentTransition),
        AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
      });
    }),
  };
}

function expiration({
  ExpirationInDays,
  ExpirationDate,
  ExpiredObjectDeleteMarker,
}: Properties): Structure | undefined {
  const value = compact({ Days: ExpirationInDays, Date: ExpirationDate, ExpiredObjectDeleteMarker });
  return Object.keys(value).length === 0 ? undefined : value;
}

function transition({ TransitionInDays, TransitionDate, StorageClass }: Properties): Structure {
  return compact({ Days: TransitionInDays, Date: TransitionDate, StorageClass });
}

function noncurrentTransition({ TransitionInDays, NewerNoncurrentVersions, StorageClass }: Properties): Structure {
  return compact({
    NoncurrentDays: TransitionInDays,
    NewerNoncurrentVersions: NewerNoncurrentVersions,
    StorageClass,
  });
}

function notification(configuration: Properties): Structure {
  const target =
    (arn: string) =>
    (properties: Properties): Structure => {
      const { Event, Filter } = properties;
      const rules = list((Filter as { S3Key?: { Rules?: unknown } } | undefined)?.S3Key?.Rules);
      return {
        [arn]: properties[arn.replace('Arn', '').replace('LambdaFunction', 'Function')],
        Events: [Event],
        ...(rules.length > 0 && { Filter: { Key: { FilterRules: rules } } }),
      };
    };
  const { EventBridgeConfiguration: eventBridge } = configuration as { EventBridgeConfiguration?: Properties };
  return {
    QueueConfigurations: list(configuration.QueueConfigurations).map(target('QueueArn')),
    TopicConfigurations: list(configuration.TopicConfigurations).map(target('TopicArn')),
    LambdaFunctionConfigurations: list(configuration.LambdaConfigurations).map(target('LambdaFunctionArn')),
    ...(eventBridge && String(eventBridge.EventBridgeEnabled ?? true) === 'true' && { EventBridgeConfiguration: {} }),
  };
}
