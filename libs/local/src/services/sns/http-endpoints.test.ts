import { verify, X509Certificate } from 'node:crypto';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { httpEndpoint } from '../../../fixtures/http-endpoint.ts';
import { queueArn, type SnsUnderTest, startSnsUnderTest } from '../../../fixtures/sns-under-test.ts';

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

// https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
describe('HTTP endpoints', () => {
  test('confirm their subscription, and get messages whose signature their certificate verifies', async () => {
    await using endpoint = await httpEndpoint();
    await sns.client.send(
      new SetTopicAttributesCommand({ TopicArn, AttributeName: 'SignatureVersion', AttributeValue: '2' }),
    );
    expect((await subscribe('http', endpoint.url)).SubscriptionArn).toBe('pending confirmation');
    await publish('too early');
    await eventually(() => expect(endpoint.requests).toHaveLength(1));
    const confirmation = JSON.parse(endpoint.requests[0]?.body ?? '');
    expect(endpoint.requests[0]?.headers).toMatchObject({
      'x-amz-sns-message-type': 'SubscriptionConfirmation',
      'x-amz-sns-topic-arn': TopicArn,
    });
    expect(confirmation).toMatchObject({
      Type: 'SubscriptionConfirmation',
      TopicArn,
      Token: expect.any(String),
      SignatureVersion: '2',
    });
    await expectValidSignature(confirmation, [
      'Message',
      'MessageId',
      'SubscribeURL',
      'Timestamp',
      'Token',
      'TopicArn',
      'Type',
    ]);

    const confirmed = await fetch(confirmation.SubscribeURL);
    expect(await confirmed.text()).toContain(`<SubscriptionArn>${TopicArn}:`);
    const { MessageId } = await publish('Hello', {
      Subject: 'Greeting',
      MessageAttributes: { colour: { DataType: 'String', StringValue: 'green' } },
    });
    await eventually(() => expect(endpoint.requests).toHaveLength(2));
    const [, request] = endpoint.requests;
    expect(request?.headers).toMatchObject({
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-message-id': MessageId,
      'content-type': 'text/plain; charset=UTF-8',
    });
    expect(request?.headers['x-amz-sns-subscription-arn']).toMatch(TopicArn);
    const notification = JSON.parse(request?.body ?? '');
    expect(notification).toMatchObject({
      Type: 'Notification',
      MessageId,
      Subject: 'Greeting',
      Message: 'Hello',
      MessageAttributes: { colour: { Type: 'String', Value: 'green' } },
    });
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
    await using endpoint = await httpEndpoint();
    await subscribe('http', endpoint.url);
    await eventually(() => expect(endpoint.requests).toHaveLength(1));
    const { Token } = JSON.parse(endpoint.requests[0]?.body ?? '');
    const confirm = (token: string) => sns.client.send(new ConfirmSubscriptionCommand({ TopicArn, Token: token }));
    await expect(confirm('other')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await sns.clock.advance(2 * 86_400_000 + 1);
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
    await using endpoint = await httpEndpoint([200, 500, 429, 503, 500]);
    await confirmed(endpoint.url, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('dead') }) });
    await eventually(() => expect(endpoint.requests).toHaveLength(1));
    const { MessageId } = await publish('Hello');
    for (const attempts of [2, 3, 4]) {
      await eventually(() => expect(endpoint.requests).toHaveLength(attempts));
      expect(sns.delivered).toEqual([]);
      await eventually(async () => {
        await sns.clock.advance(20_000);
        expect(endpoint.requests.length).toBeGreaterThan(attempts);
      });
    }
    await eventually(() => expect(sns.delivered).toHaveLength(1));
    expect(endpoint.requests).toHaveLength(5);
    expect(sns.delivered[0]?.arn).toBe(queueArn('dead'));
    expect(JSON.parse(sns.delivered[0]?.payload ?? '')).toMatchObject({ MessageId, Message: 'Hello' });
  });

  test('that refuse a message are not tried again', async () => {
    await using endpoint = await httpEndpoint([200, 404]);
    await confirmed(endpoint.url);
    await eventually(() => expect(endpoint.requests).toHaveLength(1));
    await publish('Hello');
    await eventually(() => expect(sns.warnings).toEqual([expect.stringContaining('the status 404')]));
  });

  test('get raw messages with the content type of their delivery policy', async () => {
    await using endpoint = await httpEndpoint();
    const DeliveryPolicy = JSON.stringify({ requestPolicy: { headerContentType: 'application/json' } });
    await confirmed(endpoint.url, { RawMessageDelivery: 'true', DeliveryPolicy });
    await publish('{"a":1}');
    await eventually(() => expect(endpoint.requests).toHaveLength(2));
    expect(endpoint.requests[1]).toMatchObject({
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', 'x-amz-sns-rawdelivery': 'true' },
    });
  });

  test('that do not answer do not hold up the end', async () => {
    await using silent = await httpEndpoint();
    silent.answer = () => {};
    await subscribe('http', silent.url);
    await eventually(() => expect(silent.requests).toHaveLength(1));
    const start = performance.now();
    await sns[Symbol.asyncDispose]();
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
