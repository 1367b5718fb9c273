import type { OperationName } from './inputs.ts';
import { boolean, integer, list, map, type Shape, string, structure } from './shapes.ts';

const sent = {
  MessageId: string,
  MD5OfMessageBody: string,
  MD5OfMessageAttributes: string,
  MD5OfMessageSystemAttributes: string,
  SequenceNumber: string,
} as const;

const message = structure(
  {
    MessageId: string,
    ReceiptHandle: string,
    MD5OfBody: string,
    Body: string,
    Attributes: map('Attribute', ['Name', 'Value'], string),
    MD5OfMessageAttributes: string,
    MessageAttributes: map(
      'MessageAttribute',
      ['Name', 'Value'],
      structure({ StringValue: string, BinaryValue: string, DataType: string }, []),
    ),
  },
  [],
);

const failures = list(
  'BatchResultErrorEntry',
  structure({ Id: string, SenderFault: boolean, Code: string, Message: string }, []),
);

const moveTask = structure(
  {
    TaskHandle: string,
    Status: string,
    SourceArn: string,
    DestinationArn: string,
    MaxNumberOfMessagesPerSecond: integer,
    ApproximateNumberOfMessagesMoved: integer,
    ApproximateNumberOfMessagesToMove: integer,
    FailureReason: string,
    StartedTimestamp: integer,
  },
  [],
);

const batch = (name: string, members: Readonly<Record<string, Shape>> = {}): Shape =>
  structure({ Successful: list(name, structure({ Id: string, ...members }, [])), Failed: failures }, []);

/**
 * The answers of SQS that have content: the order of their elements in XML, and what lists are called there.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 */
export const outputs: Readonly<Partial<Record<OperationName, Shape>>> = {
  CancelMessageMoveTask: structure({ ApproximateNumberOfMessagesMoved: integer }, []),
  ChangeMessageVisibilityBatch: batch('ChangeMessageVisibilityBatchResultEntry'),
  CreateQueue: structure({ QueueUrl: string }, []),
  DeleteMessageBatch: batch('DeleteMessageBatchResultEntry'),
  GetQueueAttributes: structure({ Attributes: map('Attribute', ['Name', 'Value'], string) }, []),
  GetQueueUrl: structure({ QueueUrl: string }, []),
  ListDeadLetterSourceQueues: structure({ queueUrls: list('QueueUrl', string), NextToken: string }, []),
  ListMessageMoveTasks: structure({ Results: list('ListMessageMoveTasksResultEntry', moveTask) }, []),
  ListQueues: structure({ QueueUrls: list('QueueUrl', string), NextToken: string }, []),
  ListQueueTags: structure({ Tags: map('Tag', ['Key', 'Value'], string) }, []),
  ReceiveMessage: structure({ Messages: list('Message', message) }, []),
  SendMessage: structure(sent, []),
  SendMessageBatch: batch('SendMessageBatchResultEntry', sent),
  StartMessageMoveTask: structure({ TaskHandle: string }, []),
};
