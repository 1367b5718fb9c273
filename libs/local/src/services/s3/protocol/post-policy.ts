import { s3Error } from '../errors.ts';
import { checkSignature, type SignatureCheck } from './signature.ts';

interface SizeRange {
  minimum: number;
  maximum: number;
}

type Condition = { kind: 'eq' | 'starts-with'; field: string; value: string };

/** Fields that a policy need not allow. */
const exempt = (name: string): boolean =>
  ['x-amz-signature', 'file', 'policy'].includes(name) || name.startsWith('x-ignore-');

/**
 * Checks a form against the policy that is signed in it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 *
 * @param fields by name in small letters, with the bucket
 * @returns the sizes that the file may have, and whose signature it is; undefined for a form without a policy
 * @throws S3Error AccessDenied, InvalidPolicyDocument or SignatureDoesNotMatch
 */
export function checkPostPolicy(
  fields: ReadonlyMap<string, string>,
  { secretOf, clock }: SignatureCheck,
): { accessKeyId: string; size: SizeRange | undefined } | undefined {
  const encoded = fields.get('policy');
  if (encoded === undefined) return undefined;
  const { expiration, conditions, size } = readPolicy(encoded);
  if (clock.now() > expiration) throw denied('Policy expired.');
  for (const { kind, field, value } of conditions) {
    const given = fields.get(field) ?? '';
    const holds = kind === 'eq' ? given === value : given.startsWith(value);
    if (!holds) throw denied(`Policy Condition failed: ["${kind}", "$${field}", "${value}"]`);
  }
  const allowed = new Set(conditions.map(({ field }) => field));
  const extra = [...fields.keys()].filter((name) => name !== 'bucket' && !allowed.has(name) && !exempt(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ').slice(0, 500)}`);
  const [accessKeyId = '', ...scope] = (fields.get('x-amz-credential') ?? '').split('/');
  if (scope.length !== 4 || fields.get('x-amz-algorithm') !== 'AWS4-HMAC-SHA256') {
    throw s3Error('InvalidArgument', 'Only AWS4-HMAC-SHA256 is supported, with a complete x-amz-credential.');
  }
  const secret = secretOf(accessKeyId);
  if (secret !== undefined) checkSignature(secret, scope, encoded, fields.get('x-amz-signature') ?? '');
  return { accessKeyId, size };
}

function readPolicy(encoded: string): { expiration: number; conditions: Condition[]; size: SizeRange | undefined } {
  let policy: { expiration?: unknown; conditions?: unknown };
  try {
    policy = JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    throw invalidPolicy('it is not JSON in base64');
  }
  const expiration = Date.parse(String(policy?.expiration));
  if (Number.isNaN(expiration)) throw invalidPolicy('it has no expiration');
  if (!Array.isArray(policy.conditions)) throw invalidPolicy('it has no list of conditions');
  const conditions: Condition[] = [];
  let size: SizeRange | undefined;
  for (const entry of policy.conditions as unknown[]) {
    if (Array.isArray(entry) && entry.length === 3) {
      const [operator, first, second] = entry as [unknown, unknown, unknown];
      const kind = String(operator).toLowerCase();
      if (kind === 'content-length-range') size = { minimum: Number(first), maximum: Number(second) };
      else if ((kind === 'eq' || kind === 'starts-with') && String(first).startsWith('$')) {
        conditions.push({ kind, field: String(first).slice(1).toLowerCase(), value: String(second) });
      } else throw invalidPolicy(`it has an unknown condition ${JSON.stringify(entry).slice(0, 200)}`);
    } else if (
      typeof entry === 'object' &&
      entry !== null &&
      !Array.isArray(entry) &&
      Object.keys(entry).length === 1
    ) {
      const [field = '', value] = Object.entries(entry)[0] ?? [];
      conditions.push({ kind: 'eq', field: field.toLowerCase(), value: String(value) });
    } else throw invalidPolicy(`it has an unknown condition ${JSON.stringify(entry).slice(0, 200)}`);
  }
  return { expiration, conditions, size };
}

function denied(reason: string): Error {
  return s3Error('AccessDenied', `Invalid according to Policy: ${reason}`);
}

function invalidPolicy(reason: string): Error {
  return s3Error(
    'InvalidPolicyDocument',
    `The content of the form does not meet the conditions specified in the policy document: ${reason}.`,
  );
}
