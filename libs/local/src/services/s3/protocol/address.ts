import { s3Error } from '../errors.ts';

/** What a request is about. */
export interface Address {
  bucket: string | undefined;
  key: string | undefined;
  query: URLSearchParams;
  /** As it was sent: what is signed. */
  rawPath: string;
}

/**
 * Reads bucket and key from a path (`/bucket/key`), or the bucket from the host (`bucket.s3.eu-central-1.amazonaws.com`,
 * `bucket.localhost:4566`). The path is taken as it is: `a//b` and `../c` are keys.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 *
 * @throws S3Error InvalidURI where the path is not encoded properly
 */
export function readAddress(host: string | undefined, url: string): Address {
  const question = url.indexOf('?');
  const rawPath = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  if (!rawPath.startsWith('/')) throw invalidUri();
  const hosted = bucketOfHost(host ?? '');
  const path = rawPath.slice(1);
  if (hosted !== undefined) return { bucket: hosted, key: path === '' ? undefined : decode(path), query, rawPath };
  if (path === '') return { bucket: undefined, key: undefined, query, rawPath };
  const slash = path.indexOf('/');
  const key = slash < 0 ? '' : path.slice(slash + 1);
  const bucket = decode(slash < 0 ? path : path.slice(0, slash));
  return { bucket, key: key === '' ? undefined : decode(key), query, rawPath };
}

function bucketOfHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const match =
    /^(.+?)(?:\.s3(?:[.-][a-z0-9-]+)?)?\.localhost$/.exec(name) ??
    /^(.+)\.s3(?:[.-][a-z0-9.-]+)?\.amazonaws\.com$/.exec(name);
  const bucket = match?.[1];
  // A bucket's name has at least three characters, so that this is the host of all buckets.
  return bucket === undefined || /^s3(\.|$)/.test(bucket) ? undefined : bucket;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUri();
  }
}

function invalidUri(): Error {
  return s3Error('InvalidURI', "Couldn't parse the specified URI.");
}
