import type { AccessOf } from '../../core/access.ts';

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html */
const onKey = new Set(['GenerateMac', 'VerifyMac', 'DescribeKey']);

/**
 * A key's policy must let the caller in, too, or leave it to the account.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 */
export const kmsAccess: AccessOf = (operation, { KeyId }, arn) => {
  const name = String(KeyId);
  // Permissions are on the key behind an alias, which the request does not tell.
  if (!onKey.has(operation) || /(^|:)alias\//.test(name)) return undefined;
  const resource = name.startsWith('arn:') ? name : arn('kms', `key/${name}`);
  return [{ action: `kms:${operation}`, resource, resourceMustAllow: true }];
};
