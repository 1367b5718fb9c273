import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';
import type { DeclaredResource, Host } from '../../core/service.ts';
import { s3Access } from './access.ts';
import { summarizeBuckets } from './console.ts';
import { s3ResourceTypes } from './resource-types.ts';
import { s3MeterOf } from './usage.ts';

let s3: S3UnderTest;
const Bucket = 'from-template';
const queueArn = 'arn:aws:sqs:eu-central-1:000000000000:q';

beforeEach(async () => {
  s3 = await startS3UnderTest();
});

afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

async function create(type: string, properties: Record<string, unknown>): Promise<void> {
  await s3ResourceTypes[type]?.create?.({ name: Bucket, properties } as DeclaredResource, s3.s3, {} as Host);
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
describe('AWS::S3::Bucket', () => {
  const properties = {
    VersioningConfiguration: { Status: 'Enabled' },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'k' }, BucketKeyEnabled: 'true' },
      ],
    },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: 'true',
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    CorsConfiguration: { CorsRules: [{ Id: 'a', AllowedMethods: ['GET'], AllowedOrigins: ['*'], MaxAge: '60' }] },
    LifecycleConfiguration: {
      Rules: [
        {
          Id: 'old',
          Status: 'Enabled',
          Prefix: 'logs/',
          ExpirationInDays: '30',
          NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        },
        {
          Status: 'Enabled',
          TagFilters: [{ Key: 'a', Value: 'b' }],
          Transitions: [{ TransitionInDays: 10, StorageClass: 'GLACIER' }],
        },
        { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    },
    NotificationConfiguration: {
      EventBridgeConfiguration: { EventBridgeEnabled: true },
      QueueConfigurations: [
        {
          Event: 's3:ObjectCreated:*',
          Queue: queueArn,
          Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'in/' }] } },
        },
      ],
    },
    Tags: [{ Key: 'team', Value: 'shop' }],
  };

  test('has the settings of its template', async () => {
    await create('AWS::S3::Bucket', properties);
    const get = (operation: string) => s3.s3.call(operation, { Bucket });
    expect(await get('GetBucketVersioning')).toEqual({ Status: 'Enabled' });
    expect(await get('GetBucketEncryption')).toEqual({
      Rules: [
        {
          ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'k' },
          BucketKeyEnabled: true,
        },
      ],
    });
    expect(await get('GetPublicAccessBlock')).toMatchObject({ BlockPublicAcls: true });
    expect(await get('GetBucketCors')).toEqual({
      CORSRules: [{ ID: 'a', AllowedMethods: ['GET'], AllowedOrigins: ['*'], MaxAgeSeconds: 60 }],
    });
    expect(await get('GetBucketLifecycleConfiguration')).toEqual({
      Rules: [
        {
          ID: 'old',
          Status: 'Enabled',
          Filter: { Prefix: 'logs/' },
          Expiration: { Days: 30 },
          NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        },
        {
          Status: 'Enabled',
          Filter: { And: { Tags: [{ Key: 'a', Value: 'b' }] } },
          Transitions: [{ Days: 10, StorageClass: 'GLACIER' }],
        },
        { Status: 'Enabled', Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    });
    expect(await get('GetBucketNotificationConfiguration')).toMatchObject({
      EventBridgeConfiguration: {},
      QueueConfigurations: [{ QueueArn: queueArn, Events: ['s3:ObjectCreated:*'] }],
    });
    expect(await get('GetBucketTagging')).toEqual({ TagSet: [{ Key: 'team', Value: 'shop' }] });
    expect(summarizeBuckets(s3.s3.store)).toEqual([
      {
        name: Bucket,
        createdAt: '2026-03-01T12:00:00.000Z',
        versioning: 'Enabled',
        objects: 0,
        bytes: 0,
        uploads: 0,
        notifies: [queueArn, 'EventBridge'],
      },
    ]);
  });

  test('is created again at every start: it keeps its objects, tells no target again, and loses what the template no longer has', async () => {
    await create('AWS::S3::Bucket', properties);
    await s3.s3.call('PutObject', { Bucket, Key: 'kept', Body: 'x' });
    s3.delivered.length = 0;
    await create('AWS::S3::Bucket', properties);
    expect(s3.delivered.filter(({ payload }) => payload.Event === 's3:TestEvent')).toEqual([]);
    await create('AWS::S3::Bucket', {});
    expect(await s3.s3.call('HeadObject', { Bucket, Key: 'kept' })).toMatchObject({ ContentLength: 1 });
    await expect(s3.s3.call('GetBucketCors', { Bucket })).rejects.toMatchObject({ code: 'NoSuchCORSConfiguration' });
    expect(await s3.s3.call('GetBucketNotificationConfiguration', { Bucket })).toEqual({});
  });

  test('has its policy', async () => {
    await create('AWS::S3::Bucket', {});
    const PolicyDocument = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Resource: `arn:aws:s3:::${Bucket}/*`,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    };
    await create('AWS::S3::BucketPolicy', { Bucket, PolicyDocument });
    expect(JSON.parse(String((await s3.s3.call('GetBucketPolicy', { Bucket })).Policy))).toEqual(PolicyDocument);
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
test.each([
  ['HeadObject', { Bucket: 'b', Key: 'k' }, ['s3:GetObject arn:aws:s3:::b/k']],
  ['GetObject', { Bucket: 'b', Key: 'k', VersionId: 'v' }, ['s3:GetObjectVersion arn:aws:s3:::b/k']],
  ['UploadPart', { Bucket: 'b', Key: 'k' }, ['s3:PutObject arn:aws:s3:::b/k']],
  [
    'PutObject',
    { Bucket: 'b', Key: 'k', Tagging: 'a=b' },
    ['s3:PutObject arn:aws:s3:::b/k', 's3:PutObjectTagging arn:aws:s3:::b/k'],
  ],
  [
    'CopyObject',
    { Bucket: 'b', Key: 'k', CopySource: '/c/d%20e' },
    ['s3:GetObject arn:aws:s3:::c/d e', 's3:PutObject arn:aws:s3:::b/k'],
  ],
  ['ListObjectsV2', { Bucket: 'b' }, ['s3:ListBucket arn:aws:s3:::b']],
  ['DeleteBucketCors', { Bucket: 'b' }, ['s3:PutBucketCORS arn:aws:s3:::b']],
  [
    'DeleteObjects',
    { Bucket: 'b', Delete: { Objects: [{ Key: 'k' }, { Key: 'l', VersionId: 'v' }] } },
    ['s3:DeleteObject arn:aws:s3:::b/k', 's3:DeleteObjectVersion arn:aws:s3:::b/l'],
  ],
  ['ListBuckets', {}, ['s3:ListAllMyBuckets *']],
])('%s with %j needs %j', (operation, input, expected) => {
  expect(s3Access(operation, input).map(({ action, resource }) => `${action} ${resource}`)).toEqual(expected);
});

test('requests are counted as they are billed', () => {
  const operations = ['GetObject', 'HeadBucket', 'ListObjectsV2', 'CompleteMultipartUpload', 'DeleteObject'];
  expect(operations.map(s3MeterOf)).toEqual(['s3.reads', 's3.reads', 's3.writes', 's3.writes', undefined]);
});
