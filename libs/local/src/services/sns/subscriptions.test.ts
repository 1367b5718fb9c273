import { X509Certificate, verify } from 'node:crypto';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DeliveryError } from '../../eventbridge/index.ts';
import { queueArn, type SnsUnderTest, startEndpoint, startSnsUnderTest } from './sns-under-test.ts';

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
const publish = (Message: string, input: object = {}) => sns.client.send(new PublishCommand({ TopicArn, Message, ...input }));
const attributesOf = async (SubscriptionArn: string | undefined) =>
  (await sns.client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes;

// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
describe('subscriptions', () => {
  test('of queues are confirmed at once, and made once', async () => {
    const { SubscriptionArn } = await subscribe('sqs', queueArn('a'));
    expect(SubscriptionArn).toMatch(new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
    expect((await subscribe('sqs', queueArn('a'))).SubscriptionArn).toBe(SubscriptionArn);
    await expect(subscribe('sqs', queueArn('a'), { RawMessageDelivery: 'true' })).rejects.toThrow('Subscription already exists with different attributes');
    expect(await attributesOf(SubscriptionArn)).toMatchObject({ PendingConfirmation: 'false', RawMessageDelivery: 'false', Endpoint: queueArn('a') });
    const { Subscriptions } = await sns.client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions).toMatchObject([{ SubscriptionArn, Protocol: 'sqs', TopicArn }]);
  });

  test.each([
    ['sqs', 'not an arn', {}],
    ['sqs', queueArn('a.fifo'), {}],
    ['http', 'https://127.0.0.1/', {}],
    ['http', 'http://example.com/', {}],
    ['email', 'nobody', {}],
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
    await expect(subscribe(protocol, endpoint, attributes as unknown as Record<string, string>)).rejects.toMatchObject({ name: 'InvalidParameterException' });
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
    sns.clock.advance(60_000);
    await publish('last');
    await eventually(() => expect(sns.delivered).toHaveLength(3));
    expect(sns.delivered.map(({ arn }) => arn)).toEqual([queueArn('b'), queueArn('b'), queueArn('b')]);
  });
});

// https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
describe('HTTP endpoints', () => {
  test('confirm their subscription, and get messages whose signature their certificate verifies', async () => {
    await using endpoint = await startEndpoint();
    await sns.client.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'SignatureVersion', AttributeValue: '2' }));
    expect((await subscribe('http', endpoint.url)).SubscriptionArn).toBe('pending confirmation');
    await publish('too early');
    await eventually(() => expect(endpoint.received).toHaveLength(1));
    const confirmation = JSON.parse(endpoint.received[0]?.body ?? '');
    expect(endpoint.received[0]?.headers).toMatchObject({ 'x-amz-sns-message-type': 'SubscriptionConfirmation', 'x-amz-sns-topic-arn': TopicArn });
    expect(confirmation).toMatchObject({ Type: 'SubscriptionConfirmation', TopicArn, Token: expect.any(String), SignatureVersion: '2' });
    await expectValidSignature(confirmation, ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']);

    const confirmed = await fetch(confirmation.SubscribeURL);
    expect(await confirmed.text()).toContain(`<SubscriptionArn>${TopicArn}:`);
    const { MessageId } = await publish('Hello', { Subject: 'Greeting', MessageAttributes: { colour: { DataType: 'String', StringValue: 'green' } } });
    await eventually(() => expect(endpoint.received).toHaveLength(2));
    const { headers, body } = endpoint.received[1] ?? { headers: {}, body: '' };
    expect(headers).toMatchObject({ 'x-amz-sns-message-type': 'Notification', 'x-amz-sns-message-id': MessageId, 'content-type': 'text/plain; charset=UTF-8' });
    expect(headers['x-amz-sns-subscription-arn']).toMatch(TopicArn);
    const notification = JSON.parse(body);
    expect(notification).toMatchObject({ Type: 'Notification', MessageId, Subject: 'Greeting', Message: 'Hello', MessageAttributes: { colour: { Type: 'String', Value: 'green' } } });
    await expectValidSignature(notification, ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']);

    await fetch(notification.UnsubscribeURL);
    expect((await sns.client.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions).toEqual([]);
  });

  async function expectValidSignature(message: Record<string, string>, fields: readonly string[]): Promise<void> {
    const certificate = new X509Certificate(await (await fetch(message.SigningCertURL ?? '')).text());
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    const text = fields.map((field) => `${field}\n${message[field]}\n`).join('');
    const signature = Buffer.from(message.Signature ?? '', 'base64');
    expect(verify('sha256', Buffer.from(text), certificate.publicKey, signature)).toBe(true);
    expect(verify('sha256', Buffer.from(`${text}!`), certificate.publicKey, signature)).toBe(false);
  }

  test('cannot be confirmed with another token, or after two days', async () => {
    await using endpoint = await startEndpoint();
    await subscribe('http', endpoint.url);
    await eventually(() => expect(endpoint.received).toHaveLength(1));
    const { Token } = JSON.parse(endpoint.received[0]?.body ?? '');
    const confirm = (token: string) => sns.client.send(new ConfirmSubscriptionCommand({ TopicArn, Token: token }));
    await expect(confirm('other')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    sns.clock.advance(2 * 86_400_000 + 1);
    await expect(confirm(Token)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  async function confirmed(url: string, attributes: Record<string, string> = {}): Promise<string> {
    await subscribe('http', url, attributes);
    const [subscription] = sns.sns.store.subscriptions(TopicArn);
    await sns.client.send(new ConfirmSubscriptionCommand({ TopicArn, Token: subscription?.token }));
    return subscription?.arn ?? '';
  }

  // https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
  test('are tried again every 20 seconds, three times, and then the message goes to the dead-letter queue', async () => {
    await using endpoint = await startEndpoint([200, 500, 429, 503, 500]);
    await confirmed(endpoint.url, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('dead') }) });
    await eventually(() => expect(endpoint.received).toHaveLength(1));
    const { MessageId } = await publish('Hello');
    for (const attempts of [2, 3, 4]) {
      await eventually(() => expect(endpoint.received).toHaveLength(attempts));
      expect(sns.delivered).toEqual([]);
      await eventually(() => {
        sns.clock.advance(20_000);
        expect(endpoint.received.length).toBeGreaterThan(attempts);
      });
    }
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(endpoint.received).toHaveLength(5);
    expect(sns.delivered[0]?.arn).toBe(queueArn('dead'));
    expect(JSON.parse(sns.delivered[0]?.payload ?? '')).toMatchObject({ MessageId, Message: 'Hello' });
  });

  test('that refuse a message are not tried again', async () => {
    await using endpoint = await startEndpoint([200, 404]);
    await confirmed(endpoint.url);
    await eventually(() => expect(endpoint.received).toHaveLength(1));
    await publish('Hello');
    await eventually(() => expect(sns.warnings).toEqual([expect.stringContaining('the status 404')]));
  });

  test('get raw messages with the content type of their delivery policy', async () => {
    await using endpoint = await startEndpoint();
    const DeliveryPolicy = JSON.stringify({ requestPolicy: { headerContentType: 'application/json' } });
    await confirmed(endpoint.url, { RawMessageDelivery: 'true', DeliveryPolicy });
    await publish('{"a":1}');
    await eventually(() => expect(endpoint.received).toHaveLength(2));
    expect(endpoint.received[1]).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'application/json', 'x-amz-sns-rawdelivery': 'true' } });
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
    await eventually(() => expect(sns.captured[1]).toMatchObject({ kind: 'email', to: ['ada@example.com'], subject: 'Greeting', text: 'Hello' }));
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html
  test('text messages are captured', async () => {
    await subscribe('sms', '+491701234567');
    await publish('Hello');
    await eventually(() => expect(sns.captured).toEqual([{ kind: 'sms', to: ['+491701234567'], text: 'Hello' }]));
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
  test('functions get an event with one record', async () => {
    const functionArn = 'arn:aws:lambda:eu-central-1:000000000000:function:on-order';
    const { SubscriptionArn } = await subscribe('lambda', functionArn);
    const { MessageId } = await publish('Hello', { MessageAttributes: { n: { DataType: 'Number', StringValue: '1' } } });
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(sns.delivered[0]).toMatchObject({ arn: functionArn, options: { sender: { service: 'sns.amazonaws.com', sourceArn: TopicArn } } });
    expect(JSON.parse(sns.delivered[0]?.payload ?? '')).toMatchObject({
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: SubscriptionArn,
          Sns: { Type: 'Notification', MessageId, TopicArn, Subject: null, Message: 'Hello', SignatureVersion: '1', MessageAttributes: { n: { Type: 'Number', Value: '1' } } },
        },
      ],
    });
  });
});

describe('queues', () => {
  test('get raw messages with their attributes', async () => {
    await subscribe('sqs', queueArn('raw'), { RawMessageDelivery: 'true' });
    await publish('Hello', { MessageAttributes: { a: { DataType: 'String', StringValue: 'b' }, c: { DataType: 'Binary', BinaryValue: Buffer.from('d') } } });
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(sns.delivered[0]).toMatchObject({
      payload: 'Hello',
      options: { messageAttributes: { a: { DataType: 'String', StringValue: 'b' }, c: { DataType: 'Binary', BinaryValue: 'ZA==' } } },
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
      await eventually(() => {
        sns.clock.advance(1000);
        expect(attempts).toBeGreaterThanOrEqual(expected);
      });
    }
    sns.failing.clear();
    await eventually(() => {
      sns.clock.advance(20_000);
      expect(sns.delivered).toHaveLength(1);
    });
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
  test('that are not there are given up at once, to the dead-letter queue if there is one', async () => {
    await subscribe('sqs', queueArn('missing'), { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('dead') }), RawMessageDelivery: 'true' });
    sns.failing.set(queueArn('missing'), new DeliveryError('NO_RESOURCE', 'There is no queue', false));
    await publish('Hello');
    await eventually(() => expect(sns.delivered).toMatchObject([{ arn: queueArn('dead'), payload: 'Hello' }]));
  });
});

// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
describe('filter policies', () => {
  const attribute = (DataType: string, StringValue: string) => ({ DataType, StringValue });

  test.each([
    ['{"store":["example"]}', { store: attribute('String', 'example') }, true],
    ['{"store":["example"]}', { store: attribute('String', 'other') }, false],
    ['{"store":["example"]}', {}, false],
    ['{"store":[{"prefix":"ex"}]}', { store: attribute('String', 'example') }, true],
    ['{"store":[{"suffix":"le"}]}', { store: attribute('String', 'example') }, true],
    ['{"store":[{"wildcard":"e*e"}]}', { store: attribute('String', 'example') }, true],
    ['{"store":[{"equals-ignore-case":"EXAMPLE"}]}', { store: attribute('String', 'example') }, true],
    ['{"store":[{"anything-but":["a","b"]}]}', { store: attribute('String', 'c') }, true],
    ['{"store":[{"anything-but":{"prefix":"c"}}]}', { store: attribute('String', 'cd') }, false],
    ['{"interests":["rugby"]}', { interests: attribute('String.Array', '["soccer","rugby"]') }, true],
    ['{"interests":[{"anything-but":["rugby"]}]}', { interests: attribute('String.Array', '["rugby"]') }, false],
    ['{"price":[{"numeric":["=",301.5]}]}', { price: attribute('Number', '3.015e2') }, true],
    ['{"price":[{"numeric":[">",0,"<=",150]}]}', { price: attribute('Number', '150.1') }, false],
    ['{"price":[100]}', { price: attribute('Number', '100') }, true],
    ['{"price":[100]}', { price: attribute('String', '100') }, false],
    ['{"store":[{"exists":false}]}', {}, true],
    ['{"store":[{"exists":true}]}', { store: attribute('Number', '1') }, true],
    ['{"ip":[{"cidr":"10.0.0.0/24"}]}', { ip: attribute('String', '10.0.0.255') }, true],
    ['{"$or":[{"a":["1"]},{"b":["1"]}]}', { b: attribute('String', '1') }, true],
    ['{"a":["1"],"b":["2"]}', { a: attribute('String', '1') }, false],
  ])('%s for the attributes %j: %p', async (FilterPolicy, MessageAttributes, accepted) => {
    await subscribe('sqs', queueArn('all'), { RawMessageDelivery: 'true' });
    await subscribe('sqs', queueArn('filtered'), { RawMessageDelivery: 'true', FilterPolicy });
    await publish('Hello', { MessageAttributes });
    await eventually(() => expect(sns.delivered).toHaveLength(accepted ? 2 : 1));
    expect(sns.delivered.some(({ arn }) => arn === queueArn('filtered'))).toBe(accepted);
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html
  test.each([
    ['{"order":{"total":[{"numeric":[">",100]}]}}', '{"order":{"total":101}}', true],
    ['{"order":{"total":[{"numeric":[">",100]}]}}', '{"order":{"total":100}}', false],
    ['{"lines":{"sku":["a"]}}', '{"lines":[{"sku":"b"},{"sku":"a"}]}', true],
    ['{"paid":[true]}', '{"paid":true}', true],
    ['{"a":[null]}', '{"a":null}', true],
    ['{"a":["b"]}', 'not JSON', false],
  ])('%s for the body %s: %p', async (FilterPolicy, body, accepted) => {
    await subscribe('sqs', queueArn('all'), { RawMessageDelivery: 'true' });
    await subscribe('sqs', queueArn('filtered'), { RawMessageDelivery: 'true', FilterPolicy, FilterPolicyScope: 'MessageBody' });
    await publish(body);
    await eventually(() => expect(sns.delivered).toHaveLength(accepted ? 2 : 1));
    expect(sns.delivered.some(({ arn }) => arn === queueArn('filtered'))).toBe(accepted);
  });

  // https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
  test('have at most 150 combinations, counted with the levels of nested ones', async () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => index);
    const scope = { FilterPolicyScope: 'MessageBody' };
    await subscribe('sqs', queueArn('a'), { FilterPolicy: JSON.stringify({ a: values(10), b: values(15) }) });
    await expect(subscribe('sqs', queueArn('b'), { FilterPolicy: JSON.stringify({ a: values(10), b: values(16) }) })).rejects.toThrow('too complex');
    await subscribe('sqs', queueArn('c'), { ...scope, FilterPolicy: JSON.stringify({ a: { b: { c: values(50) } } }) });
    await expect(subscribe('sqs', queueArn('d'), { ...scope, FilterPolicy: JSON.stringify({ a: { b: { c: values(51) } } }) })).rejects.toThrow('too complex');
  });

  test('are changed and taken away', async () => {
    const { SubscriptionArn } = await subscribe('sqs', queueArn('a'), { FilterPolicy: '{"a":["1"]}' });
    const set = (AttributeName: string, AttributeValue: string) => sns.client.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
    expect(await attributesOf(SubscriptionArn)).toMatchObject({ FilterPolicy: '{"a":["1"]}', FilterPolicyScope: 'MessageAttributes' });
    await expect(set('FilterPolicy', '{')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await set('FilterPolicy', '{}');
    expect(await attributesOf(SubscriptionArn)).not.toHaveProperty('FilterPolicy');
    await publish('Hello');
    await eventually(() => expect(sns.delivered).toHaveLength(1));
  });
});
