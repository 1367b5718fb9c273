import { checksumMembers } from '../content/checksums.ts';
import type { XmlMember, XmlShape, XmlStructure } from './xml-shape.ts';

/** A document of the API: its root element and what is in it. */
export interface XmlDocument {
  root: string;
  shape: XmlStructure;
}

const text: XmlMember = { shape: 'string' };
const requiredText: XmlMember = { shape: 'string', required: true };
const integer: XmlMember = { shape: 'integer' };
const flag: XmlMember = { shape: 'boolean' };
const time: XmlMember = { shape: 'timestamp' };
const structure = (members: Record<string, XmlMember>): XmlStructure => ({ members });
const listOf = (element: string, shape: XmlShape): XmlMember => ({ element, shape, list: true });
const texts = (element: string): XmlMember => listOf(element, 'string');
const member = (shape: XmlShape, element?: string): XmlMember => ({ shape, ...(element !== undefined && { element }) });

const checksums: Record<string, XmlMember> = Object.fromEntries([...checksumMembers, 'ChecksumType'].map((name) => [name, text]));
const owner = member(structure({ ID: text, DisplayName: text }));
const tag = structure({ Key: requiredText, Value: requiredText });
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
      Filter: member(structure({ ...predicates, Tag: member(tag), And: member(structure({ ...predicates, Tags: listOf('Tag', tag) })) })),
      Status: requiredText,
      Expiration: member(structure({ Date: time, Days: integer, ExpiredObjectDeleteMarker: flag })),
      Transitions: listOf('Transition', structure({ Date: time, Days: integer, StorageClass: requiredText })),
      NoncurrentVersionExpiration: member(structure(newerNoncurrent)),
      NoncurrentVersionTransitions: listOf('NoncurrentVersionTransition', structure({ ...newerNoncurrent, StorageClass: requiredText })),
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
      structure({ Key: member(structure({ FilterRules: listOf('FilterRule', structure({ Name: text, Value: text })) }), 'S3Key') }),
    ),
  });

const notification = structure({
  TopicConfigurations: listOf('TopicConfiguration', notificationTarget('TopicArn', 'Topic')),
  QueueConfigurations: listOf('QueueConfiguration', notificationTarget('QueueArn', 'Queue')),
  LambdaFunctionConfigurations: listOf('CloudFunctionConfiguration', notificationTarget('LambdaFunctionArn', 'CloudFunction')),
  EventBridgeConfiguration: member(structure({})),
});

/** Settings have one document for Put and Get. */
const settings: Record<string, XmlDocument> = {
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

/** The documents of requests by operation, and the member of the input that they are. */
export const requestDocuments: Readonly<Record<string, XmlDocument & { member: string; required?: boolean }>> = {
  ...Object.fromEntries(
    Object.entries(settings).map(([name, document]) => [`Put${name}`, { ...document, member: document.root, required: true }]),
  ),
  CreateBucket: {
    member: 'CreateBucketConfiguration',
    root: 'CreateBucketConfiguration',
    shape: structure({
      LocationConstraint: text,
      Location: member(structure({ Type: text, Name: text })),
      Bucket: member(structure({ DataRedundancy: text, Type: text })),
      Tags: member({ entries: { element: 'Tag', shape: tag } }),
    }),
  },
  DeleteObjects: {
    member: 'Delete',
    root: 'Delete',
    required: true,
    shape: structure({
      Objects: listOf('Object', structure({ Key: requiredText, VersionId: text, ETag: text, LastModifiedTime: text, Size: integer })),
      Quiet: flag,
    }),
  },
  CompleteMultipartUpload: {
    member: 'MultipartUpload',
    root: 'CompleteMultipartUpload',
    required: true,
    shape: structure({
      Parts: listOf('Part', structure({ ETag: text, PartNumber: { ...integer, required: true }, ...checksums })),
    }),
  },
};

const object = structure({
  Key: text,
  VersionId: text,
  IsLatest: flag,
  LastModified: time,
  ETag: text,
  ChecksumAlgorithm: texts('ChecksumAlgorithm'),
  ChecksumType: text,
  Size: integer,
  StorageClass: text,
  Owner: owner,
});
const commonPrefixes = listOf('CommonPrefixes', structure({ Prefix: text }));
const page = { Name: text, Prefix: text, Delimiter: text, MaxKeys: integer, EncodingType: text, IsTruncated: flag };
const acl: XmlDocument = {
  root: 'AccessControlPolicy',
  shape: structure({
    Owner: owner,
    Grants: member(
      {
        entries: {
          element: 'Grant',
          shape: structure({
            Grantee: {
              ...owner,
              attributes: ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"',
            },
            Permission: text,
          }),
        },
      },
      'AccessControlList',
    ),
  }),
};

/** The documents of answers by operation. */
export const responseDocuments: Readonly<Record<string, XmlDocument>> = {
  ...Object.fromEntries(Object.entries(settings).map(([name, document]) => [`Get${name}`, document])),
  GetBucketAcl: acl,
  GetObjectAcl: acl,
  GetBucketAccelerateConfiguration: { root: 'AccelerateConfiguration', shape: structure({}) },
  GetBucketLogging: { root: 'BucketLoggingStatus', shape: structure({}) },
  GetBucketRequestPayment: { root: 'RequestPaymentConfiguration', shape: structure({ Payer: text }) },
  GetBucketPolicyStatus: { root: 'PolicyStatus', shape: structure({ IsPublic: flag }) },
  ListBuckets: {
    root: 'ListAllMyBucketsResult',
    shape: structure({
      Owner: owner,
      Buckets: member({
        entries: {
          element: 'Bucket',
          shape: structure({ Name: text, CreationDate: time, BucketRegion: text, BucketArn: text }),
        },
      }),
      ContinuationToken: text,
      Prefix: text,
    }),
  },
  ListObjects: {
    root: 'ListBucketResult',
    shape: structure({ ...page, Marker: text, NextMarker: text, Contents: listOf('Contents', object), CommonPrefixes: commonPrefixes }),
  },
  ListObjectsV2: {
    root: 'ListBucketResult',
    shape: structure({
      ...page,
      ...{ KeyCount: integer, ContinuationToken: text, NextContinuationToken: text, StartAfter: text },
      ...{ Contents: listOf('Contents', object), CommonPrefixes: commonPrefixes },
    }),
  },
  ListObjectVersions: {
    root: 'ListVersionsResult',
    shape: structure({
      ...page,
      ...{ KeyMarker: text, VersionIdMarker: text, NextKeyMarker: text, NextVersionIdMarker: text },
      ...{ Versions: listOf('Version', object), DeleteMarkers: listOf('DeleteMarker', object) },
      CommonPrefixes: commonPrefixes,
    }),
  },
  DeleteObjects: {
    root: 'DeleteResult',
    shape: structure({
      Deleted: listOf('Deleted', structure({ Key: text, VersionId: text, DeleteMarker: flag, DeleteMarkerVersionId: text })),
      Errors: listOf('Error', structure({ Key: text, VersionId: text, Code: text, Message: text })),
    }),
  },
  CreateMultipartUpload: {
    root: 'InitiateMultipartUploadResult',
    shape: structure({ Bucket: text, Key: text, UploadId: text }),
  },
  CompleteMultipartUpload: {
    root: 'CompleteMultipartUploadResult',
    shape: structure({ Location: text, Bucket: text, Key: text, ETag: text, ...checksums }),
  },
  CopyObject: { root: 'CopyObjectResult', shape: structure({ ETag: text, LastModified: time, ...checksums }) },
  UploadPartCopy: { root: 'CopyPartResult', shape: structure({ ETag: text, LastModified: time, ...checksums }) },
  ListParts: {
    root: 'ListPartsResult',
    shape: structure({
      ...{ Bucket: text, Key: text, UploadId: text, Initiator: owner, Owner: owner, StorageClass: text },
      ...{ PartNumberMarker: integer, NextPartNumberMarker: integer, MaxParts: integer, IsTruncated: flag },
      Parts: listOf('Part', structure({ PartNumber: integer, LastModified: time, ETag: text, Size: integer, ...checksums })),
      ...{ ChecksumAlgorithm: text, ChecksumType: text },
    }),
  },
  ListMultipartUploads: {
    root: 'ListMultipartUploadsResult',
    shape: structure({
      ...{ Bucket: text, KeyMarker: text, UploadIdMarker: text, NextKeyMarker: text, NextUploadIdMarker: text },
      ...{ Prefix: text, Delimiter: text, EncodingType: text, MaxUploads: integer, IsTruncated: flag },
      Uploads: listOf(
        'Upload',
        structure({
          ...{ Key: text, UploadId: text, Initiator: owner, Owner: owner, StorageClass: text, Initiated: time },
          ...{ ChecksumAlgorithm: text, ChecksumType: text },
        }),
      ),
      CommonPrefixes: commonPrefixes,
    }),
  },
  GetObjectAttributes: {
    root: 'GetObjectAttributesResponse',
    shape: structure({
      ETag: text,
      Checksum: member(structure(checksums)),
      ObjectParts: member(
        structure({
          TotalPartsCount: { shape: 'integer', element: 'PartsCount' },
          ...{ PartNumberMarker: integer, NextPartNumberMarker: integer, MaxParts: integer, IsTruncated: flag },
          Parts: listOf('Part', structure({ PartNumber: integer, Size: integer, ...checksums })),
        }),
      ),
      StorageClass: text,
      ObjectSize: integer,
    }),
  },
};
