import {
  CreateBucketCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type S3UnderTest, startS3UnderTest } from '../../../fixtures/s3-under-test.ts';

let s3: S3UnderTest;
const Bucket = 'notifying';
const queue = (name: string): string => `arn:aws:sqs:eu-central-1:000000000000:${name}`;
const topic = 'arn:aws:sns:eu-central-1:000000000000:objects';

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

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
describe('notification configurations', () => {
  test.each([
    ['an unknown event', [{ QueueArn: queue('q'), Events: ['s3:ObjectRead'] }]],
    ['a queue that is a topic', [{ QueueArn: topic, Events: ['s3:ObjectCreated:*'] }]],
    ['a FIFO queue', [{ QueueArn: queue('q.fifo'), Events: ['s3:ObjectCreated:*'] }]],
    [
      'overlapping filters',
      [
        { QueueArn: queue('a'), Events: ['s3:ObjectCreated:*'] },
        {
          QueueArn: queue('b'),
          Events: ['s3:ObjectCreated:Put'],
          Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'x' }] } },
        },
      ],
    ],
    [
      'a filter by something else',
      [
        {
          QueueArn: queue('q'),
          Events: ['s3:ObjectCreated:*'],
          Filter: { Key: { FilterRules: [{ Name: 'infix', Value: 'x' }] } },
        },
      ],
    ],
    [
      'one id for two',
      [
        { Id: 'a', QueueArn: queue('q'), Events: ['s3:ObjectCreated:*'] },
        { Id: 'a', QueueArn: queue('q'), Events: ['s3:ObjectRemoved:*'] },
      ],
    ],
  ])('are refused with %s', async (_what, QueueConfigurations) => {
    const NotificationConfiguration = { QueueConfigurations } as NotificationConfiguration;
    await expect(configure(NotificationConfiguration)).rejects.toMatchObject({ name: 'InvalidArgument' });
    expect(s3.delivered).toEqual([]);
  });

  test('are refused with a destination that cannot be reached', async () => {
    s3.failing.set(queue('missing'), new Error('The queue does not exist'));
    const configuration: NotificationConfiguration = {
      QueueConfigurations: [{ QueueArn: queue('missing'), Events: ['s3:ObjectCreated:*'] }],
    };
    await expect(configure(configuration)).rejects.toThrow(
      'Unable to validate the following destination configurations',
    );
    const NotificationConfiguration = configuration;
    await s3.client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration,
        SkipDestinationValidation: true,
      }),
    );
  });
});
