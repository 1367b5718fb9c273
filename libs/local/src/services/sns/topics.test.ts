import {
  AddPermissionCommand,
  CreatePlatformApplicationCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSMSAttributesCommand,
  GetTopicAttributesCommand,
  ListTagsForResourceCommand,
  ListTopicsCommand,
  RemovePermissionCommand,
  SetSMSAttributesCommand,
  SetTopicAttributesCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accountId, region, type SnsUnderTest, startSnsUnderTest } from '../../../fixtures/sns-under-test.ts';

let sns: SnsUnderTest;

beforeAll(async () => {
  sns = await startSnsUnderTest();
});

afterAll(async () => {
  await sns[Symbol.asyncDispose]();
});

const arnOf = (name: string): string => `arn:aws:sns:${region}:${accountId}:${name}`;

// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
describe('topics', () => {
  test('are created once, and again only with the same attributes and tags', async () => {
    const create = (input: object) => sns.client.send(new CreateTopicCommand({ Name: 'orders', ...input }));
    expect(await create({ Attributes: { DisplayName: 'Orders' }, Tags: [{ Key: 'a', Value: '1' }] })).toMatchObject({
      TopicArn: arnOf('orders'),
    });
    expect(await create({})).toMatchObject({ TopicArn: arnOf('orders') });
    await expect(create({ Attributes: { DisplayName: 'Others' } })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Invalid parameter: Attributes Reason: Topic already exists with different attributes',
    });
    await expect(create({ Tags: [{ Key: 'a', Value: '2' }] })).rejects.toThrow(
      'Topic already exists with different tags',
    );
  });

  test.each(['', 'with space', 'x'.repeat(257), 'a.fifo', 'ä'])('cannot be named "%s"', async (Name) => {
    await expect(sns.client.send(new CreateTopicCommand({ Name }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('are FIFO topics only with the suffix', async () => {
    const Attributes = { FifoTopic: 'true', ContentBasedDeduplication: 'true' };
    await expect(sns.client.send(new CreateTopicCommand({ Name: 'ordered', Attributes }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    const { TopicArn } = await sns.client.send(new CreateTopicCommand({ Name: 'ordered.fifo', Attributes }));
    const attributes = await sns.client.send(new GetTopicAttributesCommand({ TopicArn }));
    expect(attributes.Attributes).toMatchObject({ ...Attributes, FifoThroughputScope: 'Topic' });
    await expect(
      sns.client.send(new CreateTopicCommand({ Name: 'plain', Attributes: { ContentBasedDeduplication: 'true' } })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('have attributes that are checked', async () => {
    const { TopicArn } = await sns.client.send(new CreateTopicCommand({ Name: 'attributes' }));
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.client.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));
    const get = async () => (await sns.client.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes;
    expect(await get()).toMatchObject({ TopicArn, Owner: accountId, SubscriptionsConfirmed: '0', DisplayName: '' });
    expect(JSON.parse((await get())?.Policy ?? '')).toMatchObject({ Statement: [{ Sid: '__default_statement_ID' }] });
    await set('SignatureVersion', '2');
    await set('DisplayName', 'Named <&>');
    expect(await get()).toMatchObject({ SignatureVersion: '2', DisplayName: 'Named <&>' });
    await expect(set('SignatureVersion', '3')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(set('Policy', '{"Statement":')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(set('FifoTopic', 'true')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(set('Unknown', 'x')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(
      set('DeliveryPolicy', '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('are listed by page, and deleted without an error if they are not there', async () => {
    for (let index = 0; index < 105; index += 1) sns.sns.call('CreateTopic', { Name: `listed-${index}` });
    const first = await sns.client.send(new ListTopicsCommand({}));
    expect(first.Topics).toHaveLength(100);
    const second = await sns.client.send(new ListTopicsCommand({ NextToken: first.NextToken }));
    const all = [...(first.Topics ?? []), ...(second.Topics ?? [])].map(({ TopicArn }) => TopicArn);
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((arn) => arn?.includes(':listed-'))).toHaveLength(105);
    expect(second.NextToken).toBeUndefined();
    await sns.client.send(new DeleteTopicCommand({ TopicArn: arnOf('listed-0') }));
    await sns.client.send(new DeleteTopicCommand({ TopicArn: arnOf('listed-0') }));
    await expect(sns.client.send(new GetTopicAttributesCommand({ TopicArn: arnOf('listed-0') }))).rejects.toMatchObject(
      { name: 'NotFoundException', $metadata: { httpStatusCode: 404 } },
    );
  });

  // https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html
  test('have tags', async () => {
    const { TopicArn: ResourceArn } = await sns.client.send(new CreateTopicCommand({ Name: 'tagged' }));
    await sns.client.send(
      new TagResourceCommand({
        ResourceArn,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '2' },
        ],
      }),
    );
    await sns.client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['a'] }));
    expect((await sns.client.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags).toEqual([
      { Key: 'b', Value: '2' },
    ]);
    const Tags = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }));
    await expect(sns.client.send(new TagResourceCommand({ ResourceArn, Tags }))).rejects.toMatchObject({
      name: 'TagLimitExceededException',
    });
    await expect(sns.client.send(new ListTagsForResourceCommand({ ResourceArn: arnOf('none') }))).rejects.toMatchObject(
      { name: 'ResourceNotFoundException' },
    );
  });

  // https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
  test('give permissions, each with a label', async () => {
    const { TopicArn } = await sns.client.send(new CreateTopicCommand({ Name: 'shared' }));
    const add = () =>
      sns.client.send(
        new AddPermissionCommand({ TopicArn, Label: 'other', AWSAccountId: ['111111111111'], ActionName: ['Publish'] }),
      );
    const statements = async () =>
      JSON.parse((await sns.client.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes?.Policy ?? '')
        .Statement;
    await add();
    expect(await statements()).toMatchObject([
      {},
      { Sid: 'other', Principal: { AWS: ['arn:aws:iam::111111111111:root'] }, Action: ['SNS:Publish'] },
    ]);
    await expect(add()).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await sns.client.send(new RemovePermissionCommand({ TopicArn, Label: 'other' }));
    expect(await statements()).toHaveLength(1);
  });
});

describe('the API', () => {
  test('refuses operations that are not here by their names, and others as no actions', async () => {
    await expect(
      sns.client.send(new CreatePlatformApplicationCommand({ Name: 'a', Platform: 'GCM', Attributes: {} })),
    ).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('CreatePlatformApplication'),
      $metadata: { httpStatusCode: 501 },
    });
    const response = await sns.send({ Action: 'Destroy' });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('<Code>InvalidAction</Code>'),
    ]);
  });

  test.each([
    'Attributes=text',
    'Attributes.entry.1.value.x.y=1',
    'Tags.member.1=a',
    'MessageAttributes.entry.1.Name=without-a-value',
    'Name.member.1=a',
    'Name.a.b.c.d.e.f.g.h.i.j.k=1',
  ])('refuses an input that is not of its types: %s', async (parameter) => {
    const response = await sns.send(`Action=CreateTopic&Name=typed&${parameter}`);
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('<Code>InvalidParameter</Code>'),
    ]);
  });

  // https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
  test('keeps settings of text messages', async () => {
    await sns.client.send(
      new SetSMSAttributesCommand({ attributes: { DefaultSMSType: 'Transactional', DefaultSenderID: 'Shop' } }),
    );
    expect((await sns.client.send(new GetSMSAttributesCommand({ attributes: ['DefaultSMSType'] }))).attributes).toEqual(
      { DefaultSMSType: 'Transactional' },
    );
    await expect(sns.client.send(new SetSMSAttributesCommand({ attributes: { Other: 'x' } }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });
});
