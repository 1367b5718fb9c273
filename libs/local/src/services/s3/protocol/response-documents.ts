import { settingDocuments } from './setting-documents.ts';
import {
  checksums,
  flag,
  integer,
  listOf,
  member,
  owner,
  structure,
  text,
  texts,
  time,
  type XmlDocument,
} from './shapes.ts';

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
  ...Object.fromEntries(Object.entries(settingDocuments).map(([name, document]) => [`Get${name}`, document])),
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
    shape: structure({
      ...page,
      Marker: text,
      NextMarker: text,
      Contents: listOf('Contents', object),
      CommonPrefixes: commonPrefixes,
    }),
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
      Deleted: listOf(
        'Deleted',
        structure({ Key: text, VersionId: text, DeleteMarker: flag, DeleteMarkerVersionId: text }),
      ),
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
      Parts: listOf(
        'Part',
        structure({ PartNumber: integer, LastModified: time, ETag: text, Size: integer, ...checksums }),
      ),
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
