import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { region, type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

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
    expect(await s3.client.send(new GetBucketLocationCommand({ Bucket }))).toMatchObject({
      LocationConstraint: region,
    });
  });

  test('are refused in another region', async () => {
    const CreateBucketConfiguration = { LocationConstraint: 'us-west-2' as const };
    await expect(
      s3.client.send(new CreateBucketCommand({ Bucket: 'elsewhere', CreateBucketConfiguration })),
    ).rejects.toMatchObject({
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
  test.each(['UPPER', 'a..b', '192.168.0.1', 'xn--name', '-begin', 'name-s3alias'])(
    'cannot be named %s',
    async (name) => {
      const response = await s3.send(`${s3.url}/${name}`, { method: 'PUT' });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('<Code>InvalidBucketName</Code>');
    },
  );

  test('are deleted only when they are empty', async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: 'temporary' }));
    await s3.client.send(new PutObjectCommand({ Bucket: 'temporary', Key: 'a', Body: '-' }));
    const remove = () => s3.client.send(new DeleteBucketCommand({ Bucket: 'temporary' }));
    await expect(remove()).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await s3.client.send(new DeleteObjectCommand({ Bucket: 'temporary', Key: 'a' }));
    await remove();
    await expect(s3.client.send(new HeadBucketCommand({ Bucket: 'temporary' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
describe('objects', () => {
  test('are answered with their headers and metadata', async () => {
    const ETag = '"9a0364b9e99bb480dd25e1f0284c8555"';
    const sent = {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'inline',
      ContentLanguage: 'de',
    };
    const output = await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a b/ü+%.txt',
        Body: 'content',
        ...sent,
        ContentEncoding: 'identity',
        Metadata: { colour: 'green' },
      }),
    );
    expect(output).toMatchObject({ ETag, ServerSideEncryption: 'AES256', ChecksumType: 'FULL_OBJECT' });
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'a b/ü+%.txt' }));
    expect(got).toMatchObject({
      ...sent,
      ETag,
      ContentEncoding: 'identity',
      Metadata: { colour: 'green' },
      ContentLength: 7,
    });
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
    const sent = new PutObjectCommand({
      Bucket,
      Key: 'stream',
      Body: Readable.from(stream),
      ContentLength: 400_000,
      ChecksumAlgorithm: 'CRC32C',
    });
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
    const output = await s3.client.send(
      new PutObjectCommand({ Bucket, Key: 'digits', Body: '123456789', ChecksumAlgorithm }),
    );
    expect(output).toMatchObject({ [`Checksum${ChecksumAlgorithm}`]: value });
    const attributes = await s3.client.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'digits', ObjectAttributes: ['Checksum', 'ObjectSize', 'ETag'] }),
    );
    expect(attributes).toMatchObject({
      ObjectSize: 9,
      ETag: '25f9e794323b453885f5181f1b624d0b',
      Checksum: { [`Checksum${ChecksumAlgorithm}`]: value },
    });
  });

  test('are refused with another checksum, MD5 or length than they have, and then not kept', async () => {
    const wrong = (headers: Record<string, string>) =>
      s3.send(`${s3.url}/${Bucket}/wrong`, { method: 'PUT', body: 'content', headers });
    const code = async (headers: Record<string, string>) =>
      /<Code>(\w+)/.exec(await (await wrong(headers)).text())?.[1];
    expect(await code({ 'x-amz-checksum-crc32': 'AAAAAA==' })).toBe('BadDigest');
    expect(await code({ 'x-amz-checksum-crc32': 'AAAA' })).toBe('InvalidRequest');
    expect(await code({ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' })).toBe(
      'InvalidRequest',
    );
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
    // The answer could not have such a header.
    const response = await s3.send(`${s3.url}/${Bucket}/unreadable?x-amz-meta-(a=b`, { method: 'PUT', body: 'x' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('InvalidArgument')]);
  });

  test.each(['a//b', '../up', './here', 'a/../b', 'trailing/', '/leading', '%2F', 'new\nline'])(
    'have the key %j as it is',
    async (key) => {
      await s3.s3.call('PutObject', { Bucket, Key: key, Body: key });
      expect(await read(key)).toBe(key);
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key: key }));
    },
  );

  test('are missing with the errors that SDKs know', async () => {
    await expect(read('missing')).rejects.toMatchObject({ name: 'NoSuchKey', Key: 'missing' });
    await expect(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'missing' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect(s3.client.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'a' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    const ofOthers = new GetObjectCommand({ Bucket, Key: 'untyped', ExpectedBucketOwner: '111111111111' });
    await expect(s3.client.send(ofOthers)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
describe('copies', () => {
  beforeAll(async () => {
    const source = {
      Bucket,
      Key: 'source ä',
      Body: 'copied',
      ContentType: 'text/plain',
      Metadata: { from: 'source' },
      Tagging: 'a=1',
    };
    await s3.client.send(new PutObjectCommand(source));
  });

  const CopySource = encodeURI(`${Bucket}/source ä`);
  const copy = (input: object) => s3.client.send(new CopyObjectCommand({ Bucket, CopySource, Key: 'copy', ...input }));

  test('have the metadata and tags of the source, or those of the request', async () => {
    const { CopyObjectResult } = await copy({});
    expect(CopyObjectResult).toMatchObject({ ETag: `"${createHash('md5').update('copied').digest('hex')}"` });
    expect(await s3.client.send(new GetObjectCommand({ Bucket, Key: 'copy' }))).toMatchObject({
      ContentType: 'text/plain',
      Metadata: { from: 'source' },
      TagCount: 1,
    });
    await copy({
      MetadataDirective: 'REPLACE',
      ContentType: 'text/html',
      TaggingDirective: 'REPLACE',
      Tagging: 'b=1&c=2',
    });
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
    await copy({
      Key: 'source ä',
      MetadataDirective: 'REPLACE',
      ContentType: 'text/plain',
      Metadata: { from: 'source' },
    });
    expect(await read('source ä')).toBe('copied');
  });

  test('keep the conditions on their source', async () => {
    await expect(copy({ CopySourceIfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(copy({ CopySource: `${Bucket}/missing` })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});
