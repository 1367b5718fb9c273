import { invalidArgument, notImplemented, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectAttributes } from '../store/index.ts';
import type { S3Context } from './context.ts';
import type { S3Input, S3Output } from './input.ts';

const texts = [
  'ContentType',
  'ContentEncoding',
  'ContentDisposition',
  'ContentLanguage',
  'CacheControl',
  'Expires',
  'WebsiteRedirectLocation',
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html */
const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]);

/** https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

const archives = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** The encryption of objects that say nothing of it. Nothing is encrypted here, but requests and answers are as at AWS. */
interface EncryptionRule {
  ApplyServerSideEncryptionByDefault?: { SSEAlgorithm: string; KMSMasterKeyID?: string };
  BucketKeyEnabled?: boolean;
}

/**
 * Refuses what a write may ask for and does not get here. To accept it and do nothing would be worse: an object would be
 * public, locked or encrypted for its writer alone.
 *
 * @throws S3Error NotImplemented; AccessControlListNotSupported, as buckets have no ACLs by default
 */
export function refuseUnsupported(input: S3Input): void {
  if (Object.keys(input).some((member) => member.includes('SSECustomer'))) {
    throw notImplemented('server-side encryption with a key of the customer');
  }
  const locked = Object.keys(input).find((member) => member.startsWith('ObjectLock'));
  if (locked !== undefined) throw notImplemented(`Object Lock (${locked})`);
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('append to an object');
  refuseAcl(input);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html */
export function refuseAcl(input: S3Input): void {
  const isOwners = input.ACL === undefined || input.ACL === 'bucket-owner-full-control' || input.ACL === 'private';
  if (isOwners && !Object.keys(input).some((member) => member.startsWith('Grant'))) return;
  throw s3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}

/**
 * Reads headers and metadata of a new object.
 *
 * @param bucket whose default encryption it has
 * @throws S3Error MetadataTooLarge, InvalidStorageClass or InvalidArgument
 */
export function readAttributes(input: S3Input, bucket: string, { store }: S3Context): ObjectAttributes {
  const attributes: ObjectAttributes = {};
  for (const name of texts) {
    const value = input[name];
    if (value !== undefined) attributes[name] = String(value);
  }
  const { Metadata = {}, StorageClass } = input;
  const size = Object.entries(Metadata).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  if (size > s3Limits.metadataBytes) {
    throw s3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: String(size),
      MaxSizeAllowed: String(s3Limits.metadataBytes),
    });
  }
  const invalid = Object.keys(Metadata).find((name) => !headerName.test(name));
  if (invalid !== undefined) {
    throw invalidArgument('x-amz-meta', invalid, 'A name of metadata must be one that a header can have');
  }
  if (size > 0) attributes.Metadata = Metadata;
  if (StorageClass !== undefined) {
    if (!storageClasses.has(StorageClass)) {
      throw s3Error('InvalidStorageClass', 'The storage class you specified is not valid', {
        StorageClassRequested: StorageClass,
      });
    }
    if (StorageClass !== 'STANDARD') attributes.StorageClass = StorageClass;
  }
  return Object.assign(attributes, readEncryption(input, store.buckets.setting(bucket, 'encryption')));
}

function readEncryption(
  input: S3Input,
  setting: { Rules?: EncryptionRule[] } | undefined,
): Pick<ObjectAttributes, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> {
  const [rule] = setting?.Rules ?? [];
  const byDefault = rule?.ApplyServerSideEncryptionByDefault;
  const algorithm = input.ServerSideEncryption ?? byDefault?.SSEAlgorithm ?? 'AES256';
  if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(algorithm)) {
    throw invalidArgument(
      'x-amz-server-side-encryption',
      algorithm,
      'The encryption method specified is not supported',
    );
  }
  const keyId = input.SSEKMSKeyId ?? (input.ServerSideEncryption === undefined ? byDefault?.KMSMasterKeyID : undefined);
  if (algorithm === 'AES256') {
    if (input.SSEKMSKeyId === undefined) return { ServerSideEncryption: algorithm };
    const name = 'x-amz-server-side-encryption-aws-kms-key-id';
    throw invalidArgument(name, input.SSEKMSKeyId, `${name} requires x-amz-server-side-encryption to be aws:kms`);
  }
  const withBucketKey = input.BucketKeyEnabled ?? rule?.BucketKeyEnabled;
  return {
    ServerSideEncryption: algorithm,
    ...(keyId !== undefined && { SSEKMSKeyId: keyId }),
    ...(withBucketKey && { BucketKeyEnabled: true }),
  };
}

/** @throws S3Error InvalidObjectState for an object that would have to be restored before it can be read */
export function checkReadable({ StorageClass = 'STANDARD' }: ObjectAttributes): void {
  if (!archives.has(StorageClass)) return;
  throw s3Error('InvalidObjectState', "The operation is not valid for the object's storage class", { StorageClass });
}

/** What the answers to writes say of the encryption. */
export function encryptionOutput({ ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled }: ObjectAttributes): S3Output {
  return { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
}

/** The checksum of an object as a member of an output. */
export function checksumOutput({ Checksum }: ObjectAttributes): S3Output {
  return Checksum ? { [`Checksum${Checksum.algorithm}`]: Checksum.value, ChecksumType: Checksum.type } : {};
}
