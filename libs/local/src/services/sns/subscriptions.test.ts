import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { queueArn, type SnsUnderTest, startSnsUnderTest } from '../../../fixtures/sns-under-test.ts';
import { DeliveryError } from '../../core/delivery.ts';

let sns: SnsUnderTest;
let TopicArn: string;

beforeEach(async () => {
  sns = await startSnsUnderTest();
  TopicArn = (await sns.client.send(new CreateTopicCommand({ Name: 'orders' }))).TopicArn ?? '';
});

afterEach(async () => {
  await sns[Symbol.asyncDispose]();
});

const subscribe = (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
  sns.client.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes }));
const publish = (Message: string, input: object = {}) =>
  sns.client.send(new PublishCommand({ TopicArn, Message, ...input }));
const attributesOf = async (SubscriptionArn: string | undefined) =>
  (await sns.client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes;

// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
describe('subscriptions', () => {
  test('of queues are confirmed at once, and made once', async () => {
    const { SubscriptionArn } = await subscribe('sqs', queueArn('a'));
    expect(SubscriptionArn).toMatch(new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
    expect((await subscribe('sqs', queueArn('a'))).SubscriptionArn).toBe(SubscriptionArn);
    await expect(subscribe('sqs', queueArn('a'), { RawMessageDelivery: 'true' })).rejects.toThrow(
      'Subscription already exists with different attributes',
    );
    expect(await attributesOf(SubscriptionArn)).toMatchObject({
      PendingConfirmation: 'false',
      RawMessageDelivery: 'false',
      Endpoint: queueArn('a'),
    });
    const { Subscriptions } = await sns.client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toMatchObject([{ SubscriptionArn, Protocol: 'sqs', TopicArn }]);
  });

  test.each([
    ['sqs', 'not an arn', {}],
    ['sqs', queueArn('a.fifo'), {}],
    ['http', 'https://127.0.0.1/', {}],
    ['http', 'http://example.com/', {}],
    ['email', 'ada', {}],
    ['sms', '123', {}],
    ['carrier-pigeon', 'x', {}],
    ['lambda', 'arn:aws:lambda:eu-central-1:000000000000:function:f', { RawMessageDelivery: 'true' }],
    ['sqs', queueArn('a'), { FilterPolicy: '{"a":"b"}' }],
    ['sqs', queueArn('a'), { FilterPolicy: '{"a":{"b":["c"]}}' }],
    ['sqs', queueArn('a'), { FilterPolicy: '{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}' }],
    ['sqs', queueArn('a'), { FilterPolicyScope: 'Everything' }],
    ['sqs', queueArn('a'), { RedrivePolicy: '{"deadLetterTargetArn":"nowhere"}' }],
    ['sqs', queueArn('a'), { Unknown: 'x' }],
  ])('of %s to %s with %j are refused', async (protocol, endpoint, attributes) => {
    await expect(subscribe(protocol, endpoint, attributes as unknown as Record<string, string>)).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const { Subscriptions } = await sns.client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toEqual([]);
  });

  test('are ended, also with messages that wait for them', async () => {
    const { SubscriptionArn } = await subscribe('sqs', queueArn('a'));
    await subscribe('sqs', queueArn('b'));
    sns.failing.set(queueArn('a'), new Error('busy'));
    await publish('before');
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    await sns.client.send(new UnsubscribeCommand({ SubscriptionArn }));
    sns.failing.clear();
    await publish('after');
    await eventually(() => expect(sns.delivered).toHaveLength(2));
    await sns.clock.advance(60_000);
    await publish('last');
    await eventually(() => expect(sns.delivered).toHaveLength(3));
    expect(sns.delivered.map(({ arn }) => arn)).toEqual([queueArn('b'), queueArn('b'), queueArn('b')]);
  });
});

describe('other protocols', () => {
  // https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
  test('e-mail is captured, from its confirmation on', async () => {
    await subscribe('email', 'ada@example.com');
    await eventually(() => expect(sns.captured).toHaveLength(1));
    const link = /http:\S+/.exec(sns.captured[0]?.text ?? '')?.[0] ?? '';
    await fetch(link);
    await publish('Hello', { Subject: 'Greeting' });
    await eventually(() =>
      expect(sns.captured[1]).toMatchObject({
        kind: 'email',
        to: ['ada@example.com'],
        subject: 'Greeting',
        text: 'Hello',
      }),
    );
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html
  test('text messages are captured', async () => {
    await subscribe('sms', '+491701234567');
    await publish('Hello');
    await eventually(() => expect(sns.captured).toMatchObject([{ kind: 'sms', to: ['+491701234567'], text: 'Hello' }]));
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
  test('functions get an event with one record', async () => {
    const functionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:on-order';
    const { SubscriptionArn } = await subscribe('lambda', functionArn);
    const { MessageId } = await publish('Hello', {
      MessageAttributes: { n: { DataType: 'Number', StringValue: '1' } },
    });
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(sns.delivered[0]).toMatchObject({
      arn: functionArn,
      options: { sender: { service: 'sns.amazonaws.com', sourceArn: TopicArn } },
    });
    expect(JSON.parse(sns.delivered[0]?.payload ?? '')).toMatchObject({
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: SubscriptionArn,
          Sns: {
            Type: 'Notification',
            MessageId,
            TopicArn,
            Subject: null,
            Message: 'Hello',
            SignatureVersion: '1',
            MessageAttributes: { n: { Type: 'Number', Value: '1' } },
          },
        },
      ],
    });
  });
});

describe('queues', () => {
  test('get raw messages with their attributes', async () => {
    await subscribe('sqs', queueArn('raw'), { RawMessageDelivery: 'true' });
    await publish('Hello', {
      MessageAttributes: {
        a: { DataType: 'String', StringValue: 'b' },
        c: { DataType: 'Binary', BinaryValue: Buffer.from('d') },
      },
    });
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(sns.delivered[0]).toMatchObject({
      payload: 'Hello',
      options: {
        messageAttributes: {
          a: { DataType: 'String', StringValue: 'b' },
          c: { DataType: 'Binary', BinaryValue: 'ZA==' },
        },
      },
    });
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
  test('are tried again without delay, after a second, and then after growing delays', async () => {
    await subscribe('sqs', queueArn('busy'));
    let attempts = 0;
    sns.failing.set(queueArn('busy'), new Error('busy'));
    const failing = sns.failing.get.bind(sns.failing);
    sns.failing.get = (arn) => {
      attempts += 1;
      return failing(arn);
    };
    await publish('Hello');
    await eventually(() => expect(attempts).toBe(4));
    for (const expected of [5, 6, 7]) {
      await eventually(async () => {
        await sns.clock.advance(1000);
        expect(attempts).toBeGreaterThanOrEqual(expected);
      });
    }
    sns.failing.clear();
    await eventually(async () => {
      await sns.clock.advance(20_000);
      expect(sns.delivered).toHaveLength(1);
    });
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
  test('that are not there are given up at once, to the dead-letter queue if there is one', async () => {
    await subscribe('sqs', queueArn('missing'), {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('dead') }),
      RawMessageDelivery: 'true',
    });
    sns.failing.set(queueArn('missing'), new DeliveryError('NO_RESOURCE', 'The queue does not exist', false));
    await publish('Hello');
    await eventually(() => expect(sns.delivered).toMatchObject([{ arn: queueArn('dead'), payload: 'Hello' }]));
  });
});
