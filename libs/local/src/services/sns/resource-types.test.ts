import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Stack } from '@millrace/cloudformation';
import { queueArn, type SnsUnderTest, startSnsUnderTest } from '../../../fixtures/sns-under-test.ts';
import type { DeclaredResource, Host } from '../../core/service.ts';
import { snsAccess } from './access.ts';
import { summarizeTopics } from './console.ts';
import { snsResourceTypes } from './resource-types.ts';
import { snsUsage } from './usage.ts';

let sns: SnsUnderTest;
const TopicArn = 'arn:aws:sns:eu-central-1:000000000000:alarms';
const ref = `${TopicArn}:01234567-0123-4123-a123-0123456789ab`;

beforeEach(async () => {
  sns = await startSnsUnderTest();
});

afterEach(async () => {
  await sns[Symbol.asyncDispose]();
});

const create = async (type: string, properties: Record<string, unknown>) => {
  const stack = { ref: () => ref } as unknown as Stack;
  const resource = { stack, name: 'alarms', properties } as unknown as DeclaredResource;
  await snsResourceTypes[type]?.create?.(resource, sns.sns, {} as Host);
};

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html
describe('resources of templates', () => {
  test('are created, and changed at the next start', async () => {
    await create('AWS::SNS::Topic', { DisplayName: 'Alarms', SignatureVersion: 2 });
    const PolicyDocument = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: TopicArn,
        },
      ],
    };
    await create('AWS::SNS::TopicPolicy', { Topics: [TopicArn], PolicyDocument });
    await create('AWS::SNS::Subscription', {
      TopicArn,
      Protocol: 'sqs',
      Endpoint: queueArn('q'),
      FilterPolicy: { a: ['b'] },
      RawMessageDelivery: true,
    });
    expect(sns.sns.store.topic(TopicArn)?.attributes).toEqual({
      DisplayName: 'Alarms',
      SignatureVersion: '2',
      Policy: JSON.stringify(PolicyDocument),
    });
    expect(sns.sns.policyOf(TopicArn)).toBe(JSON.stringify(PolicyDocument));
    expect(summarizeTopics(sns.sns.store)).toEqual([
      {
        arn: TopicArn,
        waiting: 0,
        subscriptions: [{ protocol: 'sqs', endpoint: queueArn('q'), confirmed: true, filterPolicy: '{"a":["b"]}' }],
      },
    ]);
    expect(sns.sns.call('GetSubscriptionAttributes', { SubscriptionArn: ref }).Attributes).toMatchObject({
      RawMessageDelivery: 'true',
    });

    await create('AWS::SNS::Topic', { DisplayName: 'Others' });
    await create('AWS::SNS::Subscription', {
      TopicArn,
      Protocol: 'sqs',
      Endpoint: queueArn('q'),
      RawMessageDelivery: 'true',
    });
    expect(sns.sns.store.topic(TopicArn)?.attributes).toEqual({ DisplayName: 'Others' });
    expect(sns.sns.store.subscription(ref)?.attributes).toEqual({ RawMessageDelivery: 'true' });
  });
});

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
test.each([
  ['PublishBatch', { TopicArn }, `sns:Publish ${TopicArn}`],
  ['Publish', { PhoneNumber: '+491701234567' }, 'sns:Publish a phone number'],
  ['Subscribe', { TopicArn }, `sns:Subscribe ${TopicArn}`],
  ['Unsubscribe', { SubscriptionArn: ref }, `sns:Unsubscribe ${TopicArn}`],
  ['CreateTopic', { Name: 'alarms' }, `sns:CreateTopic ${TopicArn}`],
  ['TagResource', { ResourceArn: TopicArn }, `sns:TagResource ${TopicArn}`],
  ['ListTopics', {}, 'sns:ListTopics *'],
])('%s with %j needs %s', (operation, input, expected) => {
  const [access] = snsAccess(operation, input, (_service, name) => TopicArn.replace('alarms', name));
  expect(`${access?.action} ${access?.resource}`).toBe(expected);
});

test('messages are counted by 64 KB, and text messages by their parts', () => {
  expect(snsUsage('Publish', { Message: 'x'.repeat(65_537) })).toEqual(['sns.notifications', 2]);
  const batch = { PublishBatchRequestEntries: [{ Message: 'a' }, { Message: 'b' }] };
  expect(snsUsage('PublishBatch', batch)).toEqual(['sns.notifications', 2]);
  const sms = { PhoneNumber: '+491701234567', Message: 'x'.repeat(161) };
  expect(snsUsage('Publish', sms)).toEqual(['sns.textMessages', 2]);
});
