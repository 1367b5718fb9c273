import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'at-once';
const times = <T>(count: number, what: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => what(i));

/** How many calls went well, and the names of the errors of the others. */
async function outcomes(calls: readonly Promise<unknown>[]): Promise<{ successes: number; errors: string[] }> {
  const settled = await Promise.allSettled(calls);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).name] : []));
  return { successes: settled.length - errors.length, errors: [...new Set(errors)] };
}

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
  await s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
test('of writes at once that want to be the first, one is', async () => {
  const claim = (index: number) =>
    s3.client.send(new PutObjectCommand({ Bucket, Key: 'claim', Body: `claim ${index}`, IfNoneMatch: '*' }));
  expect(await outcomes(times(10, claim))).toEqual({ successes: 1, errors: ['PreconditionFailed'] });
});

test('an upload that is completed several times at once is one version', async () => {
  const Key = 'upload';
  const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = { Bucket, Key, UploadId, PartNumber: 1 };
  const { ETag } = await s3.client.send(new UploadPartCommand({ ...part, Body: 'a part' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const complete = () => s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  expect(await outcomes(times(4, complete))).toEqual({ successes: 1, errors: ['NoSuchUpload'] });
  const { Versions } = await s3.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  expect(Versions).toHaveLength(1);
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe('a part');
});

test('a reader gets the whole of what it began to read, though it is deleted meanwhile', async () => {
  const content = Buffer.alloc(8 * 1024 ** 2, 'x');
  const { VersionId } = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'read', Body: content }));
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'read' }));
  await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'read', VersionId }));
  expect((await Body?.transformToByteArray())?.length).toBe(content.length);
  await expect(s3.client.send(new GetObjectCommand({ Bucket, Key: 'read' }))).rejects.toMatchObject({
    name: 'NoSuchKey',
  });
});

test('an object that is on its way when its bucket is deleted is refused', async () => {
  const other = 'at-once-deleted';
  await s3.client.send(new CreateBucketCommand({ Bucket: other }));
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
  async function* slowly(): AsyncIterable<Uint8Array> {
    yield Buffer.from('one half, ');
    begun();
    await mayGoOn;
    yield Buffer.from('and the other');
  }
  const put = s3.s3.call('PutObject', { Bucket: other, Key: 'late', Body: slowly() });
  await hasBegun;
  await s3.client.send(new DeleteBucketCommand({ Bucket: other }));
  goOn();
  await expect(put).rejects.toMatchObject({ code: 'NoSuchBucket' });
  await s3.client.send(new CreateBucketCommand({ Bucket: other }));
  const { Versions } = await s3.client.send(new ListObjectVersionsCommand({ Bucket: other }));
  expect(Versions).toBeUndefined();
});

test('an upload keeps its parts when the deletion of its bucket is rolled back', async () => {
  const other = 'at-once-kept';
  await s3.client.send(new CreateBucketCommand({ Bucket: other }));
  const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket: other, Key: 'upload' }));
  const part = { Bucket: other, Key: 'upload', UploadId, PartNumber: 1 };
  const { ETag } = await s3.client.send(new UploadPartCommand({ ...part, Body: 'a part' }));
  const { database } = s3.s3.store;
  database.exec(`CREATE TRIGGER full BEFORE DELETE ON buckets BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
  await expect(s3.s3.call('DeleteBucket', { Bucket: other })).rejects.toThrow('disk is full');
  database.exec('DROP TRIGGER full');
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await s3.client.send(new CompleteMultipartUploadCommand({ Bucket: other, Key: 'upload', UploadId, MultipartUpload }));
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: other, Key: 'upload' }));
  expect(await Body?.transformToString()).toBe('a part');
});
