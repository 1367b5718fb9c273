import type { AwsPort } from './aws-port.ts';
import type { ReceivedMessage } from './dead-letters.ts';

const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);

/** Takes everything that can be had off a queue. */
export async function takeAll(
  aws: AwsPort,
  QueueUrl: string,
  handle: (message: ReceivedMessage) => void,
): Promise<number> {
  let taken = 0;
  for (;;) {
    const { Messages = [] } = await aws.call<{ Messages?: ReceivedMessage[] }>('sqs', 'ReceiveMessage', {
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 0,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    if (Messages.length === 0) return taken;
    taken += Messages.length;
    for (const message of Messages) handle(message);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const { Failed = [] } = await aws.call<{ Failed?: object[] }>('sqs', 'DeleteMessageBatch', { QueueUrl, Entries });
    if (Failed.length > 0) throw new Error(`${Failed.length} messages of ${nameOf(QueueUrl)} could not be deleted`);
  }
}

/** Messages in queues, those handed out and delayed included, by the queue's name; queues without any are left out. */
export async function depths(aws: AwsPort, queueUrls: readonly string[]): Promise<Map<string, number>> {
  const counts = await Promise.all(
    queueUrls.map(async (QueueUrl) => {
      const { Attributes } = await aws.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', {
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      });
      return [nameOf(QueueUrl), Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)] as const;
    }),
  );
  return new Map(counts.filter(([, count]) => count > 0));
}
