import { compilePolicy, PolicyError } from '@millrace/iam-policy';
import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { S3Output } from '../operations/input.ts';

interface PolicyStatement {
  Effect?: unknown;
  Principal?: unknown;
  Resource?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/**
 * Checks the policy of a bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
 *
 * @returns its text as it was given
 * @throws S3Error MalformedPolicy; AccessDenied for a public policy where the bucket blocks those
 */
export function checkPolicy(policy: unknown, bucket: string, blocksPublic: boolean): string {
  const text = String(policy ?? '');
  if (Buffer.byteLength(text) > s3Limits.policyBytes) throw malformed('The policy is larger than 20 KB.');
  try {
    compilePolicy(text, 'resource-based', 'Policy');
  } catch (error) {
    if (error instanceof PolicyError) throw malformed(error.message);
    throw error;
  }
  const arn = `arn:aws:s3:::${bucket}`;
  for (const { Resource } of statementsOf(text)) {
    for (const resource of Resource === undefined ? [] : [Resource].flat()) {
      if (
        resource !== '*' &&
        resource !== arn &&
        !String(resource).startsWith(`${arn}/`) &&
        !String(resource).startsWith(`${arn}*`)
      ) {
        throw malformed('Policy has invalid resource');
      }
    }
  }
  if (blocksPublic && isPublic(text)) {
    throw s3Error(
      'AccessDenied',
      'The policy is public, and the BlockPublicPolicy setting of the bucket does not allow public policies.',
    );
  }
  return text;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html */
export function policyStatus(policy: string): S3Output {
  return { IsPublic: isPublic(policy) };
}

function malformed(message: string): Error {
  return s3Error('MalformedPolicy', message);
}

function statementsOf(policy: string): PolicyStatement[] {
  const { Statement } = JSON.parse(policy) as { Statement: PolicyStatement | PolicyStatement[] };
  return [Statement].flat();
}

/** Keys by which a statement for everyone is not public, if their values are fixed. */
const restrictingKeys = new Set([
  ...['aws:sourcearn', 'aws:sourceaccount', 'aws:sourceowner', 'aws:sourceip', 'aws:sourcevpc', 'aws:sourcevpce'],
  ...['aws:principalorgid', 'aws:principalorgpaths', 'aws:principalaccount', 'aws:principalarn', 'aws:userid'],
  ...['s3:dataaccesspointaccount', 's3:dataaccesspointarn', 's3:x-amz-server-side-encryption-aws-kms-key-id'],
]);

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status */
function isPublic(policy: string): boolean {
  return statementsOf(policy).some(({ Effect, Principal, Condition = {} }) => {
    if (Effect !== 'Allow' || !isEveryone(Principal)) return false;
    return !Object.entries(Condition).some(([operator, keys]) =>
      Object.entries(keys).some(([key, values]) => {
        const isFixed = [values].flat().every((value) => !/[*?]|\$\{/.test(String(value)) && value !== '0.0.0.0/0');
        return !/not/i.test(operator) && restrictingKeys.has(key.toLowerCase()) && isFixed;
      }),
    );
  });
}

function isEveryone(principal: unknown): boolean {
  if (principal === '*') return true;
  if (typeof principal !== 'object' || principal === null || !('AWS' in principal)) return false;
  return [principal.AWS].flat().includes('*');
}
