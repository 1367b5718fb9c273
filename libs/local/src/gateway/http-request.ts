import type { IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { AwsError } from '../core/aws-error.ts';

/** The largest request of all is a batch of DynamoDB: 16 MB. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** @returns undefined for a request that is not for a path: `*`, another origin, what is not a URL */
export function urlOf(target: string): URL | undefined {
  return (target.startsWith('/') && URL.parse(`http://localhost${target}`)) || undefined;
}

/** @throws AwsError for a path that is not encoded properly */
export function checkEncoding({ pathname }: URL): void {
  try {
    decodeURIComponent(pathname);
  } catch {
    throw new AwsError('BadRequest', 'The path of the request is not encoded properly');
  }
}

/**
 * Reads what a request is signed with: `<access key id>/<date>/<region>/<service>/aws4_request`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function credentialOf(headers: IncomingHttpHeaders, url: URL): { accessKeyId?: string; service?: string } {
  const credential =
    /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? url.searchParams.get('X-Amz-Credential');
  const [accessKeyId, _date, _region, service] = credential?.split('/') ?? [];
  return { ...(accessKeyId ? { accessKeyId } : {}), ...(service ? { service } : {}) };
}

/** The header of the JSON protocol, taken apart. */
export function targetOf(headers: IncomingHttpHeaders): { prefix: string; operation: string } | undefined {
  const target = headers['x-amz-target'];
  if (typeof target !== 'string') return undefined;
  const dot = target.lastIndexOf('.');
  return { prefix: target.slice(0, dot), operation: target.slice(dot + 1) };
}

/**
 * @param chunks of the body, all of which are read
 * @throws AwsError for a body that is too large or not compressed as its header says
 */
export async function readBody(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  headers: IncomingHttpHeaders,
): Promise<Buffer> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    // What is left is still read, so that the caller gets the answer and not a broken connection.
    if (size <= BODY_LIMIT_BYTES) kept.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES)
    throw new AwsError('RequestEntityTooLarge', `The body is larger than ${BODY_LIMIT_BYTES} bytes`, 413);
  const body = kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept);
  if (headers['content-encoding'] !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: BODY_LIMIT_BYTES });
  } catch (error) {
    throw new AwsError('SerializationException', `The body is not valid gzip: ${(error as Error).message}`);
  }
}
