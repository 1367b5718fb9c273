import { type Attribute, arnOf, stableUuid } from '@millrace/cloudformation';
import { AwsError } from '../../core/aws-error.ts';
import { type DeliverOptions, textAttribute } from '../../core/delivery.ts';
import type { HttpRequest } from '../../core/http-message.ts';
import { parseJsonBody } from '../../core/json-body.ts';
import type { AwsService, ResourceType } from '../../core/service.ts';
import type { Fauxqs } from './fauxqs.ts';
import { forward } from './forward.ts';
import { fauxqs } from './index.ts';
import { countSentMessage } from './queue-usage.ts';
import { createQueuePolicy } from './resource-policy.ts';
import { sqsAccess } from './sqs-access.ts';
import { checkSqsInput } from './sqs-input.ts';
import { createQueue, QUEUE_PROPERTIES } from './sqs-queues.ts';

const queueUrl: Attribute = ({ awsUrl, accountId, name }) => `${awsUrl}/${accountId}/${name}`;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html */
const resourceTypes: Readonly<Record<string, ResourceType<Fauxqs>>> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arnOf('sqs', ({ name }) => name), QueueName: ({ name }) => name, QueueUrl: queueUrl },
    properties: QUEUE_PROPERTIES,
    create: ({ name, properties }, backend) => createQueue(backend, name, properties),
  },
  'AWS::SQS::QueuePolicy': {
    attributes: { Id: stableUuid },
    properties: ['Queues', 'PolicyDocument'],
    create: ({ properties }, backend) => createQueuePolicy(backend, properties),
  },
};

/** SQS, answered by fauxqs. */
export const sqs: AwsService<Fauxqs> = {
  name: 'sqs',
  protocol: 'json',
  targets: ['AmazonSQS'],
  read,
  resourceTypes,
  access: sqsAccess,
  refusal: { code: 'AccessDenied', status: 403 },
  deliveryAction: 'sqs:SendMessage',
  meters: { 'sqs.requests': 'requests, each 64 KB is one [queue, or the function that asks]' },
  async start(host) {
    const backend = host.handleOf(fauxqs);
    const { usage } = host;
    return {
      handle: backend,
      api: ({ request }) => forward(backend, request, '{}'),
      deliver: (queueArn, body, options) => {
        if (usage) countSentMessage(usage, queueArn, body);
        return deliver(backend, queueArn, body, options);
      },
      isThere: (queueArn) => backend.store.getQueueByArn(queueArn) !== undefined,
      meter: (counted, { functionName, operation }) => counted.add('sqs.requests', functionName, 1, operation),
      policyOf: backend.policyOf,
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html */
function read({ url, headers, body }: HttpRequest) {
  const target = headers['x-amz-target'];
  if (target === undefined) {
    const parameters = new URLSearchParams(body.toString());
    return {
      operation: parameters.get('Action') ?? '',
      input: { QueueUrl: url.pathname, ...Object.fromEntries(parameters) },
    };
  }
  const input = parseJsonBody(body);
  checkSqsInput(input);
  return { operation: String(target).slice(String(target).lastIndexOf('.') + 1), input };
}

/** Sends a message for another service. */
async function deliver(
  { store, sqs: call }: Fauxqs,
  queueArn: string,
  body: string,
  { messageAttributes: MessageAttributes = {}, messageGroupId, messageDeduplicationId, traceHeader }: DeliverOptions,
): Promise<void> {
  const queue = store.getQueueByArn(queueArn);
  if (!queue) throw new AwsError('QueueDoesNotExist', `There is no queue ${queueArn}`);
  await call('SendMessage', {
    QueueUrl: queue.url,
    MessageBody: body,
    MessageAttributes,
    ...(messageGroupId !== undefined && { MessageGroupId: messageGroupId }),
    ...(messageDeduplicationId !== undefined && { MessageDeduplicationId: messageDeduplicationId }),
    ...(traceHeader !== undefined && {
      MessageSystemAttributes: { AWSTraceHeader: textAttribute(traceHeader) },
    }),
  });
}
