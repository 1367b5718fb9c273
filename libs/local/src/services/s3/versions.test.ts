import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'versioned';
const Key = 'document';

beforeEach(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

const versioning = (Status: 'Enabled' | 'Suspended') =>
  s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = async (Body: string, key = Key) =>
  (await s3.client.send(new PutObjectCommand({ Bucket, Key: key, Body }))).VersionId;
const remove = (VersionId?: string) => s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
const versions = async () => {
  const { Versions = [], DeleteMarkers = [] } = await s3.client.send(new ListObjectVersionsCommand({ Bucket }));
  return {
    versions: Versions.map(({ VersionId }) => VersionId),
    markers: DeleteMarkers.map(({ VersionId }) => VersionId),
  };
};

async function read(VersionId?: string): Promise<string | undefined> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return Body?.transformToString();
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
describe('a bucket with versions', () => {
  test('keeps each version of an object, and the one from before with the id null', async () => {
    expect(await put('zero')).toBeUndefined();
    await versioning('Enabled');
    const [one, two] = [await put('one'), await put('two')];
    expect(one).not.toBe(two);
    expect(await versions()).toEqual({ versions: [two, one, 'null'], markers: [] });
    expect([await read(), await read(one), await read('null')]).toEqual(['two', 'one', 'zero']);
    const { Contents } = await s3.client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents).toHaveLength(1);
    await expect(read('other')).rejects.toMatchObject({ name: 'NoSuchVersion' });
  });

  test('has a delete marker in place of a deleted object, until the marker is deleted', async () => {
    await versioning('Enabled');
    const one = await put('one');
    const { VersionId: marker, DeleteMarker } = await remove();
    expect(DeleteMarker).toBe(true);
    const response = await s3.send(`${s3.url}/${Bucket}/${Key}`);
    expect([
      response.status,
      response.headers.get('x-amz-delete-marker'),
      response.headers.get('x-amz-version-id'),
    ]).toEqual([404, 'true', marker]);
    const ofMarker = await s3.send(`${s3.url}/${Bucket}/${Key}?versionId=${marker}`);
    expect([ofMarker.status, ofMarker.headers.get('allow')]).toEqual([405, 'DELETE']);
    expect((await s3.client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    expect(await versions()).toEqual({ versions: [one], markers: [marker] });
    await expect(s3.client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    expect(await remove(marker)).toMatchObject({ DeleteMarker: true, VersionId: marker });
    expect(await read()).toBe('one');
  });

  test('loses the versions that a request names, and the one before is the latest again', async () => {
    await versioning('Enabled');
    const [one, two] = [await put('one'), await put('two')];
    expect(await remove(two)).toMatchObject({ VersionId: two });
    expect(await read()).toBe('one');
    const Objects = [{ Key, VersionId: one }];
    const { Deleted } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toEqual(Objects);
    await s3.client.send(new DeleteBucketCommand({ Bucket }));
  });

  test('that is suspended replaces the version with the id null, and keeps the others', async () => {
    await versioning('Enabled');
    const one = await put('one');
    await versioning('Suspended');
    expect(await put('two')).toBe('null');
    expect(await put('three')).toBe('null');
    expect(await versions()).toEqual({ versions: ['null', one], markers: [] });
    expect(await remove()).toMatchObject({ VersionId: 'null', DeleteMarker: true });
    expect(await versions()).toEqual({ versions: [one], markers: ['null'] });
    await remove('null');
    expect(await read()).toBe('one');
  });

  test('has tags for each version, and copies the version that the source names', async () => {
    await versioning('Enabled');
    const { VersionId: one } = await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: 'one', Tagging: 'a=1' }));
    await put('two');
    expect((await s3.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
    expect((await s3.client.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId: one }))).TagSet).toHaveLength(1);
    const copied = await s3.client.send(
      new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}?versionId=${one}` }),
    );
    expect(copied.CopySourceVersionId).toBe(one);
    expect(await read()).toBe('one');
    expect((await s3.client.send(new HeadObjectCommand({ Bucket, Key }))).VersionId).toBe(copied.VersionId);
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
  test('lists versions by page, also in the middle of a key', async () => {
    await versioning('Enabled');
    const expected = [];
    for (const key of ['a', 'b/1', 'b/2', 'c']) {
      const ids = [await put('1', key), await put('2', key)];
      expected.push(...ids.reverse());
    }
    const listed: (string | undefined)[] = [];
    let markers: object = {};
    for (;;) {
      const page = await s3.client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 3, ...markers }));
      listed.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId));
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(listed).toEqual(expected);
    const rolledUp = await s3.client.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/', MaxKeys: 3 }));
    expect(rolledUp).toMatchObject({ IsTruncated: true, NextKeyMarker: 'b/', CommonPrefixes: [{ Prefix: 'b/' }] });
    const rest = await s3.client.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/', KeyMarker: 'b/' }));
    expect(rest.Versions?.map(({ Key: key }) => key)).toEqual(['c', 'c']);
  });
});
