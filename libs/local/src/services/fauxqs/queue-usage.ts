import { chunks } from '../../core/chunks.ts';
import type { Usage } from '../../core/usage.ts';
import type { SqsQueue } from './queue.ts';

/**
 * A queue that counts what its event source mapping asks of it. A long poll that ends without messages is not counted:
 * there is one poller here, and at AWS there are several, whether anything is in the queue or not.
 */
export function meteredQueue(queue: SqsQueue, usage: Usage): SqsQueue {
  const name = queueName(queue.queueArn);
  return {
    queueArn: queue.queueArn,
    region: queue.region,
    get visibilityTimeoutSeconds() {
      return queue.visibilityTimeoutSeconds;
    },
    async receive(options) {
      const messages = await queue.receive(options);
      const bytes = messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
      if (messages.length > 0) usage.add('sqs.requests', name, chunks(bytes, 64), 'ReceiveMessage');
      return messages;
    },
    async deleteBatch(receiptHandles) {
      usage.add('sqs.requests', name, Math.ceil(receiptHandles.length / 10), 'DeleteMessageBatch');
      await queue.deleteBatch(receiptHandles);
    },
  };
}

/** Counts a message that EventBridge or an event source mapping puts into a queue: its owner pays. */
export function countSentMessage(usage: Usage, queueArn: string, body: string): void {
  usage.add('sqs.requests', queueName(queueArn), chunks(Buffer.byteLength(body), 64), 'SendMessage');
}

function queueName(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
