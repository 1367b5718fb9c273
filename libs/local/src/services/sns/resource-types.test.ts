import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { snsAccess, snsResourceTypes, snsUsage, summarizeTopics } from './index.ts';
import { queueArn, type SnsUnderTest, startSnsUnderTest } from './sns-under-test.ts';

let sns: SnsUnderTest;
const TopicArn = 'arn:aws:sns:eu-central-1:000000000000:alarms';
const ref = `${TopicArn}:01234567-0123-4123-a123-0123456789ab`;

beforeEach(async () => {
  sns = await startSnsUnderTest();
});

afterEach(async () => {
  await sns[Symbol.asyncDispose]();
});

const create = (type: string, properties: Record<string, unknown>) =>
  snsResourceTypes[type]?.create(sns.sns, { name: 'alarms', properties, ref });

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html
describe('resources of templates', () => {
  test('are created, and changed at the next start', () => {
    create('AWS::SNS::Topic', { DisplayName: 'Alarms', SignatureVersion: 2 });
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
    create('AWS::SNS::TopicPolicy', { Topics: [TopicArn], PolicyDocument });
    create('AWS::SNS::Subscription', {
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

    create('AWS::SNS::Topic', { DisplayName: 'Others' });
    create('AWS::SNS::Subscription', {
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
  const [access] = snsAccess(operation, input, (name) => TopicArn.replace('alarms', name));
  expect(`${access?.action} ${access?.resource}`).toBe(expected);
});

test('messages are counted by 64 KB, and text messages by their parts', () => {
  expect(snsUsage('Publish', { Message: 'x'.repeat(65_537) })).toEqual([['sns.requests', 2]]);
  expect(snsUsage('PublishBatch', { PublishBatchRequestEntries: [{ Message: 'a' }, { Message: 'b' }] })).toEqual([
    ['sns.requests', 2],
  ]);
  expect(snsUsage('Publish', { PhoneNumber: '+491701234567', Message: 'x'.repeat(161) })).toEqual([
    ['sns.textMessages', 2],
  ]);
});
