import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { region, type S3UnderTest, startS3UnderTest } from './s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'objects';

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

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
describe('buckets', () => {
  test('are created in the region of the endpoint, and listed', async () => {
    const { Buckets, Owner } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    expect(await s3.client.send(new HeadBucketCommand({ Bucket }))).toMatchObject({ BucketRegion: region });
    expect(await s3.client.send(new GetBucketLocationCommand({ Bucket }))).toMatchObject({ LocationConstraint: region });
  });

  test('are refused in another region', async () => {
    const CreateBucketConfiguration = { LocationConstraint: 'us-west-2' as const };
    await expect(s3.client.send(new CreateBucketCommand({ Bucket: 'elsewhere', CreateBucketConfiguration }))).rejects.toMatchObject({
      name: 'IllegalLocationConstraintException',
    });
  });

  test('cannot be created twice', async () => {
    await expect(s3.client.send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
      $metadata: { httpStatusCode: 409 },
    });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  test.each(['UPPER', 'a..b', '192.168.0.1', 'xn--name', '-begin', 'name-s3alias'])('cannot be named %s', async (name) => {
    const response = await fetch(`${s3.url}/${name}`, { method: 'PUT' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>InvalidBucketName</Code>');
  });

  test('are deleted only when they are empty', async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: 'temporary' }));
    await s3.client.send(new PutObjectCommand({ Bucket: 'temporary', Key: 'a', Body: '-' }));
    const remove = () => s3.client.send(new DeleteBucketCommand({ Bucket: 'temporary' }));
    await expect(remove()).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await s3.client.send(new DeleteObjectCommand({ Bucket: 'temporary', Key: 'a' }));
    await remove();
    await expect(s3.client.send(new HeadBucketCommand({ Bucket: 'temporary' }))).rejects.toMatchObject({ name: 'NotFound' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
describe('objects', () => {
  test('are answered with their headers and metadata', async () => {
    const ETag = '"9a0364b9e99bb480dd25e1f0284c8555"';
    const sent = { ContentType: 'text/plain', CacheControl: 'no-store', ContentDisposition: 'inline', ContentLanguage: 'de' };
    const output = await s3.client.send(
      new PutObjectCommand({ Bucket, Key: 'a b/ü+%.txt', Body: 'content', ...sent, ContentEncoding: 'identity', Metadata: { colour: 'green' } }),
    );
    expect(output).toMatchObject({ ETag, ServerSideEncryption: 'AES256', ChecksumType: 'FULL_OBJECT' });
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'a b/ü+%.txt' }));
    expect(got).toMatchObject({ ...sent, ETag, ContentEncoding: 'identity', Metadata: { colour: 'green' }, ContentLength: 7 });
    expect(got.LastModified).toEqual(new Date(s3.clock.now()));
    expect(await got.Body?.transformToString()).toBe('content');
  });

  test('have the content type binary/octet-stream without one, and no version in a bucket without versions', async () => {
    const response = await s3.s3.call('PutObject', { Bucket, Key: 'untyped', Body: 'x' });
    expect(response).not.toHaveProperty('VersionId');
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'untyped' }));
    expect(head).toMatchObject({ ContentType: 'binary/octet-stream', AcceptRanges: 'bytes' });
    expect(head.VersionId).toBeUndefined();
  });

  test('are sent as streams in chunks, with the checksum behind them', async () => {
    const stream = (async function* () {
      for (let part = 0; part < 40; part += 1) yield Buffer.alloc(10_000, part);
    })();
    const sent = new PutObjectCommand({ Bucket, Key: 'stream', Body: Readable.from(stream), ContentLength: 400_000, ChecksumAlgorithm: 'CRC32C' });
    const { ChecksumCRC32C } = await s3.client.send(sent);
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }));
    expect(got.ChecksumCRC32C).toBe(ChecksumCRC32C);
    // The SDK compares the checksum with the content as it reads it.
    expect((await got.Body?.transformToByteArray())?.length).toBe(400_000);
    expect(got.ContentEncoding).toBeUndefined();
  });

  // The values of "123456789": https://reveng.sourceforge.io/crc-catalogue/all.htm
  test.each([
    ['CRC32', 'y/Q5Jg=='],
    ['CRC32C', '4waSgw=='],
    ['CRC64NVME', 'rosUhgp5mIg='],
    ['SHA1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
    ['SHA256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
  ] as const)('have the checksum %s', async (ChecksumAlgorithm, value) => {
    const output = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '123456789', ChecksumAlgorithm }));
    expect(output).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: value });
    const attributes = await s3.client.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'digits', ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag'] }),
    );
    expect(attributes).toMatchObject({ ObjectSize: 9, ETag: '25f9e794323b453885f5181f1b624d0b', Checksum: { [`Checksum${ChecksumAlgorithm}`]: value } });
  });

  test('are refused with another checksum, MD5 or length than they have, and then not kept', async () => {
    const wrong = (headers: Record<string, string>) => fetch(`${s3.url}/${Bucket}/wrong`, { method: 'PUT', body: 'content', headers });
    const code = async (headers: Record<string, string>) => /<Code>(\w+)/.exec(await (await wrong(headers)).text())?.[1];
    expect(await code({ 'x-amz-checksum-crc32': 'AAAAAA==' })).toBe('BadDigest');
    expect(await code({ 'x-amz-checksum-crc32': 'AAAA' })).toBe('InvalidRequest');
    expect(await code({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' })).toBe('InvalidRequest');
    expect(await code({ 'content-md5': Buffer.alloc(16).toString('base64') })).toBe('BadDigest');
    expect(await code({ 'content-md5': 'short' })).toBe('InvalidDigest');
    expect(await code({ 'x-amz-content-sha256': '0'.repeat(64) })).toBe('XAmzContentSHA256Mismatch');
    expect(await code({ 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' })).toBe('NotImplemented');
    await expect(read('wrong')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
  test('have keys of at most 1,024 bytes, and metadata of at most 2 KB', async () => {
    await put('ä'.repeat(512));
    expect(await read('ä'.repeat(512))).toBe('content');
    await expect(put(`${'ä'.repeat(512)}a`)).rejects.toMatchObject({ name: 'KeyTooLongError' });
    const large = new PutObjectCommand({ Bucket, Key: 'large', Body: '-', Metadata: { a: 'x'.repeat(2048) } });
    await expect(s3.client.send(large)).rejects.toMatchObject({ name: 'MetadataTooLarge' });
  });

  test.each(['a//b', '../up', './here', 'a/../b', 'trailing/', '/leading', '%2F', 'new\nline'])('have the key %j as it is', async (key) => {
    await s3.s3.call('PutObject', { Bucket, Key: key, Body: key });
    expect(await read(key)).toBe(key);
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: key }));
  });

  test('are missing with the errors that SDKs know', async () => {
    await expect(read('missing')).rejects.toMatchObject({ name: 'NoSuchKey', Key: 'missing' });
    await expect(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'missing' }))).rejects.toMatchObject({ name: 'NotFound' });
    await expect(s3.client.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'a' }))).rejects.toMatchObject({ name: 'NoSuchBucket' });
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    const ofOthers = new GetObjectCommand({ Bucket, Key: 'untyped', ExpectedBucketOwner: '111111111111' });
    await expect(s3.client.send(ofOthers)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

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

  test('refuse a range behind the end, and ignore one that is none', async () => {
    const behind = new GetObjectCommand({ Bucket, Key: 'alphabet', Range: 'bytes=26-' });
    await expect(s3.client.send(behind)).rejects.toMatchObject({ name: 'InvalidRange', $metadata: { httpStatusCode: 416 } });
    const several = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'alphabet', Range: 'bytes=0-1,3-4' }));
    expect(several.ContentLength).toBe(26);
  });

  test('keep their conditions, If-Match before If-Unmodified-Since', async () => {
    const { ETag, LastModified = new Date() } = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'alphabet' }));
    const get = (conditions: object) => s3.client.send(new GetObjectCommand({ Bucket, Key: 'alphabet', ...conditions }));
    const before = new Date(LastModified.getTime() - 1000);
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfModifiedSince: LastModified })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(get({ IfUnmodifiedSince: before })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await get({ IfMatch: ETag, IfUnmodifiedSince: before })).ContentLength).toBe(26);
    expect((await get({ IfNoneMatch: '"other"', IfModifiedSince: LastModified })).ContentLength).toBe(26);
  });

  test('have the headers that the request asks for', async () => {
    const command = new GetObjectCommand({ Bucket, Key: 'alphabet', ResponseContentType: 'text/csv', ResponseContentDisposition: 'attachment' });
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
    const write = (body: string) => s3.client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: body, IfNoneMatch: '*' }));
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(write));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(write('e')).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
  });

  test('with If-Match replace what they have seen', async () => {
    await put('seen', '1');
    const write = (IfMatch: string | undefined, Key = 'seen') => s3.client.send(new PutObjectCommand({ Bucket, Key, Body: '2', IfMatch }));
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

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
describe('copies', () => {
  beforeAll(async () => {
    const source = { Bucket, Key: 'source ä', Body: 'copied', ContentType: 'text/plain', Metadata: { from: 'source' }, Tagging: 'a=1' };
    await s3.client.send(new PutObjectCommand(source));
  });

  const CopySource = encodeURI(`${Bucket}/source ä`);
  const copy = (input: object) => s3.client.send(new CopyObjectCommand({ Bucket, CopySource, Key: 'copy', ...input }));

  test('have the metadata and tags of the source, or those of the request', async () => {
    const { CopyObjectResult } = await copy({});
    expect(CopyObjectResult).toMatchObject({ ETag: `"${createHash('md5').update('copied').digest('hex')}"` });
    expect(await s3.client.send(new GetObjectCommand({ Bucket, Key: 'copy' }))).toMatchObject({ ContentType: 'text/plain', Metadata: { from: 'source' }, TagCount: 1 });
    await copy({ MetadataDirective: 'REPLACE', ContentType: 'text/html', TaggingDirective: 'REPLACE', Tagging: 'b=1&c=2' });
    const head = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    expect(head).toMatchObject({ ContentType: 'text/html', Metadata: {}, TagCount: 2 });
    expect(await head.Body?.transformToString()).toBe('copied');
  });

  test('are kept when their source is deleted', async () => {
    await put('short-lived', 'still here');
    await s3.client.send(new CopyObjectCommand({ Bucket, CopySource: `${Bucket}/short-lived`, Key: 'long-lived' }));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'short-lived' }));
    expect(await read('long-lived')).toBe('still here');
  });

  test('of an object onto itself must change it', async () => {
    await expect(copy({ Key: 'source ä' })).rejects.toMatchObject({ name: 'InvalidRequest' });
    await copy({ Key: 'source ä', MetadataDirective: 'REPLACE', ContentType: 'text/plain', Metadata: { from: 'source' } });
    expect(await read('source ä')).toBe('copied');
  });

  test('keep the conditions on their source', async () => {
    await expect(copy({ CopySourceIfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(copy({ CopySource: `${Bucket}/missing` })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
describe('deletes of several objects', () => {
  test('tell of each, and take those that are not there for deleted', async () => {
    await put('one');
    const Objects = [{ Key: 'one' }, { Key: 'not there' }, { Key: 'x'.repeat(1025) }];
    const { Deleted, Errors } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toEqual([{ Key: 'one' }, { Key: 'not there' }]);
    expect(Errors).toMatchObject([{ Code: 'KeyTooLongError' }]);
    const quiet = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'one' }], Quiet: true } }));
    expect(quiet.Deleted).toBeUndefined();
  });

  test('must have a checksum, and at most 1,000 keys', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const response = await fetch(`${s3.url}/${Bucket}?delete`, { method: 'POST', body });
    expect(await response.text()).toContain('Missing required header for this request: Content-MD5');
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }));
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects } });
    await expect(s3.client.send(command)).rejects.toMatchObject({ name: 'MalformedXML' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
describe('listings', () => {
  const listed = 'listings';
  const keys = ['a.txt', 'photos/2006/a.jpg', 'photos/2006/b.jpg', 'photos/2007/a.jpg', 'photos/index.html', 'z.txt', 'é', '\u{ffee}', '\u{1f600}'];

  beforeAll(async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: listed }));
    for (const Key of [...keys].reverse()) await s3.s3.call('PutObject', { Bucket: listed, Key, Body: Key });
  });

  async function all(input: object): Promise<{ keys: (string | undefined)[]; prefixes: (string | undefined)[]; pages: number }> {
    const result = { keys: [] as (string | undefined)[], prefixes: [] as (string | undefined)[], pages: 0 };
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.client.send(new ListObjectsV2Command({ Bucket: listed, ContinuationToken, ...input }));
      result.keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
      result.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      result.pages += 1;
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken);
    return result;
  }

  test('are in the order of UTF-8 bytes, page by page', async () => {
    expect(await all({})).toEqual({ keys, prefixes: [], pages: 1 });
    expect(await all({ MaxKeys: 2 })).toEqual({ keys, prefixes: [], pages: 5 });
    expect((await all({ StartAfter: 'photos/index.html' })).keys).toEqual(keys.slice(5));
    expect((await all({ Prefix: 'photos/2006/' })).keys).toEqual(keys.slice(1, 3));
  });

  test('roll keys up to common prefixes, which count as one', async () => {
    const top = { keys: ['a.txt', ...keys.slice(5)], prefixes: ['photos/'] };
    expect(await all({ Delimiter: '/' })).toMatchObject(top);
    expect(await all({ Delimiter: '/', MaxKeys: 1 })).toEqual({ ...top, pages: 6 });
    const photos = await all({ Delimiter: '/', Prefix: 'photos/' });
    expect(photos).toMatchObject({ keys: ['photos/index.html'], prefixes: ['photos/2006/', 'photos/2007/'] });
  });

  test('have counts, sizes and, on request, encoded keys and owners', async () => {
    await s3.s3.call('PutObject', { Bucket: listed, Key: 'zz +\u0001', Body: '' });
    const page = await s3.client.send(
      new ListObjectsV2Command({ Bucket: listed, Prefix: 'zz', EncodingType: 'url', FetchOwner: true }),
    );
    expect(page).toMatchObject({ KeyCount: 1, EncodingType: 'url' });
    expect(page.Contents).toMatchObject([{ Key: 'zz+%2B%01', Size: 0, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC64NVME'] }]);
    expect(page.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    await s3.client.send(new DeleteObjectCommand({ Bucket: listed, Key: 'zz +\u0001' }));
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
  test('of version 1 go on at a marker, which may be a common prefix', async () => {
    const list = (input: object) => s3.client.send(new ListObjectsCommand({ Bucket: listed, Delimiter: '/', ...input }));
    const first = await list({ MaxKeys: 2 });
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'photos/', CommonPrefixes: [{ Prefix: 'photos/' }] });
    const second = await list({ Marker: first.NextMarker });
    expect(second.CommonPrefixes).toBeUndefined();
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(keys.slice(5));
  });

  test('refuse a token that is none', async () => {
    await expect(all({ ContinuationToken: 'garbage' })).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
