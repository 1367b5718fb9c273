import { randomUUID } from 'node:crypto';
import { arnOf, stableUuid } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import type { Messages } from '../../core/messages.ts';
import type { AwsService, ResourceType } from '../../core/service.ts';
import type { Fauxqs } from './fauxqs.ts';
import { forward } from './forward.ts';
import { fauxqs } from './index.ts';
import { createTopicPolicy } from './resource-policy.ts';
import { snsAccess } from './sns-access.ts';
import { textMessageParts } from './sns-usage.ts';

const SUBSCRIPTION_ATTRIBUTES = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope'];

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html */
const resourceTypes: Readonly<Record<string, ResourceType<Fauxqs>>> = {
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: arnOf('sns', ({ name }) => name),
    attributes: { TopicArn: arnOf('sns', ({ name }) => name), TopicName: ({ name }) => name },
    // Nothing is encrypted on this machine.
    properties: ['TopicName', 'DisplayName', 'KmsMasterKeyId', 'Tags', 'TracingConfig'],
    create: async ({ stack, logicalId, name }, backend) => {
      await backend.sns('CreateTopic', { Name: name });
      // The one it may have kept: a policy is a resource of its own, which may have been taken out of the template.
      const TopicArn = stack.ref(logicalId);
      await backend.sns('SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: '' });
    },
  },
  'AWS::SNS::TopicPolicy': {
    attributes: { Id: stableUuid },
    properties: ['Topics', 'PolicyDocument'],
    create: ({ properties }, backend) => createTopicPolicy(backend, properties),
  },
  'AWS::SNS::Subscription': {
    ref: (r) => `${String(r.property('TopicArn'))}:${stableUuid(r)}`,
    attributes: { Arn: (r) => `${String(r.property('TopicArn'))}:${stableUuid(r)}` },
    // Deliveries to a queue of this machine do not fail, so there is nothing to redrive.
    properties: ['TopicArn', 'Protocol', 'Endpoint', 'Region', 'RedrivePolicy', ...SUBSCRIPTION_ATTRIBUTES],
    create: ({ properties }, backend) => subscribe(backend, properties),
    warnings: ({ properties }) =>
      properties.Protocol === 'sqs' ? [] : ['gets nothing: only sqs subscriptions are delivered to'],
  },
};

/** SNS: what goes to a phone number is captured, everything else answered by fauxqs. */
export const sns: AwsService<Fauxqs> = {
  name: 'sns',
  protocols: ['query'],
  resourceTypes,
  access: snsAccess,
  refusal: { code: 'AuthorizationError', status: 403 },
  deliveryAction: 'sns:Publish',
  meters: {
    'sns.textMessages': 'parts of text messages [function]',
    'sns.notifications': 'other requests [function]',
  },
  async start(host) {
    const backend = host.handleOf(fauxqs);
    return {
      handle: backend,
      api: ({ operation, input, request }) =>
        operation === 'Publish' && input.PhoneNumber !== undefined
          ? capture(host.messages, input)
          : forward(backend, request),
      deliver: async (TopicArn, Message, { subject }) => {
        await backend.sns('Publish', { TopicArn, Message, ...(subject !== undefined && { Subject: subject }) });
      },
      meter: (usage, { functionName, input }) =>
        input.PhoneNumber === undefined
          ? usage.add('sns.notifications', functionName, 1)
          : usage.add('sns.textMessages', functionName, textMessageParts(String(input.Message ?? ''))),
      policyOf: backend.policyOf,
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
function capture(messages: Messages, { PhoneNumber, Message }: Input): HttpAnswer {
  const phoneNumber = String(PhoneNumber);
  if (!/^\+[1-9]\d{1,14}$/.test(phoneNumber)) {
    throw new AwsError(
      'InvalidParameter',
      `Invalid parameter: PhoneNumber Reason: ${phoneNumber} is not valid to publish to`,
    );
  }
  if (!Message) throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
  const id = messages.capture({ kind: 'sms', to: [phoneNumber], text: String(Message) });
  return new HttpAnswer(
    200,
    { 'content-type': 'text/xml' },
    `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${id}</MessageId></PublishResult>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></PublishResponse>`,
  );
}

async function subscribe(backend: Fauxqs, properties: Input): Promise<void> {
  const { TopicArn, Protocol, Endpoint } = properties;
  if (Protocol !== 'sqs') return;
  const attributes = SUBSCRIPTION_ATTRIBUTES.flatMap((key) => {
    const value = properties[key];
    if (value === undefined) return [];
    return [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]];
  });
  const entries = attributes.flatMap(([key, value], index) => [
    [`Attributes.entry.${index + 1}.key`, key],
    [`Attributes.entry.${index + 1}.value`, value],
  ]);
  await backend.sns('Subscribe', {
    TopicArn: String(TopicArn),
    Protocol,
    Endpoint: String(Endpoint),
    ...Object.fromEntries(entries),
  });
}
