import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type { HttpRequest } from '../../../core/http-message.ts';
import { S3Error, s3Error } from '../errors.ts';
import type { Address } from './address.ts';

/** The secret of an access key; undefined for a key that is not checked. */
export type SecretOf = (accessKeyId: string) => string | undefined;

/** What signatures are checked by. */
export interface SignatureCheck {
  secretOf: SecretOf;
  clock: Pick<Clock, 'now'>;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const LONGEST_EXPIRY_SECONDS = 604_800;

/** Whether a URL is presigned: its signature is in the query. */
export function isPresigned(query: URLSearchParams): boolean {
  return query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm');
}

/** True for a request that is signed in the way before this one, which new buckets no longer take. */
export function hasOldSignature({ url, headers }: Pick<HttpRequest, 'url' | 'headers'>): boolean {
  return url.searchParams.has('AWSAccessKeyId') || /^AWS [^:]+:/.test(headers.authorization ?? '');
}

/**
 * Checks a presigned URL: that it has not expired, and that it is what was signed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * @returns whose it is
 * @throws S3Error AuthorizationQueryParametersError, AccessDenied or SignatureDoesNotMatch
 */
export function checkPresigned(
  { method, headers, address }: { method: string; headers: IncomingHttpHeaders; address: Address },
  { secretOf, clock }: SignatureCheck,
): { accessKeyId: string } {
  const { query, rawPath } = address;
  const parameter = (name: string): string => {
    const value = query.get(name);
    if (value !== null) return value;
    throw s3Error(
      'AuthorizationQueryParametersError',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  };
  const signature = parameter('X-Amz-Signature');
  if (parameter('X-Amz-Algorithm') !== ALGORITHM) {
    throw s3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const [date, expires, credential] = [
    parameter('X-Amz-Date'),
    Number(parameter('X-Amz-Expires')),
    parameter('X-Amz-Credential'),
  ];
  checkExpiry(date, expires, clock.now());
  const [accessKeyId = '', ...scope] = credential.split('/');
  if (scope.length !== 4)
    throw s3Error('AuthorizationQueryParametersError', 'Error parsing the X-Amz-Credential parameter');
  const secret = secretOf(accessKeyId);
  if (secret === undefined) return { accessKeyId };
  const signed = parameter('X-Amz-SignedHeaders').split(';');
  const canonical = [
    method,
    canonicalPath(rawPath),
    canonicalQuery(query),
    ...signed.map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signed.join(';'),
    query.get('X-Amz-Content-Sha256') ?? headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const toSign = [ALGORITHM, date, scope.join('/'), createHash('sha256').update(canonical).digest('hex')].join('\n');
  checkSignature(secret, scope, toSign, signature);
  return { accessKeyId };
}

function checkExpiry(date: string, expires: number, now: number): void {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(signedAt)) {
    throw s3Error(
      'AuthorizationQueryParametersError',
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    );
  }
  if (!Number.isInteger(expires) || expires < 0 || expires > LONGEST_EXPIRY_SECONDS) {
    throw s3Error(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be a number of seconds less than a week (604800)',
    );
  }
  const expiresAt = signedAt + expires * 1000;
  if (now <= expiresAt) return;
  throw new S3Error('AccessDenied', 'Request has expired', {
    details: {
      'X-Amz-Expires': String(expires),
      Expires: new Date(expiresAt).toISOString(),
      ServerTime: new Date(now).toISOString(),
    },
  });
}

/**
 * Checks a signature of version 4.
 * @param scope date, region, service and `aws4_request`
 * @throws S3Error SignatureDoesNotMatch
 */
export function checkSignature(secret: string, scope: readonly string[], toSign: string, signature: string): void {
  const key = scope.reduce<string | Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${secret}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  const given = Buffer.from(signature, 'hex');
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw s3Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    { StringToSign: toSign },
  );
}

/** Encoded once, as it was sent; a client may have encoded fewer characters than are signed. */
function canonicalPath(path: string): string {
  return path
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
