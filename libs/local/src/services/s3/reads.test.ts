import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'reads';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

async function put(Key: string, Body = 'content'): Promise<void> {
  await s3.client.send(new PutObjectCommand({ Bucket, Key, Body }));
}

async function read(Key: string): Promise<string | undefined> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
  return Body?.transformToString();
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
describe('reads', () => {
  beforeAll(() => put('alphabet', 'abcdefghijklmnopqrstuvwxyz'));

  test.each([
    ['bytes=0-3', 'abcd', 'bytes 0-3/26'],
    ['bytes=23-', 'xyz', 'bytes 23-25/26'],
    ['bytes=-2', 'yz', 'bytes 24-25/26'],
    ['bytes=20-99', 'uvwxyz', 'bytes 20-25/26'],
    ['bytes=-99', 'abcdefghijklmnopqrstuvwxyz', 'bytes 0-25/26'],
  ])('have the range %s', async (Range, content, ContentRange) => {
    const { Body, ...output } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'alphabet', Range }));
    expect(output).toMatchObject({ ContentRange, ContentLength: content.length, $metadata: { httpStatusCode: 206 } });
    expect(await Body?.transformToString()).toBe(content);
  });

  test('refuse a range behind the end, and ignore one that is not valid', async () => {
    const behind = new GetObjectCommand({ Bucket, Key: 'alphabet', Range: 'bytes=26-' });
    await expect(s3.client.send(behind)).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
    const several = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'alphabet', Range: 'bytes=0-1,3-4' }));
    expect(several.ContentLength).toBe(26);
  });

  test('keep their conditions, If-Match before If-Unmodified-Since', async () => {
    const { ETag, LastModified = new Date() } = await s3.client.send(
      new HeadObjectCommand({ Bucket, Key: 'alphabet' }),
    );
    const get = (conditions: object) =>
      s3.client.send(new GetObjectCommand({ Bucket, Key: 'alphabet', ...conditions }));
    const before = new Date(LastModified.getTime() - 1000);
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfModifiedSince: LastModified })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(get({ IfUnmodifiedSince: before })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await get({ IfMatch: ETag, IfUnmodifiedSince: before })).ContentLength).toBe(26);
    expect((await get({ IfNoneMatch: '"other"', IfModifiedSince: LastModified })).ContentLength).toBe(26);
  });

  test('have the headers that the request asks for', async () => {
    const command = new GetObjectCommand({
      Bucket,
      Key: 'alphabet',
      ResponseContentType: 'text/csv',
      ResponseContentDisposition: 'attachment',
    });
    expect(await s3.client.send(command)).toMatchObject({ ContentType: 'text/csv', ContentDisposition: 'attachment' });
  });

  test('go on with the content that they have begun with, when the object is replaced', async () => {
    await put('replaced', 'first');
    const output = await s3.s3.call('GetObject', { Bucket, Key: 'replaced' });
    await put('replaced', 'second');
    const chunks: Uint8Array[] = [];
    for await (const chunk of output.Body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('first');
    expect(await read('replaced')).toBe('second');
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
describe('conditional writes', () => {
  test('with If-None-Match: * create an object once, even if several come at the same time', async () => {
    const write = (body: string) =>
      s3.client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: body, IfNoneMatch: '*' }));
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(write));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(write('e')).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });

  test('with If-Match replace what they have seen', async () => {
    await put('seen', '1');
    const write = (IfMatch: string | undefined, Key = 'seen') =>
      s3.client.send(new PutObjectCommand({ Bucket, Key, Body: '2', IfMatch }));
    const { ETag } = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'seen' }));
    await write(ETag);
    await expect(write(ETag)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(write(ETag, 'never')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('with If-Match delete what they have seen', async () => {
    await put('deleted', '1');
    const remove = (IfMatch: string) => s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'deleted', IfMatch }));
    await expect(remove('"other"')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await read('deleted')).toBe('1');
    await remove('"c4ca4238a0b923820dcc509a6f75849b"');
    await expect(read('deleted')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});
