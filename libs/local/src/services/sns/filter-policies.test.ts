import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
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
const attributesOf = async (SubscriptionArn: string | undefined) =>
  (await sns.client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes;

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
    await subscribe('sqs', queueArn('filtered'), {
      RawMessageDelivery: 'true',
      FilterPolicy,
      FilterPolicyScope: 'MessageBody',
    });
    await publish(body);
    await eventually(() => expect(sns.delivered).toHaveLength(accepted ? 2 : 1));
    expect(sns.delivered.some(({ arn }) => arn === queueArn('filtered'))).toBe(accepted);
  });

  // https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
  test('have at most 150 combinations, counted with the levels of nested ones', async () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => index);
    const scope = { FilterPolicyScope: 'MessageBody' };
    await subscribe('sqs', queueArn('a'), { FilterPolicy: JSON.stringify({ a: values(10), b: values(15) }) });
    await expect(
      subscribe('sqs', queueArn('b'), { FilterPolicy: JSON.stringify({ a: values(10), b: values(16) }) }),
    ).rejects.toThrow('too complex');
    await subscribe('sqs', queueArn('c'), { ...scope, FilterPolicy: JSON.stringify({ a: { b: { c: values(50) } } }) });
    await expect(
      subscribe('sqs', queueArn('d'), { ...scope, FilterPolicy: JSON.stringify({ a: { b: { c: values(51) } } }) }),
    ).rejects.toThrow('too complex');
  });

  test('are changed and taken away', async () => {
    const { SubscriptionArn } = await subscribe('sqs', queueArn('a'), { FilterPolicy: '{"a":["1"]}' });
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.client.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
    expect(await attributesOf(SubscriptionArn)).toMatchObject({
      FilterPolicy: '{"a":["1"]}',
      FilterPolicyScope: 'MessageAttributes',
    });
    await expect(set('FilterPolicy', '{')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await set('FilterPolicy', '{}');
    expect(await attributesOf(SubscriptionArn)).not.toHaveProperty('FilterPolicy');
    await publish('Hello');
    await eventually(() => expect(sns.delivered).toHaveLength(1));
  });
});
