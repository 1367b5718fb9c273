import { s3Error } from '../errors.ts';
import { compact, type S3Context } from './context.ts';
import { findVersion } from './get-object.ts';
import type { S3Operation, S3Output } from './input.ts';
import { shownId } from './write-object.ts';

type AclOperation = 'GetBucketAcl' | 'PutBucketAcl' | 'GetObjectAcl' | 'PutObjectAcl';

/**
 * ACLs of buckets whose owner is enforced: they give the owner full control, and cannot be changed.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export function aclOperations(context: S3Context): Record<AclOperation, S3Operation> {
  const acl = (): S3Output => ({
    Owner: context.owner,
    Grants: [{ Grantee: context.owner, Permission: 'FULL_CONTROL' }],
  });
  const refuse = (): never => {
    throw s3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  };
  return {
    GetBucketAcl: (input) => {
      context.bucket(input);
      return acl();
    },
    PutBucketAcl: (input) => {
      context.bucket(input);
      return refuse();
    },
    GetObjectAcl: (input) => {
      const version = findVersion(context, input);
      return compact({ ...acl(), VersionId: shownId(context, version) });
    },
    PutObjectAcl: (input) => {
      findVersion(context, input);
      return refuse();
    },
  };
}
