import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import { missingParameter, queueDoesNotExist, sqsError } from './errors.ts';

/** Who calls an operation. */
export interface SqsCaller {
  /** The system attribute SenderId of messages: of a user its id, of a role `<id>:<session>`. The account unless given. */
  senderId?: string | undefined;
}

/**
 * The queues by their URLs.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
 */
export class QueueDirectory {
  readonly queues: Queues;
  readonly accountId: string;
  readonly #origin: string;

  /** @param origin of the URLs: `http://127.0.0.1:4566` */
  constructor(queues: Queues, { origin, accountId }: { origin: string; accountId: string }) {
    this.queues = queues;
    this.accountId = accountId;
    this.#origin = origin;
  }

  urlOf(name: string): string {
    return `${this.#origin}/${this.accountId}/${name}`;
  }

  /**
   * Finds a queue by its URL. SQS takes its name as well, and does not look at the host.
   * @throws AwsError QueueDoesNotExist
   */
  find(queueUrl: string): Queue {
    if (queueUrl === '') throw missingParameter('QueueUrl');
    const [name, account = this.accountId] = queueUrl.split('/').reverse();
    const queue = account === this.accountId ? this.queues.get(name ?? '') : undefined;
    if (!queue) throw queueDoesNotExist();
    return queue;
  }

  /** @throws AwsError ResourceNotFoundException */
  findByArn(arn: string, parameter: string): Queue {
    const queue = this.queues.byArn(arn);
    if (!queue) {
      throw sqsError(
        'ResourceNotFoundException',
        `The resource that you specified for the ${parameter} parameter doesn't exist.`,
      );
    }
    return queue;
  }
}
