import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'lifecycle';
const DAY = 86_400_000;
const HOUR = 3_600_000;

beforeEach(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

async function configure(...rules: Omit<LifecycleRule, 'Status'>[]): Promise<void> {
  const Rules = rules.map((rule) => ({ Status: 'Enabled' as const, ...rule }));
  await s3.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
}

const put = async (Key: string, input: object = {}) =>
  (await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: 'content', ...input }))).VersionId;
const keys = async () =>
  ((await s3.client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
describe('lifecycle rules', () => {
  test('delete objects at the midnight after their days have passed, and tell of it', async () => {
    await configure({ Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } });
    const NotificationConfiguration = { EventBridgeConfiguration: {} };
    await s3.client.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    await put('logs/a');
    await put('kept');
    // Created at 12:00: a day later is the next noon, and the midnight after it is 36 hours away.
    await s3.clock.advance(DAY + 11 * HOUR);
    expect(await keys()).toEqual(['kept', 'logs/a']);
    await s3.clock.advance(HOUR);
    expect(await keys()).toEqual(['kept']);
    await eventually(() => expect(s3.delivered).toHaveLength(3));
    expect(s3.delivered.at(-1)?.payload).toMatchObject({
      'detail-type': 'Object Deleted',
      detail: { reason: 'Lifecycle Expiration', requester: 's3.amazonaws.com', object: { key: 'logs/a' } },
    });
  });

  test('choose by tags and size', async () => {
    const Tags = [{ Key: 'temporary', Value: 'yes' }];
    await configure({
      Filter: { And: { Tags, ObjectSizeGreaterThan: 3 } },
      Expiration: { Date: new Date('2026-03-02T00:00:00Z') },
    });
    await put('tagged', { Tagging: 'temporary=yes&other=1' });
    await put('small', { Tagging: 'temporary=yes', Body: 'x' });
    await put('plain');
    await s3.clock.advance(DAY);
    expect(await keys()).toEqual(['plain', 'small']);
  });

  test('leave a delete marker in a bucket with versions, and delete old versions and lonely markers', async () => {
    await s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    await configure(
      { ID: 'versions', Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 2, NewerNoncurrentVersions: 1 } },
      { ID: 'markers', Filter: {}, Expiration: { ExpiredObjectDeleteMarker: true } },
    );
    const ids = [await put('a'), await put('a'), await put('a')];
    const versions = async () => {
      const { Versions = [], DeleteMarkers = [] } = await s3.client.send(new ListObjectVersionsCommand({ Bucket }));
      return { versions: Versions.map(({ VersionId }) => VersionId), markers: DeleteMarkers.length };
    };
    await s3.clock.advance(3 * DAY);
    expect(await versions()).toEqual({ versions: [ids[2], ids[1]], markers: 0 });
    await configure({ Filter: {}, Expiration: { Days: 1 } });
    await s3.clock.advance(DAY);
    expect(await versions()).toEqual({ versions: [ids[2], ids[1]], markers: 1 });
    for (const VersionId of ids.slice(1))
      await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }));
    await configure({ Filter: {}, Expiration: { ExpiredObjectDeleteMarker: true } });
    await s3.clock.advance(DAY);
    expect(await versions()).toEqual({ versions: [], markers: 0 });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
  test('move objects to another storage class', async () => {
    await configure({
      Filter: {},
      Transitions: [
        { Days: 30, StorageClass: 'STANDARD_IA' },
        { Days: 60, StorageClass: 'GLACIER' },
      ],
    });
    await put('a');
    const storageClass = async () => (await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).StorageClass;
    await s3.clock.advance(31 * DAY);
    expect(await storageClass()).toBe('STANDARD_IA');
    await s3.clock.advance(31 * DAY);
    expect(await storageClass()).toBe('GLACIER');
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html
  test('abort uploads that are not completed', async () => {
    await configure({ Filter: { Prefix: 'a' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
    for (const Key of ['a', 'b']) await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await s3.clock.advance(2 * DAY);
    const { Uploads } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(['b']);
  });

  test('run at the start as well, for the midnights in between and not for later ones', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 's3-lifecycle-'));
    const noon = Date.parse('2026-03-01T12:00:00Z');
    const start = (now: number) => startS3UnderTest({ dataDirectory, now });
    const listed = async ({ s3: { call } }: S3UnderTest) => (await call('ListObjectsV2', { Bucket })).KeyCount;
    {
      await using first = await start(noon);
      const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' };
      await first.s3.call('CreateBucket', { Bucket, CreateBucketConfiguration });
      const Rules = [{ Status: 'Enabled', Filter: {}, Expiration: { Days: 1 } }];
      await first.s3.call('PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules } });
      await first.s3.call('PutObject', { Bucket, Key: 'a', Body: 'x' });
    }
    {
      await using tooEarly = await start(noon + DAY + HOUR);
      expect(await listed(tooEarly)).toBe(1);
    }
    await using later = await start(noon + 2 * DAY);
    expect(await listed(later)).toBe(0);
    await rm(dataDirectory, { recursive: true });
  });

  test('that are disabled do nothing', async () => {
    await s3.client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: [{ Status: 'Disabled', Filter: {}, Expiration: { Days: 1 } }] },
      }),
    );
    await put('a');
    await s3.clock.advance(10 * DAY);
    expect(await keys()).toEqual(['a']);
  });
});
