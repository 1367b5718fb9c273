import {
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'settings';

beforeAll(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
describe('tags', () => {
  test('of an object leave its content alone', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'tagged', Body: 'content', Tagging: 'a=1' }));
    const tagsOf = async () => (await s3.client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet;
    expect(await tagsOf()).toEqual([{ Key: 'a', Value: '1' }]);
    const TagSet = [
      { Key: 'b', Value: '' },
      { Key: 'c <&>', Value: 'ü'.repeat(256) },
    ];
    await expect(
      s3.client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } })),
    ).rejects.toMatchObject({ name: 'InvalidTag' });
    await s3.client.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet: TagSet.slice(0, 1) } }),
    );
    expect(await tagsOf()).toEqual(TagSet.slice(0, 1));
    await s3.client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(await tagsOf()).toEqual([]);
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'tagged' }));
    expect(await Body?.transformToString()).toBe('content');
  });

  test('are at most 10, with keys of at most 128 characters', async () => {
    const put = (TagSet: { Key: string; Value: string }[]) =>
      s3.client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } }));
    await expect(
      put(Array.from({ length: 11 }, (_, index) => ({ Key: String(index), Value: '' }))),
    ).rejects.toMatchObject({ name: 'BadRequest' });
    await expect(put([{ Key: 'k'.repeat(129), Value: '' }])).rejects.toMatchObject({ name: 'InvalidTag' });
    await expect(
      put([
        { Key: 'a', Value: '' },
        { Key: 'a', Value: '' },
      ]),
    ).rejects.toMatchObject({ name: 'InvalidTag' });
    await expect(put([{ Key: 'aws:a', Value: '' }])).rejects.toMatchObject({ name: 'InvalidTag' });
  });

  test('of a bucket are its own', async () => {
    await expect(s3.client.send(new GetBucketTaggingCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchTagSet',
    });
    const Tagging = { TagSet: [{ Key: 'team', Value: 'shop' }] };
    await s3.client.send(new PutBucketTaggingCommand({ Bucket, Tagging }));
    expect(await s3.client.send(new GetBucketTaggingCommand({ Bucket }))).toMatchObject(Tagging);
    await s3.client.send(new DeleteBucketTaggingCommand({ Bucket }));
    await s3.client.send(new HeadBucketCommand({ Bucket }));
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
describe('CORS', () => {
  const CORSRules = [
    {
      ID: 'app',
      AllowedOrigins: ['https://*.example.com'],
      AllowedMethods: ['GET', 'PUT'],
      AllowedHeaders: ['x-amz-*'],
      ExposeHeaders: ['ETag'],
      MaxAgeSeconds: 60,
    },
    { AllowedOrigins: ['*'], AllowedMethods: ['GET'] },
  ];

  test('is kept as it is put, and its deletion leaves the bucket alone', async () => {
    await expect(s3.client.send(new GetBucketCorsCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
    });
    await s3.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await s3.client.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(CORSRules);
    await s3.client.send(new DeleteBucketCorsCommand({ Bucket }));
    await s3.client.send(new HeadBucketCommand({ Bucket }));
  });

  test('refuses methods that it does not have, and two wildcards', async () => {
    const put = (rule: object) =>
      s3.client.send(
        new PutBucketCorsCommand({
          Bucket,
          CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'], ...rule }] },
        }),
      );
    await expect(put({ AllowedMethods: ['PATCH'] })).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(put({ AllowedOrigins: ['*.*'] })).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
describe('policies', () => {
  const policy = (statement: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, ...statement },
      ],
    });
  const put = (Policy: string) => s3.client.send(new PutBucketPolicyCommand({ Bucket, Policy }));

  test('that are public are refused until the bucket allows them', async () => {
    await expect(s3.client.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
    await expect(put(policy({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    await put(policy({ Condition: { StringEquals: { 'aws:PrincipalAccount': '111111111111' } } }));
    expect((await s3.client.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus).toEqual({
      IsPublic: false,
    });
    expect(
      (await s3.client.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
    ).toMatchObject({ BlockPublicPolicy: true });
    await s3.client.send(
      new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicPolicy: false } }),
    );
    await put(policy({}));
    expect((await s3.client.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus).toEqual({
      IsPublic: true,
    });
    expect((await s3.client.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(policy({}));
    expect(s3.s3.policyOf(`arn:aws:s3:::${Bucket}/any/key`)).toBe(policy({}));
    await s3.client.send(new DeleteBucketPolicyCommand({ Bucket }));
    await expect(s3.client.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
  });

  test.each(['text', '{}', policy({ Resource: 'arn:aws:s3:::other/*' }), policy({ Effect: 'Maybe' })])(
    'are refused where they are not valid: %s',
    async (text) => {
      await expect(put(text)).rejects.toMatchObject({ name: 'MalformedPolicy' });
    },
  );
});

describe('defaults', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
  test('of the encryption are those of the bucket', async () => {
    const rules = async () =>
      (await s3.client.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules;
    expect(await rules()).toMatchObject([{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]);
    const KMSMasterKeyID = 'arn:aws:kms:eu-central-1:000000000000:key/k';
    const Rules = [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID },
        BucketKeyEnabled: true,
      },
    ];
    await s3.client.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    expect(await rules()).toEqual(Rules);
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'encrypted', Body: 'x' }));
    expect(await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'encrypted' }))).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: KMSMasterKeyID,
      BucketKeyEnabled: true,
    });
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'encrypted', Body: 'x', ServerSideEncryption: 'AES256' }));
    expect(await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'encrypted' }))).toMatchObject({
      ServerSideEncryption: 'AES256',
    });
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
  test('are those of new buckets', async () => {
    expect((await s3.client.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules).toEqual([
      { ObjectOwnership: 'BucketOwnerEnforced' },
    ]);
    const { Grants, Owner } = await s3.client.send(new GetBucketAclCommand({ Bucket }));
    expect(Grants).toEqual([{ Grantee: { Type: 'CanonicalUser', ID: Owner?.ID }, Permission: 'FULL_CONTROL' }]);
    expect((await s3.client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
  test('of the storage class are STANDARD, and archived objects cannot be read', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'rare', Body: 'x', StorageClass: 'STANDARD_IA' }));
    expect(await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'rare' }))).toMatchObject({
      StorageClass: 'STANDARD_IA',
    });
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'frozen', Body: 'x', StorageClass: 'GLACIER' }));
    await expect(s3.client.send(new GetObjectCommand({ Bucket, Key: 'frozen' }))).rejects.toMatchObject({
      name: 'InvalidObjectState',
    });
    await expect(
      s3.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', StorageClass: 'SOMETHING' as 'STANDARD' })),
    ).rejects.toMatchObject({ name: 'InvalidStorageClass' });
  });
});

describe('lifecycle configurations', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
  test('are kept as they are put', async () => {
    await expect(s3.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchLifecycleConfiguration',
    });
    const Rules = [
      {
        ID: 'a',
        Status: 'Enabled' as const,
        Filter: { And: { Prefix: 'logs/', Tags: [{ Key: 'a', Value: '1' }] } },
        Expiration: { Days: 30 },
        Transitions: [{ Days: 10, StorageClass: 'GLACIER' as const }],
      },
      {
        ID: 'b',
        Status: 'Disabled' as const,
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
    ];
    await s3.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    expect((await s3.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules).toEqual(Rules);
  });

  test.each([
    [{ Filter: {}, Expiration: { Days: 0 } }, 'InvalidArgument'],
    [{ Filter: {}, Expiration: { Date: new Date('2026-01-01T01:00:00Z') } }, 'InvalidArgument'],
    [{ Filter: {} }, 'InvalidRequest'],
    [{ Expiration: { Days: 1 } }, 'MalformedXML'],
  ])('are refused: %j', async (rule, name) => {
    const LifecycleConfiguration = { Rules: [{ Status: 'Enabled' as const, ...rule }] };
    await expect(
      s3.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration })),
    ).rejects.toMatchObject({ name });
  });
});
