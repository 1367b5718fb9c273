import { DeleteMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type DeadLetter, messageAttributes, type ParkingReason, parkingAttributes } from '@millrace/dead-letters';

/** Entries of one batch call. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
const MAX_BATCH = 10;

/** Takes letters out of a dead-letter queue: for good, or into the parking queue. */
export class Letters {
  readonly #sqs: Pick<SQSClient, 'send'>;
  readonly #parkingQueueUrl: string;

  constructor(sqs: Pick<SQSClient, 'send'>, parkingQueueUrl: string) {
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

  /** Deletes letters, and returns those that are still there. */
  async delete(queueUrl: string, letters: readonly DeadLetter[]): Promise<Set<DeadLetter>> {
    const left = new Set<DeadLetter>();
    for (let start = 0; start < letters.length; start += MAX_BATCH) {
      const batch = letters.slice(start, start + MAX_BATCH);
      const Entries = batch.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      const deleted = await this.#sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })).then(
        ({ Successful = [] }) => new Set(Successful.map(({ Id }) => Id)),
        () => new Set<string>(),
      );
      batch.forEach((letter, index) => {
        if (!deleted.has(String(index))) left.add(letter);
      });
    }
    return left;
  }
}
