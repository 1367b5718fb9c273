import { createHash } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { noSuchBucket, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { ObjectChange } from '../notifications/object-change.ts';
import type { Bucket, S3Store } from '../store/index.ts';
import type { S3Caller, S3Input, S3Output } from './input.ts';

export type VersioningStatus = 'Enabled' | 'Suspended' | undefined;

/** What the operations share. */
export class S3Context {
  readonly store: S3Store;
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  /** Tells of a change of an object, in the transaction that makes it. */
  readonly notify: (change: ObjectChange, caller: S3Caller) => void;

  constructor(options: {
    store: S3Store;
    clock: Clock;
    region: string;
    accountId: string;
    notify: S3Context['notify'];
  }) {
    this.store = options.store;
    this.clock = options.clock;
    this.region = options.region;
    this.accountId = options.accountId;
    this.notify = options.notify;
  }

  /** The owner of all buckets, as ACLs and listings name them. */
  get owner(): { ID: string } {
    return { ID: canonicalUserId(this.accountId) };
  }

  /** The time to the second, as S3 keeps it. */
  now(): number {
    return Math.floor(this.clock.now() / 1000) * 1000;
  }

  /** @throws S3Error NoSuchBucket; AccessDenied where another account is expected to own it */
  bucket({ Bucket: name = '', ExpectedBucketOwner: expectedOwner }: S3Input): Bucket {
    const bucket = this.store.buckets.get(name);
    if (!bucket) throw noSuchBucket(name);
    if (expectedOwner !== undefined && expectedOwner !== this.accountId) throw s3Error('AccessDenied', 'Access Denied');
    return bucket;
  }

  versioning(bucket: string): VersioningStatus {
    return this.store.buckets.setting<{ Status?: VersioningStatus }>(bucket, 'versioning')?.Status;
  }
}

/** The id by which ACLs name an account. https://docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html */
export function canonicalUserId(accountId: string): string {
  return createHash('sha256').update(`canonical user of ${accountId}`).digest('hex');
}

/**
 * Reads the key of an object.
 * @throws S3Error KeyTooLongError; UserKeyMustBeSpecified where it is missing; InvalidURI where it is not Unicode
 */
export function keyOf({ Key: key = '' }: S3Input): string {
  if (key === '') throw s3Error('UserKeyMustBeSpecified', 'The request must specify a key');
  if (!key.isWellFormed()) throw s3Error('InvalidURI', "Couldn't parse the specified URI.");
  const size = Buffer.byteLength(key);
  if (size <= s3Limits.keyBytes) return key;
  const details = { Size: String(size), MaxSizeAllowed: String(s3Limits.keyBytes) };
  throw s3Error('KeyTooLongError', 'Your key is too long', details);
}

/** `"…"`, as headers and documents have it. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** Leaves out what is undefined, as outputs do. */
export function compact(output: S3Output): S3Output {
  return Object.fromEntries(Object.entries(output).filter(([, value]) => value !== undefined));
}
