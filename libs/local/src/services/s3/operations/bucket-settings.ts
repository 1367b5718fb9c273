import { type S3ErrorCode, s3Error } from '../errors.ts';
import type { Structure } from '../protocol/xml-shape.ts';
import { checkCors } from '../settings/cors.ts';
import { checkEncryption } from '../settings/encryption.ts';
import { checkLifecycle } from '../settings/lifecycle-rules.ts';
import { checkOwnership } from '../settings/ownership.ts';
import { checkPolicy, policyStatus } from '../settings/policy.ts';
import { checkVersioning } from '../settings/versioning.ts';
import type { S3Context } from './context.ts';
import type { S3Input, S3Operation, S3Output } from './input.ts';

/** A setting of a bucket that is a document: put as a whole, got as it was put, and deleted. */
interface DocumentSetting {
  /** The input's member with the document. */
  member: string;
  /** Names of the operations. */
  get: string;
  put: string;
  delete?: string;
  check: (document: Structure) => void;
  /** Of Get where it is not configured: an error, or the answer. */
  missing: { code: S3ErrorCode; message: string } | Structure;
}

const settings: Readonly<Record<string, DocumentSetting>> = {
  cors: {
    member: 'CORSConfiguration',
    get: 'GetBucketCors',
    put: 'PutBucketCors',
    delete: 'DeleteBucketCors',
    check: checkCors,
    missing: { code: 'NoSuchCORSConfiguration', message: 'The CORS configuration does not exist' },
  },
  encryption: {
    member: 'ServerSideEncryptionConfiguration',
    get: 'GetBucketEncryption',
    put: 'PutBucketEncryption',
    delete: 'DeleteBucketEncryption',
    check: checkEncryption,
    missing: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }] },
  },
  lifecycle: {
    member: 'LifecycleConfiguration',
    get: 'GetBucketLifecycleConfiguration',
    put: 'PutBucketLifecycleConfiguration',
    delete: 'DeleteBucketLifecycle',
    check: checkLifecycle,
    missing: { code: 'NoSuchLifecycleConfiguration', message: 'The lifecycle configuration does not exist' },
  },
  publicAccessBlock: {
    member: 'PublicAccessBlockConfiguration',
    get: 'GetPublicAccessBlock',
    put: 'PutPublicAccessBlock',
    delete: 'DeletePublicAccessBlock',
    check: () => {},
    missing: {
      code: 'NoSuchPublicAccessBlockConfiguration',
      message: 'The public access block configuration was not found',
    },
  },
  ownershipControls: {
    member: 'OwnershipControls',
    get: 'GetBucketOwnershipControls',
    put: 'PutBucketOwnershipControls',
    check: checkOwnership,
    missing: { code: 'OwnershipControlsNotFoundError', message: 'The bucket ownership controls were not found' },
  },
  versioning: {
    member: 'VersioningConfiguration',
    get: 'GetBucketVersioning',
    put: 'PutBucketVersioning',
    check: checkVersioning,
    missing: {},
  },
};

/** Operations that say of a setting that cannot be made here that it is not made. */
const unconfigured: Readonly<Record<string, DocumentSetting['missing']>> = {
  GetBucketAccelerateConfiguration: {},
  GetBucketLogging: {},
  GetBucketRequestPayment: { Payer: 'BucketOwner' },
  GetBucketReplication: {
    code: 'ReplicationConfigurationNotFoundError',
    message: 'The replication configuration was not found',
  },
  GetBucketWebsite: {
    code: 'NoSuchWebsiteConfiguration',
    message: 'The specified bucket does not have a website configuration',
  },
  GetObjectLockConfiguration: {
    code: 'ObjectLockConfigurationNotFoundError',
    message: 'Object Lock configuration does not exist for this bucket',
  },
};

/** The operations on the settings of a bucket, but for tags, ACLs and notifications. */
export function settingOperations(context: S3Context): Record<string, S3Operation> {
  const operations: Record<string, S3Operation> = policyOperations(context);
  for (const [name, setting] of Object.entries(settings))
    Object.assign(operations, documentOperations(context, name, setting));
  for (const [operation, missing] of Object.entries(unconfigured)) {
    operations[operation] = (input) => answerMissing(missing, context.bucket(input).name);
  }
  return operations;
}

function documentOperations(context: S3Context, name: string, setting: DocumentSetting): Record<string, S3Operation> {
  const { buckets } = context.store;
  const operations: Record<string, S3Operation> = {
    [setting.get]: (input) => {
      const bucket = context.bucket(input);
      return buckets.setting<Structure>(bucket.name, name) ?? answerMissing(setting.missing, bucket.name);
    },
    [setting.put]: (input) => {
      const bucket = context.bucket(input);
      const document = requiredDocument(input, setting.member);
      setting.check(document);
      buckets.setSetting(bucket.name, name, document);
      return {};
    },
  };
  if (setting.delete !== undefined) {
    operations[setting.delete] = (input) => {
      buckets.removeSetting(context.bucket(input).name, name);
      return {};
    };
  }
  return operations;
}

/** @throws S3Error MalformedXML where the input has no such document */
export function requiredDocument(input: S3Input, member: string): Structure {
  const document = input[member];
  if (typeof document === 'object' && document !== null) return document as Structure;
  throw s3Error('MalformedXML', `The request must have a body with the ${member}.`);
}

function answerMissing(missing: DocumentSetting['missing'], bucket: string): S3Output {
  if (!('code' in missing)) return missing;
  throw s3Error(missing.code as S3ErrorCode, String(missing.message), { BucketName: bucket });
}

function policyOperations(context: S3Context): Record<string, S3Operation> {
  const { buckets } = context.store;
  const policyOf = (input: S3Input): string => {
    const { name } = context.bucket(input);
    const policy = buckets.setting<string>(name, 'policy');
    if (policy !== undefined) return policy;
    throw s3Error('NoSuchBucketPolicy', 'The bucket policy does not exist', { BucketName: name });
  };
  return {
    GetBucketPolicy: (input) => ({ Policy: policyOf(input) }),
    GetBucketPolicyStatus: (input) => policyStatus(policyOf(input)),
    PutBucketPolicy: (input) => {
      const { name } = context.bucket(input);
      const block = buckets.setting<{ BlockPublicPolicy?: boolean }>(name, 'publicAccessBlock');
      buckets.setSetting(name, 'policy', checkPolicy(input.Policy, name, block?.BlockPublicPolicy === true));
      return {};
    },
    DeleteBucketPolicy: (input) => {
      buckets.removeSetting(context.bucket(input).name, 'policy');
      return {};
    },
  };
}
