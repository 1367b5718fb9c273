import { integer, list, map, string, structure, type Value } from './shapes.ts';

const attributeValue = structure(
  {
    DataType: string,
    StringValue: string,
    BinaryValue: string,
    StringListValues: list('StringListValue', string),
    BinaryListValues: list('BinaryListValue', string),
  },
  [],
);

const message = {
  MessageBody: string,
  DelaySeconds: integer,
  MessageAttributes: map('MessageAttribute', ['Name', 'Value'], attributeValue),
  MessageSystemAttributes: map('MessageSystemAttribute', ['Name', 'Value'], attributeValue),
  MessageDeduplicationId: string,
  MessageGroupId: string,
} as const;

const attributes = map('Attribute', ['Name', 'Value'], string);
const tags = map('Tag', ['Key', 'Value'], string);
const attributeNames = list('AttributeName', string);
const onQueue = { QueueUrl: string } as const;
const page = { MaxResults: integer, NextToken: string } as const;

/**
 * The requests of SQS.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 */
export const inputs = {
  AddPermission: structure(
    {
      ...onQueue,
      Label: string,
      AWSAccountIds: list('AWSAccountId', string),
      Actions: list('ActionName', string),
    },
    ['QueueUrl', 'Label', 'AWSAccountIds', 'Actions'],
  ),
  CancelMessageMoveTask: structure({ TaskHandle: string }, ['TaskHandle']),
  ChangeMessageVisibility: structure({ ...onQueue, ReceiptHandle: string, VisibilityTimeout: integer }, [
    'QueueUrl',
    'ReceiptHandle',
    'VisibilityTimeout',
  ]),
  ChangeMessageVisibilityBatch: structure(
    {
      ...onQueue,
      Entries: list(
        'ChangeMessageVisibilityBatchRequestEntry',
        structure({ Id: string, ReceiptHandle: string, VisibilityTimeout: integer }, ['Id', 'ReceiptHandle']),
      ),
    },
    ['QueueUrl'],
  ),
  CreateQueue: structure({ QueueName: string, Attributes: attributes, tags }, ['QueueName']),
  DeleteMessage: structure({ ...onQueue, ReceiptHandle: string }, ['QueueUrl', 'ReceiptHandle']),
  DeleteMessageBatch: structure(
    {
      ...onQueue,
      Entries: list(
        'DeleteMessageBatchRequestEntry',
        structure({ Id: string, ReceiptHandle: string }, ['Id', 'ReceiptHandle']),
      ),
    },
    ['QueueUrl'],
  ),
  DeleteQueue: structure(onQueue, ['QueueUrl']),
  GetQueueAttributes: structure({ ...onQueue, AttributeNames: attributeNames }, ['QueueUrl']),
  GetQueueUrl: structure({ QueueName: string, QueueOwnerAWSAccountId: string }, ['QueueName']),
  ListDeadLetterSourceQueues: structure({ ...onQueue, ...page }, ['QueueUrl']),
  ListMessageMoveTasks: structure({ SourceArn: string, MaxResults: integer }, ['SourceArn']),
  ListQueues: structure({ QueueNamePrefix: string, ...page }, []),
  ListQueueTags: structure(onQueue, ['QueueUrl']),
  PurgeQueue: structure(onQueue, ['QueueUrl']),
  ReceiveMessage: structure(
    {
      ...onQueue,
      AttributeNames: attributeNames,
      MessageSystemAttributeNames: list('MessageSystemAttributeName', string),
      MessageAttributeNames: list('MessageAttributeName', string),
      MaxNumberOfMessages: integer,
      VisibilityTimeout: integer,
      WaitTimeSeconds: integer,
      ReceiveRequestAttemptId: string,
    },
    ['QueueUrl'],
  ),
  RemovePermission: structure({ ...onQueue, Label: string }, ['QueueUrl', 'Label']),
  SendMessage: structure({ ...onQueue, ...message }, ['QueueUrl', 'MessageBody']),
  SendMessageBatch: structure(
    {
      ...onQueue,
      Entries: list('SendMessageBatchRequestEntry', structure({ Id: string, ...message }, ['Id', 'MessageBody'])),
    },
    ['QueueUrl'],
  ),
  SetQueueAttributes: structure({ ...onQueue, Attributes: attributes }, ['QueueUrl', 'Attributes']),
  StartMessageMoveTask: structure(
    { SourceArn: string, DestinationArn: string, MaxNumberOfMessagesPerSecond: integer },
    ['SourceArn'],
  ),
  TagQueue: structure({ ...onQueue, Tags: tags }, ['QueueUrl', 'Tags']),
  UntagQueue: structure({ ...onQueue, TagKeys: list('TagKey', string) }, ['QueueUrl', 'TagKeys']),
};

export type OperationName = keyof typeof inputs;
export type InputOf<Name extends OperationName> = Value<(typeof inputs)[Name]>;

export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(inputs, name);
}

/** Whether an operation is about one queue, so that its request can be sent to the queue's URL. */
export function isOnQueue(name: OperationName): boolean {
  return Object.hasOwn(inputs[name].members, 'QueueUrl');
}
