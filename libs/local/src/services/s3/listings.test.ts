import { CreateBucketCommand, DeleteObjectCommand, ListObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;

beforeAll(async () => {
  s3 = await startS3UnderTest();
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
describe('listings', () => {
  const listed = 'listings';
  const keys = [
    'a.txt',
    'photos/2006/a.jpg',
    'photos/2006/b.jpg',
    'photos/2007/a.jpg',
    'photos/index.html',
    'z.txt',
    'é',
    '\u{ffee}',
    '\u{1f600}',
  ];

  beforeAll(async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: listed }));
    for (const Key of [...keys].reverse()) await s3.s3.call('PutObject', { Bucket: listed, Key, Body: Key });
  });

  async function all(
    input: object,
  ): Promise<{ keys: (string | undefined)[]; prefixes: (string | undefined)[]; pages: number }> {
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
    expect(page.Contents).toMatchObject([
      { Key: 'zz+%2B%01', Size: 0, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC64NVME'] },
    ]);
    expect(page.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    const plain = await s3.client.send(new ListObjectsV2Command({ Bucket: listed, Prefix: 'zz' }));
    expect(plain.Contents?.[0]?.Key).toBe('zz +\u0001');
    await s3.client.send(new DeleteObjectCommand({ Bucket: listed, Key: 'zz +\u0001' }));
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
  test('of version 1 go on at a marker, which may be a common prefix', async () => {
    const list = (input: object) =>
      s3.client.send(new ListObjectsCommand({ Bucket: listed, Delimiter: '/', ...input }));
    const first = await list({ MaxKeys: 2 });
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'photos/', CommonPrefixes: [{ Prefix: 'photos/' }] });
    const second = await list({ Marker: first.NextMarker });
    expect(second.CommonPrefixes).toBeUndefined();
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(keys.slice(5));
  });

  test('refuse an invalid token', async () => {
    await expect(all({ ContinuationToken: 'garbage' })).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
