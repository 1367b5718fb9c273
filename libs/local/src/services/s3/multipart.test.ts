import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'multipart';
const MiB = 1024 ** 2;

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

async function begin(Key: string, input: object = {}): Promise<string> {
  const { UploadId = '' } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...input }));
  return UploadId;
}

async function upload(
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Uint8Array | string,
  input: object = {},
) {
  return {
    PartNumber,
    ...(await s3.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...input }))),
  };
}

type UploadedPart = { PartNumber: number; ETag?: string | undefined };
const complete = (Key: string, UploadId: string, Parts: UploadedPart[], input: object = {}) =>
  s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...input }));

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
describe('multipart uploads', () => {
  test('become one object, with the ETag of their parts', async () => {
    const Key = 'video';
    const UploadId = await begin(Key, { ContentType: 'video/mp4', Metadata: { a: 'b' }, Tagging: 'c=d' });
    const contents = [Buffer.alloc(5 * MiB, 1), Buffer.alloc(5 * MiB, 2), Buffer.from('end')];
    const parts = [];
    for (const index of [2, 0, 1]) parts.push(await upload(Key, UploadId, index + 1, contents[index] ?? ''));
    parts.sort((a, b) => a.PartNumber - b.PartNumber);
    const completed = await complete(Key, UploadId, parts);
    const md5 = (data: Uint8Array): Buffer => createHash('md5').update(data).digest();
    const ETag = `"${md5(Buffer.concat(contents.map(md5))).toString('hex')}-3"`;
    expect(completed).toMatchObject({
      ETag,
      Bucket,
      Key,
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC64NVME: expect.any(String),
    });
    const whole = await s3.client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(whole).toMatchObject({
      ETag,
      ContentType: 'video/mp4',
      Metadata: { a: 'b' },
      TagCount: 1,
      ContentLength: 10 * MiB + 3,
    });
    // The SDK compares the checksum with the content as it reads it.
    expect(Buffer.concat(contents).equals((await whole.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    const across = await s3.client.send(
      new GetObjectCommand({ Bucket, Key, Range: `bytes=${5 * MiB - 1}-${5 * MiB}` }),
    );
    expect([...((await across.Body?.transformToByteArray()) ?? [])]).toEqual([1, 2]);
    const third = await s3.client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 3 }));
    expect(third).toMatchObject({ PartsCount: 3, ContentLength: 3, $metadata: { httpStatusCode: 206 } });
    expect(await third.Body?.transformToString()).toBe('end');
    await expect(complete(Key, UploadId, parts)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test.each([
    ['CRC32', undefined, 'COMPOSITE'],
    ['CRC32C', 'FULL_OBJECT', 'FULL_OBJECT'],
    ['SHA256', undefined, 'COMPOSITE'],
    ['CRC64NVME', undefined, 'FULL_OBJECT'],
  ] as const)('have the checksum %s of the type %s: %s', async (ChecksumAlgorithm, ChecksumType, type) => {
    const Key = `checked-${ChecksumAlgorithm}`;
    const UploadId = await begin(Key, { ChecksumAlgorithm, ChecksumType });
    const parts = [
      await upload(Key, UploadId, 1, Buffer.alloc(5 * MiB), { ChecksumAlgorithm }),
      await upload(Key, UploadId, 2, 'end', { ChecksumAlgorithm }),
    ];
    const completed = await complete(Key, UploadId, parts, { ChecksumType });
    expect(completed.ChecksumType).toBe(type);
    const checksum = completed[`Checksum${ChecksumAlgorithm}`];
    expect(checksum).toMatch(type === 'COMPOSITE' ? /-2$/ : /=$/);
    const { ObjectParts } = await s3.client.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts'] }),
    );
    expect(ObjectParts).toMatchObject({
      TotalPartsCount: 2,
      Parts: [
        { PartNumber: 1, Size: 5 * MiB },
        { PartNumber: 2, Size: 3, [`Checksum${ChecksumAlgorithm}`]: expect.any(String) },
      ],
    });
    if (type === 'FULL_OBJECT') {
      await s3.client.send(
        new PutObjectCommand({
          Bucket,
          Key: 'in one',
          Body: Buffer.concat([Buffer.alloc(5 * MiB), Buffer.from('end')]),
          ChecksumAlgorithm,
        }),
      );
      const one = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'in one', ChecksumMode: 'ENABLED' }));
      expect(one[`Checksum${ChecksumAlgorithm}`]).toBe(checksum);
    }
  });

  test('are refused with parts that are too small, missing, changed or out of order', async () => {
    const Key = 'wrong';
    const UploadId = await begin(Key);
    const parts = [await upload(Key, UploadId, 1, 'small'), await upload(Key, UploadId, 2, 'small')];
    await expect(complete(Key, UploadId, parts)).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete(Key, UploadId, [...parts].reverse())).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete(Key, UploadId, [{ PartNumber: 3, ETag: 'x' }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await upload(Key, UploadId, 2, 'changed');
    await expect(complete(Key, UploadId, parts.slice(1))).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete(Key, UploadId, [])).rejects.toMatchObject({ name: 'MalformedXML' });
    await expect(upload(Key, UploadId, 10_001, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(upload('other', UploadId, 1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await complete(Key, UploadId, parts.slice(0, 1));
  });

  test('keep the conditions of the request when they are completed', async () => {
    const UploadId = await begin('conditional');
    const parts = [await upload('conditional', UploadId, 1, 'uploaded')];
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'conditional', Body: 'first' }));
    await expect(complete('conditional', UploadId, parts, { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await complete('conditional', UploadId, parts);
  });

  test('are listed until they end', async () => {
    const ids = [await begin('list/a'), await begin('list/b'), await begin('other')];
    const all = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/' }));
    expect(all.Uploads?.map(({ UploadId }) => UploadId)).toEqual(ids.slice(0, 2));
    const first = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', MaxUploads: 1 }));
    expect(first).toMatchObject({ IsTruncated: true, NextKeyMarker: 'list/a', NextUploadIdMarker: ids[0] });
    const marker = { KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker };
    const second = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'list/', ...marker }));
    expect(second.Uploads?.map(({ Key }) => Key)).toEqual(['list/b']);
    const rolledUp = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, Delimiter: '/' }));
    expect(rolledUp.CommonPrefixes).toEqual([{ Prefix: 'list/' }]);
    for (const part of [1, 2, 3]) await upload('list/a', ids[0] ?? '', part, 'x'.repeat(part));
    const list = (input: object) =>
      s3.client.send(new ListPartsCommand({ Bucket, Key: 'list/a', UploadId: ids[0], ...input }));
    expect(await list({ MaxParts: 2 })).toMatchObject({
      IsTruncated: true,
      NextPartNumberMarker: '2',
      Parts: [{ Size: 1 }, { Size: 2 }],
    });
    expect((await list({ PartNumberMarker: '2' })).Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
    await s3.client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'list/a', UploadId: ids[0] }));
    await expect(list({})).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
  test('have parts of other objects, and are copied as one', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'abcdefghij' }));
    const UploadId = await begin('copied');
    const copy = (CopySourceRange?: string) =>
      s3.client.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: 'copied',
          UploadId,
          PartNumber: 1,
          CopySource: `${Bucket}/source`,
          CopySourceRange,
        }),
      );
    await expect(copy('bytes=5-10')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(copy('bytes=5-')).rejects.toMatchObject({ name: 'InvalidArgument' });
    const { CopyPartResult } = await copy('bytes=2-4');
    await complete('copied', UploadId, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'copied' }));
    expect(await Body?.transformToString()).toBe('cde');
    const again = await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'again', CopySource: `${Bucket}/copied` }));
    expect(again.CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('cde').digest('hex')}"`);
  });
});
