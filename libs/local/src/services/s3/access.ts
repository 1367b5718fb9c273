import type { Access } from '@millrace/iam-policy';
import type { S3Input } from './operations/input.ts';

/** Actions whose name is not that of the operation. */
const actionNames: Readonly<Record<string, string>> = {
  AbortMultipartUpload: 'AbortMultipartUpload',
  CompleteMultipartUpload: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  DeleteBucketCors: 'PutBucketCORS',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  DeleteBucketTagging: 'PutBucketTagging',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
  GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
  GetBucketCors: 'GetBucketCORS',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  GetBucketReplication: 'GetReplicationConfiguration',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  HeadBucket: 'ListBucket',
  HeadObject: 'GetObject',
  ListBuckets: 'ListAllMyBuckets',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListParts: 'ListMultipartUploadParts',
  PostObject: 'PutObject',
  PutBucketCors: 'PutBucketCORS',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  UploadPart: 'PutObject',
};

/** Actions that have another name for a version of an object. */
const ofVersions: Readonly<Record<string, string>> = {
  DeleteObject: 'DeleteObjectVersion',
  DeleteObjectTagging: 'DeleteObjectVersionTagging',
  GetObject: 'GetObjectVersion',
  GetObjectAcl: 'GetObjectVersionAcl',
  GetObjectAttributes: 'GetObjectVersionAttributes',
  GetObjectTagging: 'GetObjectVersionTagging',
  PutObjectAcl: 'PutObjectVersionAcl',
  PutObjectTagging: 'PutObjectVersionTagging',
};

/**
 * What an operation needs permission for.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 *
 * @param input before the body has been read. DeleteObjects is asked about each of its objects when they are known
 * @example s3Access('HeadObject', { Bucket: 'b', Key: 'k' }) // [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }]
 */
export function s3Access(operation: string, input: S3Input): readonly Access[] {
  const bucketArn = `arn:aws:s3:::${input.Bucket ?? ''}`;
  const objectArn = (key: unknown): string => `${bucketArn}/${String(key ?? '')}`;
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  if (operation === 'CopyObject' || operation === 'UploadPartCopy')
    return copyAccess(operation, input, objectArn(input.Key));
  if (operation === 'DeleteObjects') {
    const objects = (input.Delete?.Objects ?? []) as { Key: string; VersionId?: string }[];
    return objects.map(({ Key, VersionId }) => ({
      action: VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion',
      resource: objectArn(Key),
    }));
  }
  const named = actionNames[operation] ?? operation;
  const action = input.VersionId === undefined ? named : (ofVersions[named] ?? named);
  const isOfObject = input.Key !== undefined;
  const own = { action: `s3:${action}`, resource: isOfObject ? objectArn(input.Key) : bucketArn };
  return input.Tagging !== undefined && named === 'PutObject'
    ? [own, { action: 's3:PutObjectTagging', resource: own.resource }]
    : [own];
}

/** A copy reads its source and its tags, and writes the copy. */
function copyAccess(operation: string, input: S3Input, target: string): Access[] {
  const [source = '', query] = String(input.CopySource ?? '')
    .replace(/^\//, '')
    .split('?');
  const suffix = query === undefined ? '' : 'Version';
  const resource = `arn:aws:s3:::${decoded(source)}`;
  const read = { action: `s3:GetObject${suffix}`, resource };
  const write = { action: 's3:PutObject', resource: target };
  if (operation === 'UploadPartCopy') return [read, write];
  if (input.TaggingDirective === 'REPLACE') return [read, write, { action: 's3:PutObjectTagging', resource: target }];
  return [read, write];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
