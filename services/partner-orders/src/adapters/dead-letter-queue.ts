import { DeleteMessageCommand, SendMessageCommand, type Sqs } from '@millrace/aws';
import { failureAttributes, messageAttributes } from '@millrace/dead-letters';
import type { PermanentError } from '@millrace/errors';
import { messageOf } from '@millrace/privacy';
import type { SQSRecord } from 'aws-lambda';

interface Options {
  /** Named in each letter as the one that gave the message up, e.g. `partner-orders.acme`. */
  consumer: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  now: () => Date;
}

/** Takes the messages that no retry can help, with the reason. The redrive policy of a queue moves messages without one. */
export class DeadLetterQueue {
  readonly #sqs: Sqs;
  readonly #options: Options;

  constructor(sqs: Sqs, options: Options) {
    this.#sqs = sqs;
    this.#options = options;
  }

  /**
   * Moves a message here, body unchanged, with the reason as attributes. It takes the message out of its queue itself: were
   * that left to the pipe, each time that the target fails the message would come again and make another letter. A crash between
   * the two leaves it in both queues, never in neither.
   * @example await deadLetters.move(record, new InvalidOrderError(issues));
   */
  async move(record: SQSRecord, error: PermanentError): Promise<void> {
    const { consumer, queueUrl, deadLetterQueueUrl, now } = this.#options;
    const { ApproximateReceiveCount, ApproximateFirstReceiveTimestamp } = record.attributes;
    const reason = failureAttributes(
      {
        code: error.code,
        message: messageOf(error),
        kind: 'permanent',
        consumer,
        functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        attempts: Number(ApproximateReceiveCount),
        firstFailedAt: new Date(Number(ApproximateFirstReceiveTimestamp)),
        lastFailedAt: now(),
        correlationId: undefined,
      },
      record.body,
    );
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: deadLetterQueueUrl,
        MessageBody: record.body,
        MessageAttributes: messageAttributes(reason, record.body),
      }),
    );
    await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: record.receiptHandle }));
  }
}
