import { isIP } from 'node:net';
import { invalidArgument, s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Bucket } from '../store/index.ts';
import { refuseAcl } from './attributes.ts';
import { compact, type S3Context } from './context.ts';
import type { S3Input, S3Operation, S3Output } from './input.ts';
import { readTags } from './tags.ts';

type BucketOperation = 'CreateBucket' | 'DeleteBucket' | 'HeadBucket' | 'ListBuckets' | 'GetBucketLocation';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and the pages beside it */
export function bucketOperations(context: S3Context): Record<BucketOperation, S3Operation> {
  const { store } = context;
  return {
    CreateBucket: (input) => createBucket(context, input),
    DeleteBucket: (input) => {
      const { name } = context.bucket(input);
      const unused = store.transaction(() => {
        if (store.versions.hasAny(name)) {
          const message = 'The bucket you tried to delete is not empty';
          const hint = context.versioning(name) === undefined ? '' : '. You must delete all versions in the bucket.';
          throw s3Error('BucketNotEmpty', message + hint, { BucketName: name });
        }
        const parts = store.uploads.list(name).flatMap(({ id }) => store.uploads.remove(id));
        store.buckets.remove(name);
        return parts;
      });
      store.contents.release(unused);
      return {};
    },
    HeadBucket: (input) => {
      const { name, region } = context.bucket(input);
      return { BucketArn: `arn:aws:s3:::${name}`, BucketRegion: region, AccessPointAlias: false };
    },
    ListBuckets: (input) => listBuckets(context, input),
    GetBucketLocation: (input) => {
      const { region } = context.bucket(input);
      return region === 'us-east-1' ? {} : { LocationConstraint: region };
    },
  };
}

/**
 * What every new bucket has.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
 */
const newBucketSettings = {
  publicAccessBlock: {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  },
  ownershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
} as const;

function createBucket(context: S3Context, input: S3Input): S3Output {
  const { Bucket: name = '', CreateBucketConfiguration: configuration = {} } = input;
  const { store, region } = context;
  checkBucketName(name);
  refuseAcl(input);
  if (input.ObjectLockEnabledForBucket === true)
    throw s3Error('NotImplemented', 'S3 Object Lock is not available on this machine.');
  if (input.ObjectOwnership !== undefined && input.ObjectOwnership !== 'BucketOwnerEnforced') {
    throw s3Error('NotImplemented', 'S3 buckets with ACLs are not available on this machine.');
  }
  for (const member of Object.keys(configuration)) {
    if (member !== 'LocationConstraint' && member !== 'Tags')
      throw s3Error('NotImplemented', `S3 CreateBucket with ${member} is not available on this machine.`);
  }
  const location = configuration.LocationConstraint || 'us-east-1';
  if (location !== region) {
    const message =
      configuration.LocationConstraint === undefined
        ? 'The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.'
        : `The ${String(location).slice(0, 50)} location constraint is incompatible for the region specific endpoint this request was sent to.`;
    throw s3Error('IllegalLocationConstraintException', message);
  }
  if (store.buckets.get(name)) {
    const message = 'Your previous request to create the named bucket succeeded and you already own it.';
    throw s3Error('BucketAlreadyOwnedByYou', message, { BucketName: name });
  }
  if (store.buckets.list().length >= s3Limits.buckets) {
    throw s3Error('TooManyBuckets', 'You have attempted to create more buckets than allowed');
  }
  const tags = readTags({ TagSet: configuration.Tags ?? [] }, s3Limits.bucketTags);
  store.transaction(() => {
    store.buckets.insert({ name, region, createdAt: context.now() });
    for (const [setting, value] of Object.entries(newBucketSettings)) store.buckets.setSetting(name, setting, value);
    if (Object.keys(tags).length > 0) store.buckets.setSetting(name, 'tagging', tags);
  });
  return { Location: `/${name}`, BucketArn: `arn:aws:s3:::${name}` };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const reserved = /^(xn--|sthree-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

function checkBucketName(name: string): void {
  const isValid =
    /^[a-z0-9]([a-z0-9.-]{1,61})[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    isIP(name) === 0 &&
    !reserved.test(name);
  if (!isValid)
    throw s3Error('InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name.slice(0, 200) });
}

function listBuckets(context: S3Context, input: S3Input): S3Output {
  const { MaxBuckets, ContinuationToken, Prefix, BucketRegion } = input;
  if (
    MaxBuckets !== undefined &&
    !(Number.isInteger(MaxBuckets) && MaxBuckets >= 1 && MaxBuckets <= s3Limits.buckets)
  ) {
    throw invalidArgument(
      'max-buckets',
      MaxBuckets,
      `Argument max-buckets must be an integer between 1 and ${s3Limits.buckets}`,
    );
  }
  const behind = ContinuationToken === undefined ? '' : Buffer.from(ContinuationToken, 'base64url').toString();
  const buckets = context.store.buckets.list().filter(({ name, region }: Bucket) => {
    return name > behind && name.startsWith(Prefix ?? '') && (BucketRegion === undefined || BucketRegion === region);
  });
  const page = buckets.slice(0, MaxBuckets ?? s3Limits.buckets);
  const last = page.at(-1);
  return compact({
    Buckets: page.map(({ name, region, createdAt }) => ({
      ...{ Name: name, CreationDate: new Date(createdAt), BucketArn: `arn:aws:s3:::${name}` },
      ...((MaxBuckets ?? Prefix ?? BucketRegion) !== undefined && { BucketRegion: region }),
    })),
    Owner: context.owner,
    ContinuationToken: page.length < buckets.length && last ? Buffer.from(last.name).toString('base64url') : undefined,
    Prefix,
  });
}
