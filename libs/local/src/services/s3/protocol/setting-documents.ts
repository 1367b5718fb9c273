import {
  flag,
  integer,
  listOf,
  member,
  requiredText,
  structure,
  tag,
  text,
  texts,
  time,
  type XmlDocument,
} from './shapes.ts';
import type { XmlStructure } from './xml-shape.ts';

const tagging = structure({ TagSet: { shape: { entries: { element: 'Tag', shape: tag } }, required: true } });

const cors = structure({
  CORSRules: listOf(
    'CORSRule',
    structure({
      ID: text,
      AllowedMethods: { ...texts('AllowedMethod'), required: true },
      AllowedOrigins: { ...texts('AllowedOrigin'), required: true },
      AllowedHeaders: texts('AllowedHeader'),
      ExposeHeaders: texts('ExposeHeader'),
      MaxAgeSeconds: integer,
    }),
  ),
});

const encryption = structure({
  Rules: listOf(
    'Rule',
    structure({
      ApplyServerSideEncryptionByDefault: member(structure({ SSEAlgorithm: requiredText, KMSMasterKeyID: text })),
      BucketKeyEnabled: flag,
    }),
  ),
});

const predicates = { Prefix: text, ObjectSizeGreaterThan: integer, ObjectSizeLessThan: integer };
const newerNoncurrent = { NoncurrentDays: integer, NewerNoncurrentVersions: integer };
const lifecycle = structure({
  Rules: listOf(
    'Rule',
    structure({
      ID: text,
      Prefix: text,
      Filter: member(
        structure({
          ...predicates,
          Tag: member(tag),
          And: member(structure({ ...predicates, Tags: listOf('Tag', tag) })),
        }),
      ),
      Status: requiredText,
      Expiration: member(structure({ Date: time, Days: integer, ExpiredObjectDeleteMarker: flag })),
      Transitions: listOf('Transition', structure({ Date: time, Days: integer, StorageClass: requiredText })),
      NoncurrentVersionExpiration: member(structure(newerNoncurrent)),
      NoncurrentVersionTransitions: listOf(
        'NoncurrentVersionTransition',
        structure({ ...newerNoncurrent, StorageClass: requiredText }),
      ),
      AbortIncompleteMultipartUpload: member(structure({ DaysAfterInitiation: { ...integer, required: true } })),
    }),
  ),
});

const publicAccessBlock = structure({
  BlockPublicAcls: flag,
  IgnorePublicAcls: flag,
  BlockPublicPolicy: flag,
  RestrictPublicBuckets: flag,
});

const ownershipControls = structure({ Rules: listOf('Rule', structure({ ObjectOwnership: requiredText })) });
const versioning = structure({ Status: text, MFADelete: member('string', 'MfaDelete') });

const notificationTarget = (arn: string, element: string): XmlStructure =>
  structure({
    Id: text,
    [arn]: { ...member('string', element), required: true },
    Events: { ...texts('Event'), required: true },
    Filter: member(
      structure({
        Key: member(structure({ FilterRules: listOf('FilterRule', structure({ Name: text, Value: text })) }), 'S3Key'),
      }),
    ),
  });

const notification = structure({
  TopicConfigurations: listOf('TopicConfiguration', notificationTarget('TopicArn', 'Topic')),
  QueueConfigurations: listOf('QueueConfiguration', notificationTarget('QueueArn', 'Queue')),
  LambdaFunctionConfigurations: listOf(
    'CloudFunctionConfiguration',
    notificationTarget('LambdaFunctionArn', 'CloudFunction'),
  ),
  EventBridgeConfiguration: member(structure({})),
});

/** The documents of settings and tags, which are the same for Put and Get. */
export const settingDocuments: Record<string, XmlDocument> = {
  BucketCors: { root: 'CORSConfiguration', shape: cors },
  BucketEncryption: { root: 'ServerSideEncryptionConfiguration', shape: encryption },
  BucketLifecycleConfiguration: { root: 'LifecycleConfiguration', shape: lifecycle },
  PublicAccessBlock: { root: 'PublicAccessBlockConfiguration', shape: publicAccessBlock },
  BucketOwnershipControls: { root: 'OwnershipControls', shape: ownershipControls },
  BucketVersioning: { root: 'VersioningConfiguration', shape: versioning },
  BucketNotificationConfiguration: { root: 'NotificationConfiguration', shape: notification },
  BucketTagging: { root: 'Tagging', shape: tagging },
  ObjectTagging: { root: 'Tagging', shape: tagging },
};
