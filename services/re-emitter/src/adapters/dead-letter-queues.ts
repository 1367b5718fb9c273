import { DeleteMessageBatchCommand, SendMessageCommand, type Sqs } from '@millrace/aws';
import {
  batches,
  callBatch,
  type DeadLetter,
  MAX_BATCH_ENTRIES,
  messageAttributes,
  type ParkingReason,
  parkingAttributes,
} from '@millrace/dead-letters';

/** Removes messages from dead-letter queues: deletes them, or moves them to the parking queue. */
export class DeadLetterQueues {
  readonly #sqs: Sqs;
  readonly #parkingQueueUrl: string;

  /** @param parkingQueueUrl as SQS names it: the URLs of all queues of an account and Region differ in the name alone */
  constructor(sqs: Sqs, parkingQueueUrl: string) {
    this.#sqs = sqs;
    this.#parkingQueueUrl = parkingQueueUrl;
  }

  /** Sends a copy to the parking queue. When this resolves, SQS has stored it. */
  async park(letter: DeadLetter, reason: ParkingReason, queueName: string): Promise<void> {
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: this.#parkingQueueUrl,
        MessageBody: letter.body,
        MessageAttributes: messageAttributes(parkingAttributes(letter, reason, queueName), letter.body),
      }),
    );
  }

  /**
   * Deletes letters of a queue in the account and Region of the parking queue.
   * @returns those that are still there
   */
  async delete(queueName: string, letters: readonly DeadLetter[]): Promise<Set<DeadLetter>> {
    const queueUrl = new URL(queueName, this.#parkingQueueUrl).href;
    const left = new Set<DeadLetter>();
    for (const batch of batches(letters, { maxCount: MAX_BATCH_ENTRIES })) {
      const failures = await callBatch(batch, (entries) =>
        this.#sqs.send(
          new DeleteMessageBatchCommand({
            QueueUrl: queueUrl,
            Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: item.receiptHandle })),
          }),
        ),
      ).catch(() => new Map(batch.map((letter) => [letter, undefined])));
      for (const letter of failures.keys()) left.add(letter);
    }
    return left;
  }
}
