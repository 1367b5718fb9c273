import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'notifying';
const queue = (name: string): string => `arn:aws:sqs:eu-central-1:000000000000:${name}`;
const topic = 'arn:aws:sns:eu-central-1:000000000000:objects';
const lambda = 'arn:aws:lambda:eu-central-1:000000000000:function:on-object';
const defaultBus = 'arn:aws:events:eu-central-1:000000000000:event-bus/default';

beforeEach(async () => {
  s3 = await startS3UnderTest();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

async function configure(NotificationConfiguration: NotificationConfiguration): Promise<void> {
  await s3.client.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  s3.delivered.length = 0;
}

const put = (Key: string, Body = 'content') => s3.client.send(new PutObjectCommand({ Bucket, Key, Body }));
const records = () =>
  s3.delivered.flatMap(({ arn, payload }) =>
    (payload.Records as { eventName: string }[]).map((record) => ({ arn, ...record })),
  );

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
describe('notifications', () => {
  test('are configured as they are put, with the ids that are missing', async () => {
    const configuration: NotificationConfiguration = {
      QueueConfigurations: [
        {
          Id: 'q',
          QueueArn: queue('q'),
          Events: ['s3:ObjectCreated:*'],
          Filter: {
            Key: {
              FilterRules: [
                { Name: 'prefix', Value: 'in/' },
                { Name: 'suffix', Value: '.csv' },
              ],
            },
          },
        },
      ],
      TopicConfigurations: [{ TopicArn: topic, Events: ['s3:ObjectRemoved:*'] }],
      LambdaFunctionConfigurations: [{ Id: 'l', LambdaFunctionArn: lambda, Events: ['s3:ObjectTagging:Put'] }],
      EventBridgeConfiguration: {},
    };
    await s3.client.send(
      new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: configuration }),
    );
    const got = await s3.client.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(got).toMatchObject({
      QueueConfigurations: [
        {
          Id: 'q',
          QueueArn: queue('q'),
          Events: ['s3:ObjectCreated:*'],
          Filter: {
            Key: {
              FilterRules: [
                { Name: 'Prefix', Value: 'in/' },
                { Name: 'Suffix', Value: '.csv' },
              ],
            },
          },
        },
      ],
      TopicConfigurations: [{ Id: expect.any(String), TopicArn: topic }],
      LambdaFunctionConfigurations: [{ Id: 'l', LambdaFunctionArn: lambda }],
      EventBridgeConfiguration: {},
    });
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    expect(s3.delivered.map(({ arn }) => arn)).toEqual([topic, queue('q')]);
    expect(s3.delivered[0]?.payload).toMatchObject({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket });
  });

  test('have the record of the change, for keys with the prefix and the suffix', async () => {
    const Filter = {
      Key: {
        FilterRules: [
          { Name: 'prefix' as const, Value: 'in/' },
          { Name: 'suffix' as const, Value: '.csv' },
        ],
      },
    };
    await configure({
      QueueConfigurations: [{ Id: 'csv', QueueArn: queue('q'), Events: ['s3:ObjectCreated:*'], Filter }],
    });
    await put('in/other.txt');
    await put('out/red flower.csv');
    await put('in/red flower ü.csv');
    await eventually(() => expect(s3.delivered).toHaveLength(1));
    expect(s3.delivered[0]).toMatchObject({
      arn: queue('q'),
      options: { sender: { service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${Bucket}` } },
    });
    expect(s3.delivered[0]?.payload).toEqual({
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          awsRegion: 'eu-central-1',
          eventTime: '2026-03-01T12:00:00.000Z',
          eventName: 'ObjectCreated:Put',
          userIdentity: { principalId: 'AWS:AKIDEXAMPLE' },
          requestParameters: { sourceIPAddress: '127.0.0.1' },
          responseElements: { 'x-amz-request-id': expect.any(String), 'x-amz-id-2': expect.any(String) },
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'csv',
            bucket: { name: Bucket, ownerIdentity: { principalId: '000000000000' }, arn: `arn:aws:s3:::${Bucket}` },
            object: {
              key: 'in/red+flower+%C3%BC.csv',
              size: 7,
              eTag: '9a0364b9e99bb480dd25e1f0284c8555',
              sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
            },
          },
        },
      ],
    });
  });

  test('name each kind of change, with sequencers that grow', async () => {
    await s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    await configure({
      QueueConfigurations: [
        { QueueArn: queue('q'), Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:ObjectTagging:*'] },
      ],
    });
    const { VersionId } = await put('a');
    await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'c' }));
    const { ETag } = await s3.client.send(
      new UploadPartCommand({ Bucket, Key: 'c', UploadId, PartNumber: 1, Body: 'x' }),
    );
    await s3.client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key: 'c',
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );
    await s3.client.send(new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging: { TagSet: [] } }));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId }));
    await eventually(() => expect(s3.delivered).toHaveLength(6));
    const inOrder = records() as unknown as {
      eventName: string;
      s3: { object: { sequencer: string; versionId: string } };
    }[];
    inOrder.sort((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
    expect(inOrder.map(({ eventName }) => eventName)).toEqual([
      'ObjectCreated:Put',
      'ObjectCreated:Copy',
      'ObjectCreated:CompleteMultipartUpload',
      'ObjectTagging:Put',
      'ObjectRemoved:DeleteMarkerCreated',
      'ObjectRemoved:Delete',
    ]);
    expect(inOrder[0]?.s3.object.versionId).toBe(VersionId);
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
  test('reach the default bus as events', async () => {
    await configure({ EventBridgeConfiguration: {} });
    await put('red flower.csv');
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'red flower.csv' }));
    await eventually(() => expect(s3.delivered).toHaveLength(2));
    const [created, deleted] = s3.delivered.sort((a) => (a.payload['detail-type'] === 'Object Created' ? -1 : 1));
    expect(created).toMatchObject({ arn: defaultBus });
    expect(created?.payload).toEqual({
      version: '0',
      id: expect.any(String),
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: '000000000000',
      time: '2026-03-01T12:00:00Z',
      region: 'eu-central-1',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        version: '0',
        bucket: { name: Bucket },
        object: {
          key: 'red flower.csv',
          size: 7,
          etag: '9a0364b9e99bb480dd25e1f0284c8555',
          sequencer: expect.any(String),
        },
        'request-id': expect.any(String),
        requester: '000000000000',
        'source-ip-address': '127.0.0.1',
        reason: 'PutObject',
      },
    });
    expect(deleted?.payload).toMatchObject({
      'detail-type': 'Object Deleted',
      detail: { reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' },
    });
  });

  test('are delivered later where a target is busy, and given up where it is missing', async () => {
    await configure({
      LambdaFunctionConfigurations: [
        {
          LambdaFunctionArn: lambda,
          Events: ['s3:ObjectCreated:Put'],
          Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'a' }] } },
        },
      ],
      TopicConfigurations: [
        {
          TopicArn: topic,
          Events: ['s3:ObjectCreated:Put'],
          Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'b' }] } },
        },
      ],
    });
    s3.failing.set(lambda, new Error('busy'));
    s3.failing.set(topic, Object.assign(new Error('missing'), { retryable: false }));
    await put('a');
    await put('b');
    s3.failing.delete(lambda);
    await eventually(async () => {
      await s3.clock.advance(1000);
      expect(s3.delivered.map(({ arn }) => arn)).toEqual([lambda]);
    });
    s3.failing.clear();
    await s3.clock.advance(86_400_000);
    await put('a');
    await eventually(() => expect(s3.delivered).toHaveLength(2));
    expect(s3.delivered.map(({ arn }) => arn)).toEqual([lambda, lambda]);
  });
});
